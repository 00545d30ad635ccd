"""Which lots a hub serves, when several share the work."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from autospot.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Shard:
    """Hub `index` of `count`, counted from 0. A lot belongs to the hub its code's CRC-32 falls to: stable across
    machines, versions and restarts."""

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`"0/3"`; `InvalidInput` for anything else."""
        index, _, count = text.partition("/")
        if not (index.isascii() and index.isdigit() and count.isascii() and count.isdigit()):
            raise InvalidInput("a shard is written i/n, for example 0/3", at="/hub_shard")
        shard = cls(int(index), int(count))
        if shard.index >= shard.count:
            raise InvalidInput(f"there is no shard {text}: shards are counted from 0", at="/hub_shard")
        return shard

    @property
    def name(self) -> str:
        """How this hub signs what it writes, and its MQTT client id."""
        return self.names[self.index]

    @property
    def names(self) -> list[str]:
        """How all hubs of this division sign."""
        return [f"hub/{index}of{self.count}" for index in range(self.count)]

    def owns(self, lot: str) -> bool:
        """True if this hub serves `lot`."""
        return self.count == 1 or crc32(lot.encode()) % self.count == self.index
