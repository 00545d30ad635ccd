"""What LoRaWAN network servers publish on MQTT when a frame comes in: (topic, JSON) in the current shape of each.

Ids that a server would make up (UUIDs, addresses, gateway EUIs) are derived from the reading, so that the same reading
always gives the same bytes. The frame counter is `seq` - 1, within the session that `boot` names.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from sensors_sim.frames import LORAWAN_MODELS
from sensors_sim.pace import rfc3339
from sensors_sim.reading import Reading

SERVER_DELAY_MS = 120
"""From the gateway's antenna to the network server; captured uplinks show 129 ms."""

FREQUENCY_HZ, BANDWIDTH_HZ, SPREADING_FACTOR, DATA_RATE = 868_100_000, 125_000, 7, 5


def chirpstack_v4(reading: Reading) -> tuple[str, bytes]:
    """A ChirpStack `up` event as 4.6 and later publish it: every default written, `gwTime` and `nsTime` in place of one
    `time`, `deviceClassEnabled`, `regionConfigId`.

    Source: chirpstack-docs, integrations/events.md; chirpstack, integration.proto."""
    port, frame = LORAWAN_MODELS[reading.sensor.model].frame(reading)
    application = _uuid("application", reading.lot)
    event = {
        "deduplicationId": _uuid("uplink", reading.sensor.id, reading.boot, reading.seq),
        "time": _instant(reading.at_ms, "+00:00"),
        "deviceInfo": _chirpstack_device(reading, application),
        "devAddr": _hex("address", 4, reading.sensor.id, reading.boot),
        "adr": True,
        "dr": DATA_RATE,
        "fCnt": _frame_counter(reading),
        "fPort": port,
        "confirmed": False,
        "data": _base64(frame),
        "rxInfo": [_chirpstack_reception(reading)],
        "txInfo": {
            "frequency": FREQUENCY_HZ,
            "modulation": {
                "lora": {"bandwidth": BANDWIDTH_HZ, "spreadingFactor": SPREADING_FACTOR, "codeRate": "CR_4_5"}
            },
        },
        "regionConfigId": "eu868",
    }
    return f"application/{application}/device/{reading.sensor.id}/event/up", orjson.dumps(event)


def _chirpstack_device(reading: Reading, application: str) -> dict[str, Any]:
    return {
        "tenantId": _uuid("tenant"),
        "tenantName": "AutoSpot simulator",
        "applicationId": application,
        "applicationName": reading.lot,
        "deviceProfileId": _uuid("profile", reading.sensor.model),
        "deviceProfileName": LORAWAN_MODELS[reading.sensor.model].profile,
        "deviceName": reading.sensor.id,
        "devEui": reading.sensor.id,
        "deviceClassEnabled": "CLASS_A",
        "tags": {"lot": reading.lot, "model": reading.sensor.model},
    }


def _chirpstack_reception(reading: Reading) -> dict[str, Any]:
    return {
        "gatewayId": _gateway_eui(reading),
        "uplinkId": _frame_counter(reading) + 1,
        "gwTime": _instant(reading.at_ms, "+00:00"),
        "nsTime": _instant(reading.at_ms + SERVER_DELAY_MS, "+00:00"),
        "rssi": reading.rssi,
        "snr": reading.snr,
        "location": {},
        "metadata": {"region_common_name": "EU868", "region_config_id": "eu868"},
        "context": _base64(_frame_counter(reading).to_bytes(4, "big")),
        "crcStatus": "CRC_OK",
    }


def things_stack_v3(reading: Reading) -> tuple[str, bytes]:
    """A The Things Stack v3 uplink: EUIs in upper case, numbers 0 left out, the frequency as text.

    Source: lorawan-stack-docs, integrations/data-formats."""
    application, eui = f"autospot-{_things_id(reading.lot)}", reading.sensor.id
    document = {
        "end_device_ids": {
            "device_id": f"eui-{eui}",
            "application_ids": {"application_id": application},
            "dev_eui": eui.upper(),
            "join_eui": "0" * 16,
            "dev_addr": _hex("address", 4, eui, reading.boot).upper(),
        },
        "correlation_ids": [f"as:up:{_uuid('uplink', eui, reading.boot, reading.seq)}"],
        "received_at": _instant(reading.at_ms + SERVER_DELAY_MS, "Z"),
        "uplink_message": _without_defaults(_things_uplink(reading)),
    }
    return f"v3/{application}@ttn/devices/eui-{eui}/up", orjson.dumps(document)


def _things_uplink(reading: Reading) -> dict[str, Any]:
    model = LORAWAN_MODELS[reading.sensor.model]
    port, frame = model.frame(reading)
    lora = {"bandwidth": BANDWIDTH_HZ, "spreading_factor": SPREADING_FACTOR, "coding_rate": "4/5"}
    return {
        "session_key_id": _base64(_digest("session", 16, reading.sensor.id, reading.boot)),
        "f_port": port,
        "f_cnt": _frame_counter(reading),
        "frm_payload": _base64(frame),
        "rx_metadata": [_things_reception(reading)],
        "settings": {
            "data_rate": {"lora": lora},
            "frequency": str(FREQUENCY_HZ),
            "time": _instant(reading.at_ms, "Z"),
        },
        "received_at": _instant(reading.at_ms + SERVER_DELAY_MS, "Z"),
        "consumed_airtime": "0.056576s",
        "version_ids": {"brand_id": model.brand, "model_id": model.product, "band_id": "EU_863_870"},
        "network_ids": {"net_id": "000013", "tenant_id": "ttn", "cluster_id": "eu1"},
        "attributes": {"lot": reading.lot, "model": reading.sensor.model},
    }


def _things_reception(reading: Reading) -> dict[str, Any]:
    gateway = _gateway_eui(reading)
    return _without_defaults(
        {
            "gateway_ids": {"gateway_id": f"eui-{gateway}", "eui": gateway.upper()},
            "time": _instant(reading.at_ms, "Z"),
            "rssi": reading.rssi,
            "channel_rssi": reading.rssi,
            "snr": reading.snr,
            "received_at": _instant(reading.at_ms + SERVER_DELAY_MS, "Z"),
        }
    )


def _without_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _things_id(text: str) -> str:
    """The Things Stack ids are lower-case letters, digits and single inner dashes."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def _frame_counter(reading: Reading) -> int:
    return 0 if reading.seq is None else reading.seq - 1


def _gateway_eui(reading: Reading) -> str:
    return _hex("gateway", 8, reading.lot, reading.sensor.gateway)


def _instant(at_ms: int, zone: str) -> str:
    """RFC 3339 in UTC with milliseconds; `zone` is `Z` or `+00:00`, as each server writes it."""
    return rfc3339(at_ms).removesuffix("Z") + zone


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _uuid(*parts: object) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, ("autospot-simulator", *parts)))))


def _digest(purpose: str, length_bytes: int, *parts: object) -> bytes:
    return hashlib.blake2b("/".join(map(str, (purpose, *parts))).encode(), digest_size=length_bytes).digest()


def _hex(purpose: str, length_bytes: int, *parts: object) -> str:
    return _digest(purpose, length_bytes, *parts).hex()
