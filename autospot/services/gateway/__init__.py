"""Payment gateways. Nothing outside this package knows which provider it talks to; `docs/payments.md` says how to add
one.

`interface` is what a gateway has to do, `simulated` speaks to the one that comes with AutoSpot, `directory` knows them
by name.
"""
