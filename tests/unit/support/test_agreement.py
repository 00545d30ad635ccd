"""The judge finds each thing that was made to disagree, and nothing in books that agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.support.agreement import Books, Row, disagreements
from tests.support.bookings import at


def booking(name: str, start: int, until: int, **more: Any) -> dict[str, Any]:
    row = {"_id": f"bkg_{name}", "bay": "B1", "from": at(start), "until": at(until), "promise": f"prm_{name}"}
    return {**row, "state": "confirmed", "claimed": False, "session": None, "paid": 400, **more}


def promise(name: str, start: int, until: int, ref: str | None = None, bay: str = "B1") -> dict[str, Any]:
    return {"bay": bay, "id": f"prm_{name}", "ref": ref or f"bkg_{name}", "from": at(start), "until": at(until)}


def session(name: str, began_at: datetime, ended_at: datetime | None, **more: Any) -> dict[str, Any]:
    row = {"_id": f"ses_{name}", "bay": "B1", "began_at": began_at, "ended_at": ended_at, "booking": None}
    return {**row, "state": "settled" if ended_at else "running", "paid": 0, "booked": 0, **more}


def payment(kind: str, subject: str, captured: int, *refunds: Row) -> dict[str, Any]:
    return {"subject": {"kind": kind, "id": subject}, "captured": captured, "refunds": list(refunds)}


def refund(amount: int, state: str = "succeeded") -> Row:
    return {"amount": amount, "state": state, "to_wallet": False}


def books_that_agree() -> Books:
    """A is parked, B comes after him, C was there before and has left, D was cancelled, E is on the way to B2."""
    return Books(
        bookings=[
            booking("a", 10, 12, state="active", claimed=True, session="ses_a"),
            booking("b", 12, 14),
            booking("c", 8, 10, state="completed", session="ses_c"),
            booking("d", 11, 13, state="cancelled", paid=200),
        ],
        assignments=[{"_id": "asg_e", "bay": "B2", "promise": "prm_e", "state": "waiting"}],
        sessions=[
            session("a", at(10), None, booking="bkg_a"),
            session("c", at(8), at(10), booking="bkg_c", paid=400, booked=400),
            session("f", at(6), at(8), paid=300),
        ],
        payments=[
            payment("booking", "bkg_a", 400),
            payment("booking", "bkg_b", 300),
            payment("booking", "bkg_b", 100),
            payment("booking", "bkg_c", 400),
            payment("booking", "bkg_d", 400, refund(200), refund(200, "failed")),
            payment("session", "ses_f", 300),
            payment("subscription", "sub_1", 9_900),
        ],
        promises=[promise("a", 10, 12), promise("b", 12, 14), promise("e", 10, 11, "asg_e", "B2")],
        claims=[
            {"bay": "B1", "kind": "reserved", "ref": "bkg_a"},
            {"bay": "B2", "kind": "assigned", "ref": "asg_e"},
        ],
    )


def test_books_that_agree_are_not_faulted() -> None:
    assert disagreements(books_that_agree(), at(11)) == []


Plant = Callable[[Books], object]

PLANTS: list[tuple[Plant, str]] = [
    (lambda books: books.promises.pop(0), "bkg_a has no promise of B1"),
    (lambda books: books.promises.pop(2), "asg_e has no promise of B2"),
    (lambda books: books.promises.append(promise("z", 15, 16)), "B1 is promised to bkg_z, which does not need it"),
    (lambda books: books.promises.append(promise("d", 11, 13)), "B1 is promised to bkg_d, which does not need it"),
    (
        lambda books: books.promises.append({**books.promises[0], "id": "prm_old"}),
        "B1 is promised to bkg_a, which does not need it",
    ),
    (
        lambda books: books.promises.__setitem__(1, promise("b", 12, 15)),
        "B1 is promised to bkg_b, which does not need it",
    ),
    (lambda books: books.claims.pop(0), "bkg_a claims B1, and it is not shown reserved"),
    (
        lambda books: books.claims.append({"bay": "B1", "kind": "reserved", "ref": "bkg_c"}),
        "B1 is shown reserved for bkg_c, which does not claim it",
    ),
    (lambda books: books.sessions.pop(0), "bkg_a is active without a session"),
    (
        lambda books: books.sessions.append(session("g", at(9), None, booking="bkg_b", bay="B3")),
        "ses_g runs, and bkg_b is not active there",
    ),
    (lambda books: books.sessions.append(session("g", at(11), None)), "2 sessions run on B1"),
    (lambda books: books.sessions.append(session("g", at(7), at(9))), "ses_f and ses_g were both on B1"),
    (lambda books: books.payments.pop(0), "bkg_a says 400 was paid, its payments kept 0"),
    (
        lambda books: books.payments.append(payment("booking", "bkg_d", 100)),
        "bkg_d says 200 was paid, its payments kept 300",
    ),
    (
        lambda books: books.payments.append(payment("booking", "bkg_z", 100)),
        "bkg_z says 0 was paid, its payments kept 100",
    ),
    (lambda books: books.payments.pop(5), "ses_f says 300 was paid, its payments kept 0"),
]


@pytest.mark.parametrize(("plant", "found"), PLANTS)
def test_what_was_planted_is_found(plant: Plant, found: str) -> None:
    books = books_that_agree()
    plant(books)
    assert found in disagreements(books, at(11))


def test_two_open_bookings_of_one_time_are_found() -> None:
    books = books_that_agree()
    books.bookings.append(booking("x", 11, 13, paid=0))
    books.promises.append(promise("x", 11, 13))
    assert disagreements(books, at(11)) == ["bkg_a and bkg_x overlap on B1", "bkg_x and bkg_b overlap on B1"]


def test_who_stays_too_long_needs_no_promise_any_more() -> None:
    books = books_that_agree()
    books.promises.pop(0)
    assert disagreements(books, at(12)) == []
