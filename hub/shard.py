"""Which lots a hub serves, when several share the work."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from autospot.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Shard:
    """Hub `index` of `count`, counted from 0.

    A lot belongs to the hub that the BLAKE2b hash of its code falls to: the same on every machine and in every version.
    (CRC-32 would not do: of the codes `s0` to `s3` all fall to one of two hubs.)
    """

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
        return self.count == 1 or _number_of(lot) % self.count == self.index


def _number_of(lot: str) -> int:
    return int.from_bytes(blake2b(lot.encode(), digest_size=8).digest(), "big")
