"""Which function reads whose frames. The names are what `autospot.domain.devices` refers to."""

from __future__ import annotations

from collections.abc import Mapping

from hub.decoding.frames import FrameDecoder
from hub.decoding.vendors import (
    bosch,
    dingtek,
    fleximodo,
    iot_park,
    libelium,
    milesight,
    netvox,
    nwave,
    pni,
    tekzitel,
)

DECODERS: Mapping[str, FrameDecoder] = {
    "bosch": bosch.tps110,
    "nwave-nps310": nwave.nps310,
    "nwave-nps405": nwave.nps405,
    "nwave-ncc405": nwave.ncc405,
    "tekzitel": tekzitel.tekzipark,
    "netvox": netvox.r719a,
    "dingtek": dingtek.do20x,
    "pni": pni.placepod,
    "libelium-v1": libelium.smart_parking_v1,
    "libelium-v2": libelium.smart_parking_v2,
    "libelium-v3": libelium.smart_parking_v3,
    "fleximodo": fleximodo.in_ground,
    "iot-park-lora": iot_park.lora,
    "iot-park-nb": iot_park.nb_iot,
    "iot-park-sigfox": iot_park.sigfox,
    "milesight": milesight.em400_mud,
}
