"""rdtsc and rdtscp, which the kernel keeps for itself: they tell the count of instructions."""

from __future__ import annotations

_RDTSC, _RDTSCP = b"\x0f\x31", b"\x0f\x01\xf9"
LONGEST = len(_RDTSCP)
_LOW = (1 << 32) - 1
_CPU = 0


def asked(code: bytes) -> bytes | None:
    """The instruction that code begins with, if it is one of the two."""
    return next((one for one in (_RDTSC, _RDTSCP) if code.startswith(one)), None)


def answer(instruction: bytes, now: int) -> dict[str, int]:
    """What the registers are after it; rdtscp also tells the number of the CPU."""
    time = {"rax": now & _LOW, "rdx": now >> 32}
    return time | {"rcx": _CPU} if instruction == _RDTSCP else time
