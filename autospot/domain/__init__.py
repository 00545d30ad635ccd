"""What is true of parking, whatever program runs: pure values and decisions, no clock, no network, no database."""
