"""Restarts, outages, lost stream history, several hubs: what is shown stays true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from autospot.clock import SystemClock
from autospot.domain.change import Commit, FeedEntry
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.storage.feed import STREAM_WAIT_MS, CaughtUp, Feed, HistoryLost
from autospot.storage.history import BayHistory
from autospot.storage.mongo import Database
from hub.shard import Shard
from tests.support.hub import Servers, Watcher, reading, running_hub, sensors
from tests.support.lots import a_lot
from tests.support.services import BrokerServer, MongodServer, becomes, eventually


async def test_a_restarted_hub_knows_everything_and_clients_resume_in_the_same_epoch(servers: Servers) -> None:
    async with sensors(servers.mqtt_url) as sensor:
        async with running_hub(servers) as hub:
            await hub.put(a_lot("r1", bays=50))
            async with await Watcher.connect(hub.url, "r1") as screen:
                await sensor.publish("autospot/v1/r1/B00001/reading", reading(True), qos=1)
                await eventually(lambda: screen.state("r1", "B00001") == "occupied")
                known = screen.lots["r1"]
        await sensor.publish("autospot/v1/r1/B00002/reading", reading(True), qos=1)  # the hub is down: the broker waits
        async with running_hub(servers) as hub:
            wish = {"lot": "r1", "epoch": known["epoch"], "rev": known["rev"]}
            async with await Watcher.connect(hub.url, wish) as screen:
                screen.lots["r1"] = known
                await eventually(lambda: screen.state("r1", "B00002") == "occupied")
                async with await Watcher.connect(hub.url, "r1") as fresh:
                    await eventually(lambda: "r1" in fresh.lots)
                    assert fresh.lots["r1"]["bays"] == screen.lots["r1"]["bays"]


async def test_a_bay_that_was_taken_out_and_comes_back_begins_as_unknown_also_after_a_restart(
    servers: Servers,
) -> None:
    async with running_hub(servers, [a_lot("r0", bays=2)]) as hub, sensors(servers.mqtt_url) as sensor:

        async def stored() -> dict[str, bool | None]:
            bays = hub.database.collection("bays").find({"lot": "r0"})
            return {bay["bay"]: bay["occupied"] async for bay in bays}

        await sensor.publish("autospot/v1/r0/B00000/reading", reading(True), qos=1)
        await sensor.publish("autospot/v1/r0/B00001/reading", reading(True), qos=1)
        await becomes(stored, {"B00000": True, "B00001": True})
        await hub.put(a_lot("r0", bays=1))
        await becomes(stored, {"B00000": True})
        await hub.put(a_lot("r0", bays=2))
        await becomes(stored, {"B00000": True, "B00001": None})
        before = {bay.bay: bay.state for bay in hub.live.lots["r0"].bays.values()}
    async with running_hub(servers) as hub:
        assert {bay.bay: bay.state for bay in hub.live.lots["r0"].bays.values()} == before
        assert before == {"B00000": "occupied", "B00001": "unknown"}


async def test_lost_stream_history_begins_a_new_epoch_and_loses_nothing(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()
    follow = Feed.follow

    async def follow_until_lost(feed: Feed, after_rev: int) -> AsyncIterator[Commit | CaughtUp]:
        is_old = not lost.is_set()
        async for event in follow(feed, after_rev):
            if lost.is_set() and is_old:
                raise HistoryLost
            yield event

    monkeypatch.setattr(Feed, "follow", follow_until_lost)
    async with (
        running_hub(servers, [a_lot("r2", bays=3)]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "r2") as screen,
    ):
        await sensor.publish("autospot/v1/r2/B00000/reading", reading(True, "2026-11-22T10:00:00Z"), qos=1)
        await eventually(lambda: screen.state("r2", "B00000") == "occupied")
        old_epoch = hub.live.epoch
        lost.set()
        await sensor.publish("autospot/v1/r2/B00001/reading", reading(True, "2026-11-22T10:00:01Z"), qos=1)
        await eventually(lambda: hub.live.epoch != old_epoch)
        await eventually(lambda: screen.lots["r2"]["epoch"] == hub.live.epoch)
        await eventually(lambda: screen.state("r2", "B00001") == "occupied")
        assert screen.state("r2", "B00000") == "occupied"
        await sensor.publish("autospot/v1/r2/B00002/reading", reading(False), qos=1)
        await eventually(lambda: screen.state("r2", "B00002") == "free")

        async def history_is_whole() -> bool:
            kept = BayHistory(hub.database)
            rows = [[event async for event in kept.newest_first("r2", bay)] for bay in ("B00000", "B00001", "B00002")]
            return all(rows)

        await eventually(history_is_whole)


async def test_whoever_subscribes_during_a_rebuild_ends_with_the_truth(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    holding, lost, rebuilding, go_on = (asyncio.Event() for _ in range(4))
    halted: list[FeedEntry] = []
    follow, since_checkpoint = Feed.follow, Feed.since_checkpoint

    async def follow_until_lost(feed: Feed, after_rev: int) -> AsyncIterator[Commit | CaughtUp]:
        is_old = not lost.is_set()
        async for event in follow(feed, after_rev):
            if holding.is_set() and is_old:
                await lost.wait()
                raise HistoryLost
            yield event

    async def slow_log(feed: Feed, by_stamp: int, margin: timedelta) -> AsyncIterator[FeedEntry]:
        async for entry in since_checkpoint(feed, by_stamp, margin):
            yield entry
            if "r3" in entry.sensors and not go_on.is_set():
                halted.append(entry)
                if len(halted) == 2:  # the fold's reader and the history's
                    rebuilding.set()
                async with asyncio.timeout(10):
                    await go_on.wait()

    monkeypatch.setattr(Feed, "follow", follow_until_lost)
    monkeypatch.setattr(Feed, "since_checkpoint", slow_log)
    async with running_hub(servers, [a_lot("r3", bays=3)]) as hub, sensors(servers.mqtt_url) as sensor:
        await sensor.publish("autospot/v1/r3/B00000/reading", reading(True, "2026-11-22T10:00:00Z"), qos=1)
        await eventually(lambda: hub.live.lots["r3"].bays["B00000"].state == "occupied")
        holding.set()
        await sensor.publish("autospot/v1/r3/B00001/reading", reading(True, "2026-11-22T10:00:01Z"), qos=1)

        async def both_are_in_the_log() -> bool:
            return await hub.database.collection("feed").count_documents({"sensors.r3": {"$exists": True}}) == 2

        await becomes(both_are_in_the_log, True)
        lost.set()
        async with asyncio.timeout(10):
            await rebuilding.wait()
        async with await Watcher.connect(hub.url, "r3") as newcomer:
            await eventually(lambda: newcomer.state("r3", "B00000") == "occupied")
            go_on.set()
            await eventually(lambda: newcomer.lots["r3"]["epoch"] == hub.live.epoch)
            await eventually(lambda: newcomer.state("r3", "B00001") == "occupied")
            async with await Watcher.connect(hub.url, "r3") as fresh:
                await eventually(lambda: "r3" in fresh.lots)
                assert fresh.lots["r3"]["bays"] == newcomer.lots["r3"]["bays"]


async def test_an_empty_answer_of_a_stream_that_is_not_through_yet_makes_nobody_ready(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_answered, is_through = asyncio.Event(), asyncio.Event()
    follow = Feed.follow

    async def follow_slowly(feed: Feed, after_rev: int) -> AsyncIterator[Commit | CaughtUp]:
        yield CaughtUp(after_rev)
        has_answered.set()
        await is_through.wait()
        async for event in follow(feed, after_rev):
            yield event

    monkeypatch.setattr(Feed, "follow", follow_slowly)
    database = Database(servers.mongo_url, servers.db_name)
    follower = Follower(LiveLots(), database, SystemClock())
    following = asyncio.create_task(follower.run())
    async with asyncio.timeout(10):
        await has_answered.wait()
        assert not follower.ready.is_set()
        is_through.set()
        await follower.ready.wait()
    following.cancel()
    await asyncio.wait([following])
    database.close()


async def test_while_the_database_is_away_beats_say_so_and_nothing_is_lost(
    make_mongod: Callable[..., MongodServer], make_broker: Callable[..., BrokerServer]
) -> None:
    mongod, broker = make_mongod(), make_broker()
    async with (
        running_hub(Servers(mongod.url, "away", broker.url), [a_lot("r3", bays=3)]) as hub,
        sensors(broker.url) as sensor,
        await Watcher.connect(hub.url, "r3") as screen,
    ):
        await sensor.publish("autospot/v1/r3/B00000/reading", reading(True), qos=1)
        await eventually(lambda: screen.state("r3", "B00000") == "occupied")
        await asyncio.to_thread(mongod.kill)
        await eventually(lambda: hub.live.behind_since_ms is not None, deadline_seconds=15)
        await sensor.publish("autospot/v1/r3/B00001/reading", reading(True), qos=1)
        await eventually(lambda: any("behind_since" in beat for beat in screen.of_type("beat")))
        assert screen.state("r3", "B00001") == "unknown"
        await asyncio.to_thread(mongod.restart)
        await eventually(lambda: screen.state("r3", "B00001") == "occupied", deadline_seconds=20)
        await eventually(lambda: hub.live.behind_since_ms is None, deadline_seconds=10)
        await eventually(lambda: "behind_since" not in screen.of_type("beat")[-1])


async def test_a_database_that_hangs_is_noticed_and_since_when(
    make_mongod: Callable[..., MongodServer],
    make_broker: Callable[..., BrokerServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autospot.follower.SILENT_SECONDS", 1.5)
    mongod, broker = make_mongod(), make_broker()
    async with (
        running_hub(Servers(mongod.url, "hangs", broker.url), [a_lot("r5")]) as hub,
        await Watcher.connect(hub.url, "r5") as screen,
    ):
        await eventually(lambda: screen.of_type("snapshot"))
        mongod.pause()
        paused_ms = SystemClock().now_ms()
        try:
            await eventually(lambda: any("behind_since" in beat for beat in screen.of_type("beat")))
            assert (hub.live.behind_since_ms or 0) <= paused_ms + STREAM_WAIT_MS
        finally:
            mongod.resume()
        await eventually(lambda: "behind_since" not in screen.of_type("beat")[-1], deadline_seconds=10)


async def test_two_hubs_share_the_lots_and_each_serves_every_screen(servers: Servers) -> None:
    lots = [a_lot(f"s{number}", bays=2) for number in range(4)]
    owners = {lot.lot: Shard(0, 2).owns(lot.lot) for lot in lots}
    assert set(owners.values()) == {True, False}, "the lots must not all fall to one hub"
    async with (
        running_hub(servers, lots, shard=Shard(0, 2)) as first,
        running_hub(servers, shard=Shard(1, 2)) as second,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(first.url, *owners) as one,
        await Watcher.connect(second.url, *owners) as other,
    ):
        for lot in lots:
            await sensor.publish(f"autospot/v1/{lot.lot}/B00000/reading", reading(True), qos=1)
        for screen in (one, other):
            await eventually(lambda screen=screen: {screen.state(lot, "B00000") for lot in owners} == {"occupied"})
        assert first.count("autospot_readings_total", verdict="changed") == sum(owners.values())
        assert second.count("autospot_readings_total", verdict="changed") == len(lots) - sum(owners.values())
        assert one.lots == other.lots


async def test_a_hub_that_divides_the_work_anew_takes_over_from_the_old_division(servers: Servers) -> None:
    async with running_hub(servers, [a_lot("d1"), a_lot("d2")]) as hub, sensors(servers.mqtt_url) as sensor:
        await sensor.publish("autospot/v1/d1/B00000/reading", reading(True), qos=1)
        await eventually(lambda: hub.live.lots["d1"].bays["B00000"].state == "occupied")
    async with (
        running_hub(servers, shard=Shard(0, 2)) as first,
        running_hub(servers, shard=Shard(1, 2)) as second,
    ):
        for hub in (first, second):
            assert hub.live.lots["d1"].bays["B00000"].state == "occupied"

        async def old_checkpoints_are_gone() -> bool:
            marks = first.database.collection("marks")
            names = [row["_id"] async for row in marks.find({"_id": {"$regex": "^checkpoint/bays/"}})]
            return sorted(names) == ["checkpoint/bays/hub/0of2", "checkpoint/bays/hub/1of2"]

        await eventually(old_checkpoints_are_gone, deadline_seconds=10)
