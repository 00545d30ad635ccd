"""The cashier: everything that moves money, told by what people do.

`payments` pays things and fills wallets, `refunds` gives back, `points` lets points count, `wallets` shows and credits.
Card payments go on by themselves: `gateway_work` asks the gateway, `reports` takes what it says. `bookkeeping` is where
all of them meet: it makes each step of a payment, its transfers and the word to whoever keeps the thing paid for one
transaction. `cashier` wires it all.
"""
