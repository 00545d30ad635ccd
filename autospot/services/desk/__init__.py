"""The desk: where bookings are made, changed, moved and given back.

`booking` makes them and `changes` changes them, both for drivers; `moving` finds another bay when theirs cannot be had;
`timekeeper` does what falls due. All of them get their bays from `keeper` and write through `register`, which sees to
what follows from a booking: its claim on the screens, its money, its row in the due-queue.
"""
