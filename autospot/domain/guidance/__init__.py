"""Which bay a driver should take, and the way there: pure decisions over the plan of a lot."""
