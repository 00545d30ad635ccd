"""LiveLots: the fold of the feed in memory, every bay of every lot with the position of its last change.

A fold only: it can be thrown away and made again from the `bays` documents and the feed. It knows no sockets, no
database and no clock, and everything here happens between two awaits of the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from autospot.domain.bay import STATES, Claim, Closure, State, in_conflict, shown_state
from autospot.domain.change import ClaimChange, Commit, SensorChange
from autospot.domain.instant import rfc3339_ms
from autospot.domain.lot import Lot

_STATE_NUMBER = {state: number for number, state in enumerate(STATES)}
_STATES_PER_KIND = 8
"""Room for every state in one byte beside up to 32 kinds."""


class LiveBay:
    """One bay as it is now. `rev` is the position of its last change, 0 before the first."""

    __slots__ = ("at_ms", "bay", "claim", "closure", "number", "occupied", "rev", "since_ms", "state")

    def __init__(self, bay: str, number: int) -> None:
        self.bay = bay
        self.number = number
        self.occupied: bool | None = None
        self.since_ms: int | None = None
        self.at_ms: int | None = None
        self.claim: Claim | None = None
        self.closure: Closure | None = None
        self.rev = 0
        self.state: State = "unknown"

    def view(self) -> dict[str, Any]:
        """What clients are told of this bay (realtime contract, section 3)."""
        at_ms, since_ms = self.at_ms, self.since_ms
        at = None if at_ms is None else rfc3339_ms(at_ms)
        since = at if since_ms == at_ms else None if since_ms is None else rfc3339_ms(since_ms)
        view: dict[str, Any] = {"state": self.state, "occupied": self.occupied, "since": since, "at": at}
        if self.occupied is None:
            view["stale"] = True
        if self.claim is not None:
            view["claim"] = self.claim.kind
            view["until"] = rfc3339_ms(self.claim.until_ms)
            if in_conflict(self.occupied, self.since_ms, self.claim):
                view["conflict"] = True
        return view

    def member(self) -> str:
        """`"code":view` as JSON. Almost every bay is in one of two simple cases, which take 0.8 us instead of 3.5, and
        0.2 where nobody has ever spoken: then all of a lot's bays are so, and 64 lots may be asked for at once."""
        at_ms = self.at_ms
        if at_ms is None and self.since_ms is None and self.occupied is None and self.claim is None:
            return f'"{self.bay}":{{"state":"{self.state}","occupied":null,"since":null,"at":null,"stale":true}}'
        if self.occupied is None or self.claim is not None or at_ms is None or self.since_ms is None:
            return f'"{self.bay}":{orjson.dumps(self.view()).decode()}'
        at = rfc3339_ms(at_ms)
        since = at if self.since_ms == at_ms else rfc3339_ms(self.since_ms)
        occupied = "true" if self.occupied else "false"
        return f'"{self.bay}":{{"state":"{self.state}","occupied":{occupied},"since":"{since}","at":"{at}"}}'


class LiveLot:
    """One lot as it is now.

    `rev` is the position of its last change, `layout_rev` that of its layout: whoever's position is older must take a
    snapshot, since a delta cannot remove bays. `bays` is kept in the order of the last change, oldest first, so that
    "what did I miss?" walks back from the end and costs what it answers. `counts` are derived from the bays each time:
    one byte per bay says kind and state, and counting a byte value in 500 bytes takes 60 ns.
    """

    def __init__(self, layout: Lot, layout_rev: int, rev: int) -> None:
        self.lot = layout.lot
        self.layout = layout
        self.layout_rev = layout_rev
        self.rev = rev
        self.bays: dict[str, LiveBay] = {}
        self._kinds = sorted({bay.kind for bay in layout.bays})
        first_byte = {kind: number * _STATES_PER_KIND for number, kind in enumerate(self._kinds)}
        self._kind_bytes = [first_byte[bay.kind] for bay in layout.bays]
        self._shown = bytearray(number + _STATE_NUMBER["unknown"] for number in self._kind_bytes)
        for number, bay in enumerate(layout.bays):
            self.bays[bay.bay] = LiveBay(bay.bay, number)

    def change_sensor(self, change: SensorChange, rev: int) -> None:
        """The sensor's half of a bay is now as `change` says. Ignored for a bay that the layout no longer has, and for
        a position the bay already has."""
        bay = self.bays.get(change.bay)
        if bay is not None and rev >= bay.rev:
            bay.occupied, bay.since_ms, bay.at_ms = change.occupied, change.since_ms, change.at_ms
            self._changed(bay, rev)

    def change_claim(self, change: ClaimChange, rev: int) -> None:
        """The people's half of a bay is now as `change` says. Ignored as in `change_sensor`."""
        bay = self.bays.get(change.bay)
        if bay is not None and rev >= bay.rev:
            bay.claim, bay.closure = change.claim, change.closure
            self._changed(bay, rev)

    def restore(self, sensor: SensorChange, claim: ClaimChange, rev: int) -> None:
        """Puts a bay back as it was at `rev`; the caller does so in the order of `rev`."""
        self.change_sensor(sensor, rev)
        self.change_claim(claim, rev)

    def _changed(self, bay: LiveBay, rev: int) -> None:
        bay.state = state = shown_state(bay.occupied, bay.claim, bay.closure)
        bay.rev = rev
        if rev > self.rev:
            self.rev = rev
        self._shown[bay.number] = self._kind_bytes[bay.number] + _STATE_NUMBER[state]
        del self.bays[bay.bay]
        self.bays[bay.bay] = bay

    def changed_since(self, rev: int) -> Iterator[LiveBay]:
        """Every bay whose last change is after `rev`, newest first."""
        for bay in reversed(self.bays.values()):
            if bay.rev <= rev:
                return
            yield bay

    def counts(self) -> dict[str, dict[State, int]]:
        """Bays per kind and state, and `total` over all kinds. `total` names every state; a kind only those that occur:
        every byte here is sent to every screen."""
        count = self._shown.count
        total: dict[State, int] = dict.fromkeys(STATES, 0)
        counts: dict[str, dict[State, int]] = {}
        for number, kind in enumerate(self._kinds):
            base = number * _STATES_PER_KIND
            of_kind = {state: count(base + offset) for offset, state in enumerate(STATES)}
            for state, bays in of_kind.items():
                total[state] += bays
            counts[kind] = {state: bays for state, bays in of_kind.items() if bays}
        counts["total"] = total
        return counts


class LiveLots:
    """Every lot as it is now, at position `rev` of the history named `epoch`.

    `apply` and the loading methods run in one step of the event loop; whoever must know is called in the same step,
    with the lots that changed, and must neither raise nor take long.
    """

    def __init__(self) -> None:
        self.epoch = ""
        self.rev = 0
        self.behind_since_ms: int | None = None
        """When the database was last heard, while it is not; None while all is well."""
        self.lots: dict[str, LiveLot] = {}
        self._listeners: list[Callable[[Iterable[LiveLot]], None]] = []

    def listen(self, listener: Callable[[Iterable[LiveLot]], None]) -> None:
        """Calls `listener` with the changed lots after every step that changed any."""
        self._listeners.append(listener)

    def lot(self, lot: str) -> LiveLot | None:
        """The lot, if there is one of that code."""
        return self.lots.get(lot)

    def begin(self, epoch: str, rev: int, layouts: Iterable[tuple[Lot, int]]) -> None:
        """Forgets everything and begins again from these layouts, each with a position not before its last change;
        bays are unknown until restored or applied."""
        self.epoch, self.rev = epoch, rev
        self.lots = {layout.lot: LiveLot(layout, layout_rev, min(layout_rev, rev)) for layout, layout_rev in layouts}

    def settle(self, rev: int) -> None:
        """What was begun has caught up: every layout and every change up to `rev` is in. A layout was given a position
        that was certainly not too early; from now on who knows this fold at its present position knows the layout."""
        self.rev = max(self.rev, rev)
        for lot in self.lots.values():
            lot.layout_rev = min(lot.layout_rev, self.rev)
            lot.rev = max(lot.rev, lot.layout_rev)

    def put_layout(self, layout: Lot, rev: int) -> None:
        """A lot is new or its layout changed: what is known of the bays that stay is kept."""
        before = self.lots.get(layout.lot)
        after = LiveLot(layout, rev, rev)
        if before is not None:
            for known in list(before.bays.values()):
                after.restore(
                    SensorChange(known.bay, known.occupied, known.since_ms, known.at_ms),
                    ClaimChange(known.bay, known.claim, known.closure),
                    known.rev,
                )
            after.rev = max(rev, before.rev)
        self.lots[layout.lot] = after
        self.tell([after])

    def apply(self, commit: Commit) -> None:
        """Folds one commit in and tells the listeners. Layouts in it are the follower's to load (`put_layout`)."""
        self.rev = max(self.rev, commit.rev)
        touched: dict[str, LiveLot] = {}
        for code, changes in commit.entry.sensors.items():
            if lot := self.lots.get(code):
                touched[code] = lot
                for change in changes:
                    lot.change_sensor(change, commit.rev)
        for code, claim_changes in commit.entry.claims.items():
            if lot := self.lots.get(code):
                touched[code] = lot
                for claim_change in claim_changes:
                    lot.change_claim(claim_change, commit.rev)
        if touched:
            self.tell(touched.values())

    def tell(self, lots: Iterable[LiveLot]) -> None:
        """Calls every listener with `lots`."""
        for listener in self._listeners:
            listener(lots)


def views_of(bays: Iterable[LiveBay]) -> orjson.Fragment:
    """`{bay: view}` as frames and answers carry it, ready to go into either. A bay's code needs no escaping
    (`autospot.domain.lot`)."""
    return orjson.Fragment("{" + ",".join([bay.member() for bay in bays]) + "}")


def snapshot_of(lot: LiveLot, epoch: str, at_ms: int) -> dict[str, Any]:
    """All that is known of a lot, in the shape of the websocket's `snapshot` without its `type`, for orjson."""
    return {
        "lot": lot.lot,
        "epoch": epoch,
        "rev": lot.rev,
        "at": rfc3339_ms(at_ms),
        "layout": lot.layout.version,
        "bays": views_of(lot.bays.values()),
        "counts": lot.counts(),
    }


def snapshot_bytes(lot: LiveLot, epoch: str, at_ms: int) -> bytes:
    """`snapshot_of` as JSON."""
    return orjson.dumps(snapshot_of(lot, epoch, at_ms))
