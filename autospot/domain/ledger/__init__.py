"""Double entry: every cent and every point stands on two accounts, and nothing that was written ever changes.

    transfer = Transfer.posted(id, debit, credit, amount, currency, cause, at)    # now and for good
    hold = Transfer.pending(id, debit, credit, amount, currency, cause, at, expires_at)
    transfer = hold.posting(id, amount, cause, at)  # at most the hold, the rest is released
    transfer = hold.voiding(id, cause, at)          # all of it is released

`account` says which accounts there are, `transfer` what a transfer is, `pending` the life of a hold, `movement` what a
transfer does to its two accounts. A ledger has one currency: money has its own, points are a second ledger with the
same rules. The model is that of TigerBeetle's two-phase transfers.
"""

from autospot.domain.ledger.account import POINTS, Account, AccountKind
from autospot.domain.ledger.movement import Balance, InsufficientFunds, Movement, movements
from autospot.domain.ledger.pending import AlreadySettled, HoldExpired, PendingState, settled, state_after
from autospot.domain.ledger.transfer import Cause, CauseKind, Transfer, TransferExists, TransferKind

__all__ = [
    "POINTS",
    "Account",
    "AccountKind",
    "AlreadySettled",
    "Balance",
    "Cause",
    "CauseKind",
    "HoldExpired",
    "InsufficientFunds",
    "Movement",
    "PendingState",
    "Transfer",
    "TransferExists",
    "TransferKind",
    "movements",
    "settled",
    "state_after",
]
