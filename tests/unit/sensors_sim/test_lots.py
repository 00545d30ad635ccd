"""The simulator takes from a lot file what it needs and says where it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sensors_sim.lots import Bay, LotFileError, Sensor, read_lots
from sensors_sim.simulation import uses_of
from tests.unit.sensors_sim.building import a_lot


def a_file(*bays: dict[str, Any], **lot: Any) -> bytes:
    fields = {"lot": "harbour", "time_zone": "Europe/Berlin", "bays": list(bays) or [{"bay": "B01"}]} | lot
    return json.dumps({"lots": [fields]}).encode()


def test_a_bay_without_a_sensor_is_watched_by_one_of_its_own_name() -> None:
    (lot,) = read_lots(a_file({"bay": "B01", "kind": "ev"}))
    assert (lot.code, lot.zone.key) == ("harbour", "Europe/Berlin")
    assert lot.bays == (Bay("B01", "ev", Sensor("B01")),)


def test_a_sensor_keeps_its_model_gateway_and_heartbeat() -> None:
    sensor = {"id": "70B3D50000000001", "model": "bosch-tps110", "gateway": "gw1", "heartbeat_seconds": 3600}
    (lot,) = read_lots(a_file({"bay": "B01", "sensor": sensor}))
    assert lot.bays[0].sensor == Sensor("70b3d50000000001", "bosch-tps110", "gw1", 3600)


def test_a_model_that_is_not_simulated_speaks_the_native_contract() -> None:
    (lot,) = read_lots(a_file({"bay": "B01", "sensor": {"id": "S1", "model": "dingtek-do200"}}))
    assert lot.bays[0].sensor == Sensor("S1", "native")


def test_fields_that_are_not_needed_are_ignored() -> None:
    (lot,) = read_lots(a_file({"bay": "B01", "x": 1.5, "level": "P1"}, currency="EUR", nodes=[{"node": "N1"}]))
    assert len(lot.bays) == 1


def test_a_lot_is_used_as_told_or_as_its_storeys_suggest() -> None:
    (street,) = read_lots(a_file(lot="street", levels=[{"level": "0", "ordinal": 0}]))
    (garage,) = read_lots(a_file(lot="garage", levels=[{"level": "P1", "ordinal": -1}, {"level": "P2", "ordinal": 1}]))
    assert uses_of([street, garage, a_lot("works")], {"works": "office"}) == {
        "street": "street",
        "garage": "mixed",
        "works": "office",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{", "not a lot file"),
        (b"\xff", "not a lot file"),
        (b'{"lots": []}', "no lot"),
        (b'{"lots": [{"lot": "harbour"}]}', r"bays.*\$.lots\[0\]"),
        (a_file({"bay": 3}), r"\$.lots\[0\].bays\[0\].bay"),
        (a_file({"bay": "B 1"}), r"A-Z.*\$.lots\[0\].bays\[0\].bay"),
        (a_file(lot="har/bour"), r"A-Z.*\$.lots\[0\].lot"),
        (a_file(time_zone="Europe/Atlantis"), r"time zone.*\$.lots\[0\].time_zone"),
        (a_file(time_zone="../../etc/passwd"), r"time zone.*\$.lots\[0\].time_zone"),
        (a_file({"bay": "B01"}, {"bay": "B01"}), r"twice.*bays\[0\].bay.*bays\[1\].bay"),
        (a_file({"bay": "B01", "sensor": {"id": "B02"}}, {"bay": "B02"}), r"twice.*sensor"),
        (a_file({"bay": "B01", "sensor": {"id": "S1", "model": "fleximodo"}}), r"16 hex.*bays\[0\].sensor.id"),
        (a_file({"bay": "B01", "sensor": {"id": "S1", "heartbeat_seconds": 0}}), "heartbeat_seconds"),
        (a_file({"bay": "B01", "sensor": {"id": "S1", "gateway": "a/b"}}), r"sensor.gateway"),
    ],
)
def test_a_wrong_file_is_refused_and_the_place_is_named(text: bytes, complaint: str) -> None:
    with pytest.raises(LotFileError, match=complaint):
        read_lots(text)


def test_one_lorawan_device_cannot_watch_two_lots() -> None:
    sensor = {"id": "70b3d50000000001", "model": "bosch-tps110"}
    lots = [{"lot": lot, "bays": [{"bay": "B01", "sensor": sensor}]} for lot in ("harbour", "airport")]
    with pytest.raises(LotFileError, match=r"lot harbour, bay B01.*lot airport, bay B01"):
        read_lots(json.dumps({"lots": lots}).encode())
