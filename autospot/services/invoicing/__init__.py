"""Invoices: made from the ledger after the fact, so that no payment waits for a number that all of them share.

`invoices` makes and shows them, `supplies` says what a transfer was for, `paper` draws them.
"""
