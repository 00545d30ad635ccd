"""Bookings: their life as a table, their terms, what falls due, and what the sensors mean for them. Pure.

`life` (states and steps), `booking` (the value), `terms` (what is allowed), `moments` (what falls due, who is there),
`series` (recurring ones), `alternatives` (what is offered instead of a bay that is taken).
"""
