"""What a system has stored and what it serves over REST, brought into the gate's own words."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import datetime
from typing import Any, Final

from bson.codec_options import CodecOptions

from bench.gate import Verdict, judge
from bench.schedule import Said, Schedule, instant_ms
from bench.stack import Database

PROJECTION_SECONDS: Final = 30.0
"""How long `bays` documents may trail behind the screens before the gate calls them wrong."""

PROJECTION_POLL_SECONDS: Final = 0.25


def stored_bays(database: Database, name: str, keys: list[str] | None = None) -> dict[str, dict[str, Said]]:
    """The `bays` collection: lot -> bay -> what it holds, for `keys` ("lot/bay") or for all. `at`: date or RFC 3339."""
    aware: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
    bays = database.client[name].get_collection("bays", codec_options=aware)
    lots: dict[str, dict[str, Said]] = {}
    wanted = {"_id": {"$in": keys}} if keys is not None else {"occupied": {"$ne": None}}
    for bay in bays.find(wanted, {"lot": 1, "bay": 1, "occupied": 1, "at": 1}):
        lots.setdefault(bay["lot"], {})[bay["bay"]] = Said(bay["occupied"], _instant(bay["at"]))
    return lots


def _instant(stored: datetime | str | None) -> int | None:
    if stored is None:
        return None
    return instant_ms(stored) if isinstance(stored, str) else round(stored.timestamp() * 1000)


def judge_database(schedule: Schedule, database: Database, name: str) -> tuple[Verdict, float]:
    """The verdict on `bays` as soon as they are right, or after PROJECTION_SECONDS; and the seconds that took."""
    said, partial = schedule.newest_by_lot(), schedule.load.continues
    keys = [f"{lot}/{bay}" for lot, bays in said.items() for bay in bays] if partial else None
    began = time.monotonic()
    while True:
        verdict = judge("database", said, stored_bays(database, name, keys), partial=partial)
        waited = time.monotonic() - began
        if verdict.passed or waited > PROJECTION_SECONDS:
            return verdict, waited
        time.sleep(PROJECTION_POLL_SECONDS)


def judge_rest(schedule: Schedule, http_url: str) -> Verdict:
    """The verdict on `GET /v1/lots/{lot}/state` of every lot that had readings."""
    said = schedule.newest_by_lot()
    seen = {lot: served_lot(http_url, lot) for lot in said}
    return judge("rest", said, seen, partial=schedule.load.continues)


def served_lot(http_url: str, lot: str) -> dict[str, Said]:
    """What REST shows of one lot."""
    with urllib.request.urlopen(f"{http_url}/v1/lots/{lot}/state", timeout=30) as reply:  # noqa: S310 (own address)
        state = json.load(reply)
    return {bay: _said(view) for bay, view in state["bays"].items()}


def _said(view: dict[str, Any]) -> Said:
    at = view.get("at")
    if view["occupied"] is None or at is None:
        return Said(occupied=None, at_ms=None)
    return Said(view["occupied"], instant_ms(at))
