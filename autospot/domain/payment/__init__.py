"""Payments: what is paid, from where, how far it has come, and which transfers that makes.

`intent` is what a gateway says of a card payment, `payment` what AutoSpot knows of any, `progress` what follows from a
report, `entries` the transfers of each step. All of it is pure.
"""
