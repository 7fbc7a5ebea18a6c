"""Sound allocators, ours and the world's, and by which contract they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from planting import HERE

from emu.judge.plan import Plan

_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")


@dataclass(frozen=True)
class Sound:
    """allocator: as Heap takes it. alignment: what it promises."""

    allocator: str
    contract: str
    alignment: int

    @property
    def exists(self) -> bool:
        return not self.allocator.startswith("/") or Path(self.allocator).exists()

    @property
    def plan(self) -> Plan:
        return Plan(self.contract, self.alignment)


SOUND = {
    "osmem": Sound("osmem", "osmem", 8),
    "osmem as any malloc": Sound("osmem", "malloc", 8),
    "indexed": Sound("indexed", "osmem", 8),
    "osmem.c": Sound(str(HERE / "osmem.c"), "osmem", 8),
    "osmem.c as any malloc": Sound(str(HERE / "osmem.c"), "malloc", 8),
    "sound.c": Sound(str(HERE / "sound.c"), "malloc", 16),
    "glibc": Sound(str(_LIBRARIES / "libc.so.6"), "malloc", 16),
    "musl": Sound("/lib/ld-musl-x86_64.so.1", "malloc", 16),
    "jemalloc": Sound(str(_LIBRARIES / "libjemalloc.so.2"), "malloc", 16),
    "mimalloc": Sound(str(_LIBRARIES / "libmimalloc.so.2"), "malloc", 16),
    "tcmalloc": Sound(str(_LIBRARIES / "libtcmalloc_minimal.so.4"), "malloc", 16),
}
