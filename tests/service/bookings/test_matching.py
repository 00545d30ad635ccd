"""Drivers who want a bay at the same moment: each gets one of their own, and nobody could do better for all of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence

import networkx as nx
import pytest

from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.errors import NotFound
from autospot.domain.guidance import SUITABLE, Guide, Wish, recommend
from autospot.domain.lot import Lot
from autospot.domain.period import Period
from autospot.live import LiveLot
from autospot.services.desk.choice import Choice
from autospot.services.desk.matching import Matched, Matching
from autospot.services.guides import Guides
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from sites.harbour import harbour as the_garage
from tests.support.lots import a_lot
from tests.support.office import Harbour, a_harbour

LONG_ENOUGH_FOR_ALL = 0.3


def matching_in(
    harbour: Harbour, choice: Choice | None = None, gather_seconds: float = LONG_ENOUGH_FOR_ALL
) -> Matching:
    guides = Guides()
    return Matching(
        lambda code: harbour.live.lots[code],
        guides,
        choice or Choice(harbour.office.calendars, guides),
        harbour.office.keeper,
        harbour.clock,
        gather_seconds,
    )


async def ask(matching: Matching, wishes: Sequence[Wish], name: str = "asg") -> list[Matched | BaseException]:
    asked = (matching.bay_for("harbour", wish, f"{name}_{number}") for number, wish in enumerate(wishes))
    return await asyncio.gather(*asked, return_exceptions=True)


def bays_of(answers: Sequence[Matched | BaseException]) -> list[str]:
    return [answer.bay.bay for answer in answers if isinstance(answer, Matched)]


def many_wishes(seed: int, lot: Lot, drivers: int) -> list[Wish]:
    """What drivers of a garage want, from every entrance to every door."""
    dice = random.Random(seed)
    kinds = [SUITABLE["general"]] * 6 + [SUITABLE["disabled"], SUITABLE["family"], SUITABLE["ev"]]
    return [
        Wish(
            entrance=dice.choice([None, *(each.entrance for each in lot.entrances)]),
            destination=dice.choice([None, *(each.door for each in lot.doors)]),
            kinds=dice.choice(kinds),
            step_free=dice.random() < 0.2,
        )
        for _ in range(drivers)
    ]


def could_be_cheaper(costs: Sequence[Mapping[str, int]], given: Sequence[str]) -> bool:
    """True if some drivers could hand their bays on, the last one taking a free bay, and all together be better off.

    That is a cycle of negative length in the residual network, and where there is none the deal is the cheapest (Ahuja,
    Magnanti and Orlin, Network Flows, theorem 3.8).
    """
    residual: nx.DiGraph[str] = nx.DiGraph()
    for driver, (row, bay) in enumerate(zip(costs, given, strict=True)):
        residual.add_edge(f"bay {bay}", f"driver {driver}", weight=-row[bay])
        residual.add_edge("nobody", f"bay {bay}", weight=0)
        for other, cost in row.items():
            if other != bay:
                residual.add_edge(f"driver {driver}", f"bay {other}", weight=cost)
                if other not in given:
                    residual.add_edge(f"bay {other}", "nobody", weight=0)
    return bool(nx.negative_edge_cycle(residual))


@pytest.mark.parametrize("seed", [1, 2])
async def test_fifty_at_once_get_fifty_bays_and_no_other_deal_is_cheaper(database: Database, seed: int) -> None:
    harbour = await a_harbour(database, lot=the_garage())
    guide = Guide(the_garage())
    wishes = many_wishes(seed, the_garage(), 50)
    given = bays_of(await ask(matching_in(harbour), wishes))

    assert len(given) == len(set(given)) == 50
    costs = [{each.bay.bay: each.cost for each in recommend(guide, set(guide.codes), wish, 300)} for wish in wishes]
    assert not could_be_cheaper(costs, given), f"seed {seed}"
    left = {bay: cost for bay, cost in costs[0].items() if bay not in given}
    assert could_be_cheaper(costs, [max(left, key=left.__getitem__), *given[1:]]), "the judge sees nothing"


async def test_fifty_assignments_at_once_stand_in_the_calendars_and_on_the_screens(database: Database) -> None:
    harbour = await a_harbour(database, lot=the_garage())
    wishes = many_wishes(3, the_garage(), 50)
    made = await asyncio.gather(
        *(
            harbour.office.assigning.assign(f"usr_{number}", "harbour", wish, Unkept())
            for number, wish in enumerate(wishes)
        )
    )
    await harbour.read_feed()

    bays = {assignment.bay for assignment in made}
    assert len(bays) == 50
    assert bays == {bay.bay for bay in harbour.live.lots["harbour"].bays.values() if bay.state == "assigned"}
    for assignment in made:
        (promise,) = await harbour.office.calendars.promises("harbour", assignment.bay)
        assert promise.id == assignment.promise


async def test_two_processes_never_deal_the_same_bay(database: Database) -> None:
    harbour = await a_harbour(database, lot=a_lot("harbour", 30))
    wishes = [Wish()] * 12
    first, second = await asyncio.gather(
        ask(matching_in(harbour), wishes, "asg_a"), ask(matching_in(harbour), wishes, "asg_b")
    )
    given = bays_of([*first, *second])
    assert len(given) == len(set(given)) == 24


async def test_where_there_are_too_few_bays_the_rest_are_told(database: Database) -> None:
    harbour = await a_harbour(database, bays=5)
    answers = await ask(matching_in(harbour), [Wish()] * 8)
    assert len(set(bays_of(answers))) == 5
    refusals = [answer for answer in answers if isinstance(answer, BaseException)]
    assert [type(refusal) for refusal in refusals] == [BayTaken] * 3
    assert isinstance(answers[0], Matched), "who asked first is not the one who gets none"


async def test_who_names_a_place_that_is_not_there_is_refused_alone(database: Database) -> None:
    harbour = await a_harbour(database, lot=the_garage())
    lost, found = await ask(matching_in(harbour), [Wish(entrance="moon"), Wish()])
    assert isinstance(lost, NotFound)
    assert lost.code == "no_such_place"
    assert isinstance(found, Matched)


async def test_only_what_is_seen_to_be_free_is_dealt(database: Database) -> None:
    harbour = await a_harbour(database, bays=4)
    await harbour.sensor(True, bay="B00000")
    await harbour.sensor(None, bay="B00001")
    await harbour.book(Period(harbour.clock.now(), harbour.clock.now().replace(hour=20)), bay="B00002")
    assert bays_of(await ask(matching_in(harbour), [Wish()] * 4)) == ["B00003"]


class Overtaken(Choice):
    """Somebody books the best bay just after it was seen to be free."""

    def __init__(self, harbour: Harbour) -> None:
        super().__init__(harbour.office.calendars, Guides())
        self._harbour = harbour
        self._is_late = False

    async def vacant(self, live: LiveLot, period: Period) -> frozenset[str]:
        seen = await super().vacant(live, period)
        if not self._is_late:
            self._is_late = True
            now = self._harbour.clock.now()
            await self._harbour.book(Period(now, now.replace(hour=20)), bay="B00000")
        return seen


async def test_who_is_overtaken_by_a_booking_is_dealt_another_bay(database: Database) -> None:
    harbour = await a_harbour(database)
    given = bays_of(await ask(matching_in(harbour, Overtaken(harbour)), [Wish()] * 2))
    assert sorted(given) == ["B00001", "B00002"]


async def test_who_asks_alone_does_not_wait_for_long(database: Database) -> None:
    harbour = await a_harbour(database)
    matching = matching_in(harbour, gather_seconds=0.01)
    async with asyncio.timeout(5):
        for number in range(3):
            assert bays_of(await ask(matching, [Wish()], f"asg_{number}"))
