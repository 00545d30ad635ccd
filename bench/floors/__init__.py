"""Floors: the same work with nothing in it but the transport. No hub can be below them."""
