"""Hubs that AutoSpot is compared with, each written to be the best of its kind."""
