"""Bytes from the broker become frozen values here: the edge of the live path.

`decode` and its short cut `decode_native` are all that the hub calls. Below them, one module per envelope (`native`,
`chirpstack`, `things_stack`), one story for radio frames (`uplink`), and one small module per vendor (`vendors`), found
through the catalogue in `autospot.domain.devices`. Everything is pure.
"""

from hub.decoding.router import MAX_PAYLOAD_BYTES, Decoded, decode, decode_native
from hub.decoding.uplink import DeviceTypes, KnownSensor

__all__ = ["MAX_PAYLOAD_BYTES", "Decoded", "DeviceTypes", "KnownSensor", "decode", "decode_native"]
