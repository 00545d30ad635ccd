"""The transfers that each step of a payment makes. Ids derive from the payment's, so a step can only happen once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from autospot.domain.ledger import Cause, CauseKind, Transfer
from autospot.domain.ledger.account import COMPENSATION, POINTS, POINTS_ISSUE, clearing, fees, points, vat, wallet
from autospot.domain.payment.payment import Payment, Refund, vat_within

REFUND_HOLD: Final = timedelta(days=365)
"""Longer than any gateway takes to say how a refund ended: such a hold does not run out."""


def hold_entry(payment: Payment, at: datetime, until: datetime) -> Transfer:
    """The whole amount is held, from its source to its target."""
    return Transfer.pending(
        payment.part_id("trf", "hold"),
        payment.source,
        payment.target,
        payment.amount.amount,
        payment.amount.currency,
        Cause(CauseKind.PAYMENT, payment.id),
        at,
        until,
    )


def capture_entries(payment: Payment, amount: int, hold: Transfer | None, at: datetime) -> Sequence[Transfer]:
    """`amount` reaches the target: out of `hold` where there is one that lasts, else directly; then the VAT in it.

    What a gateway collected counts whether or not AutoSpot still holds it.
    """
    kind = CauseKind.TOP_UP if payment.subject is None else CauseKind.PAYMENT
    entry_id, cause = payment.part_id("trf", "capture"), Cause(kind, payment.id)
    if hold is not None:
        entry = hold.posting(entry_id, amount, cause, at)
    else:
        entry = Transfer.posted(entry_id, payment.source, payment.target, amount, payment.amount.currency, cause, at)
    return [entry, *vat_entries(payment, 0, amount, "capture", at)]


def release_entry(payment: Payment, hold: Transfer, at: datetime, *, is_expiry: bool = False) -> Transfer:
    """A hold of this payment, or of a refund of it, is given back."""
    kind = CauseKind.EXPIRY if is_expiry else CauseKind.RELEASE
    return hold.voiding(payment.part_id("trf", f"release:{hold.id}"), Cause(kind, payment.id), at)


def fee_entry(payment: Payment, fee: int, at: datetime) -> Sequence[Transfer]:
    """What the gateway keeps of a card payment: it owes the operator that much less."""
    if not fee or payment.card is None:
        return ()
    provider, cause = payment.card.provider, Cause(CauseKind.PROVIDER_FEE, payment.id)
    currency, entry_id = payment.amount.currency, payment.part_id("trf", "fee")
    return [Transfer.posted(entry_id, fees(provider), clearing(provider), fee, currency, cause, at)]


def vat_entries(payment: Payment, kept_before: int, kept_after: int, part: str, at: datetime) -> Sequence[Transfer]:
    """VAT follows what is kept: of every sum of captures and refunds exactly the VAT of that sum is set aside."""
    if payment.lot is None:
        return ()
    rate = payment.vat_basis_points
    difference = vat_within(kept_after, rate) - vat_within(kept_before, rate)
    if not difference:
        return ()
    sides = (payment.target, vat(payment.lot)) if difference > 0 else (vat(payment.lot), payment.target)
    entry_id, cause = payment.part_id("trf", f"vat:{part}"), Cause(CauseKind.VAT, payment.id)
    return [Transfer.posted(entry_id, *sides, abs(difference), payment.amount.currency, cause, at)]


def refund_entries(payment: Payment, refund: Refund, hold: Transfer | None, at: datetime) -> Sequence[Transfer]:
    """A refund reaches its destination, out of `hold` where there is one, and the VAT in it is taken back.

    `payment` is the one in which this refund is not settled yet.
    """
    entry_id, cause = payment.part_id("trf", refund.id), Cause(CauseKind.REFUND, payment.id)
    if hold is not None:
        entry = hold.posting(entry_id, refund.amount, cause, at)
    else:
        to = wallet(payment.user_id) if refund.to_wallet else payment.source
        currency = payment.amount.currency
        entry = Transfer.posted(entry_id, payment.target, to, refund.amount, currency, cause, at)
    before = payment.settled
    return [entry, *vat_entries(payment, before, before - refund.amount, refund.id, at)]


def refund_hold(payment: Payment, refund: Refund, at: datetime) -> Transfer:
    """A refund on its way to a card: held until the gateway says how it ended."""
    return Transfer.pending(
        refund_hold_id(payment, refund),
        payment.target,
        payment.source,
        refund.amount,
        payment.amount.currency,
        Cause(CauseKind.REFUND, payment.id),
        at,
        at + REFUND_HOLD,
    )


def refund_hold_id(payment: Payment, refund: Refund) -> str:
    """The id of the transfer that holds a refund."""
    return payment.part_id("trf", f"hold:{refund.id}")


def late_entry(payment: Payment, amount: int, at: datetime) -> Transfer:
    """What was collected for a payment that had been given up goes to the wallet."""
    cause, to = Cause(CauseKind.TOP_UP, payment.id), wallet(payment.user_id)
    entry_id, currency = payment.part_id("trf", "late"), payment.amount.currency
    return Transfer.posted(entry_id, payment.source, to, amount, currency, cause, at)


def compensation_entry(entry_id: str, user_id: str, amount: int, currency: str, subject: str, at: datetime) -> Transfer:
    """The operator makes good for trouble."""
    cause = Cause(CauseKind.COMPENSATION, subject)
    return Transfer.posted(entry_id, COMPENSATION, wallet(user_id), amount, currency, cause, at)


def points_earned(payment: Payment, count: int, at: datetime) -> Transfer:
    """Points for what was paid."""
    cause, entry_id = Cause(CauseKind.POINTS_EARNED, payment.id), payment.part_id("trf", "points")
    return Transfer.posted(entry_id, POINTS_ISSUE, points(payment.user_id), count, POINTS, cause, at)


def points_taken_back(payment: Payment, refund: Refund, count: int, at: datetime) -> Transfer:
    """The points of what went back."""
    cause, entry_id = Cause(CauseKind.POINTS_TAKEN_BACK, payment.id), payment.part_id("trf", f"points:{refund.id}")
    return Transfer.posted(entry_id, points(payment.user_id), POINTS_ISSUE, count, POINTS, cause, at)


def points_spent(entry_id: str, user_id: str, count: int, subject: str, at: datetime) -> Transfer:
    """Points become a discount."""
    cause = Cause(CauseKind.POINTS_REDEEMED, subject)
    return Transfer.posted(entry_id, points(user_id), POINTS_ISSUE, count, POINTS, cause, at)
