"""The registers of the CPU by name, and what Linux puts into those of a new process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from emu.process.engine import Engine

GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags".split()
CONTROL = ["mxcsr", "fpcw", "fpsw", "fptag"]
ST = [f"st{number}" for number in range(8)]
XMM = [f"xmm{number}" for number in range(16)]

MXCSR, FPCW, RFLAGS = 0x1F80, 0x037F, 0x202
"""What Linux gives a new process."""

_FPSW, _FPTAG = 0, 0xFFFF
"""An x87 stack with nothing on it."""

STATE = GENERAL + CONTROL + XMM


def new_state(
    general: Mapping[str, int] = MappingProxyType({}), xmm: Sequence[int] = (0,) * 32
) -> list[int]:
    """The values of STATE as Linux starts a process, but for what is given."""
    start = {"rflags": RFLAGS, "mxcsr": MXCSR, "fpcw": FPCW, "fpsw": _FPSW, "fptag": _FPTAG}
    return [*({**start, **general}.get(name, 0) for name in GENERAL + CONTROL), *xmm]


class Registers:
    """Those of an engine: one by name with `get` and `set`, or many at once; a `batch` is fast."""

    def __init__(self, engine: Engine) -> None:
        self.get, self.set, self.batch = engine.get, engine.set, engine.batch
        self._state = engine.batch(STATE)
        self._scalars = engine.batch(GENERAL + CONTROL)
        self._floating = engine.batch(CONTROL + ST + XMM)

    def state(self) -> dict[str, int]:
        """The registers of GENERAL and CONTROL."""
        return dict(zip(GENERAL + CONTROL, self._scalars.read(), strict=True))

    def set_state(self, values: list[int]) -> None:
        """All of STATE at once: a word each, but two for an xmm register, the low one first."""
        self._state.write(values)

    def update(self, values: Mapping[str, int]) -> None:
        """Some registers by name."""
        for name, value in values.items():
            self.set(name, value)

    def floating(self) -> list[int]:
        """CONTROL, ST and XMM: a word each, but two for ST and XMM, the low one first."""
        return self._floating.read()

    def set_floating(self, values: list[int]) -> None:
        """What `floating` gave."""
        self._floating.write(values)
