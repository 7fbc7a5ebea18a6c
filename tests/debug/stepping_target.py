"""A target that keeps a copy of every state it was in: slow, and simple enough to be right.

A process is run one instruction at a time, by ending its block behind that instruction. Going back
is looking at an earlier copy. Only the last state, where the process itself stands, can be changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from asm.image import Image
from emu.debug.target import Mapping, Reason, Stopped, Watch
from emu.process.disassembly import Instruction, disassemble
from emu.process.process import STACK_TOP, Process
from emu.process.registers import CONTROL, GENERAL, ST, XMM
from emu.process.stop import Stop
from syscalls import ProcessExit
from syscalls.abi import PAGE
from syscalls.ending import Killed

_LONGEST_INSTRUCTION = 15
_ENDS_BLOCK = ("syscall", "int", "int3", "hlt", "ud2", "cpuid")
_SEGMENTS = "cs ss ds es fs gs fs_base gs_base".split()
_X87 = {"fpcw": "fctrl", "fpsw": "fstat", "fptag": "ftag"}
_X87_POINTERS = "fiseg fioff foseg fooff fop".split()
_GONE = (Reason.EXITED, Reason.KILLED)


@dataclass(frozen=True)
class State:
    """All there is of a moment.

    touched: (kind, address, size) by the instruction that led here. reached: what gdb is to be
    told on the way forward, if anything.
    """

    registers: dict[str, int]
    pages: dict[int, bytes]
    maps: list[Mapping]
    touched: list[tuple[str, int, int]]
    reached: Stopped | None = None


class SteppingTarget:
    """A program, standing at `main`. most: instructions that are recorded.

    elf: what gdb is given as its file.
    """

    def __init__(self, image: Image, elf: bytes = b"", most: int = 100_000) -> None:
        self.breakpoints: set[int] = set()
        self.watches: set[Watch] = set()
        self._process = Process(image)
        self._cpu = self._process.cpu
        self._cpu.run = self._run_one
        self._elf, self._most = elf, most
        self._interrupted = self._ran = False
        self._cpu.set("rsp", STACK_TOP - PAGE)
        self._cpu.set("rip", image.symbols["main"])
        self.history = [self._state({}, [])]
        self.at = 0

    def close(self) -> None:
        self._process.close()

    @property
    def state(self) -> State:
        return self.history[self.at]

    # Looking and changing

    def registers(self) -> dict[str, int]:
        return self.state.registers

    def set_register(self, name: str, value: int) -> None:
        ours = {"eflags": "rflags"} | {theirs: ours for ours, theirs in _X87.items()}
        if self._in_the_past() or name in _X87_POINTERS:
            raise ValueError(name)
        if name in ST + XMM:
            floating = self._cpu.floating()
            place = len(CONTROL) + 2 * (ST + XMM).index(name)
            floating[place : place + 2] = value & (1 << 64) - 1, value >> 64
            self._cpu.set_floating(floating)
        else:
            self._cpu.set(ours.get(name, name), value)
        self._look_again()

    def read(self, address: int, size: int) -> bytes:
        return bytes(self._bytes(address, size))

    def _bytes(self, address, size):
        for place in range(address, address + size):
            if not self._mapped(place):
                return
            page = self.state.pages.get(place & -PAGE)
            yield page[place % PAGE] if page else 0

    def write(self, address: int, data: bytes) -> bool:
        mapped = all(map(self._mapped, range(address, address + len(data))))
        if self._in_the_past() or not mapped:
            return False
        self._process.memory.write(address, data)
        self._look_again()
        return True

    def _mapped(self, address: int) -> bool:
        return any(start <= address < end for start, end, _, _ in self.state.maps)

    def _in_the_past(self) -> bool:
        return self.at < len(self.history) - 1

    def _look_again(self) -> None:
        old = self.history[-1]
        self.history[-1] = self._state(old.pages, old.touched, old.reached)

    # Running

    def step(self) -> Stopped:
        if self.state.reached and self.state.reached.reason in _GONE:
            return self.state.reached
        if not self._in_the_past():
            if len(self.history) > self._most:
                return Stopped(Reason.END)
            self._record()
        self.at += 1
        return self.state.reached or self._watched(self.state) or Stopped(Reason.STEPPED)

    def step_back(self) -> Stopped:
        if self.at == 0:
            return Stopped(Reason.BEGIN)
        left = self.state
        self.at -= 1
        return self._watched(left) or Stopped(Reason.STEPPED)

    def resume(self) -> Stopped:
        return self._until_stop(self.step)

    def resume_back(self) -> Stopped:
        return self._until_stop(self.step_back)

    def _until_stop(self, step) -> Stopped:
        while True:
            stopped = step()
            if stopped.reason is not Reason.STEPPED:
                return stopped
            if self.state.registers["rip"] in self.breakpoints:
                return Stopped(Reason.BREAKPOINT)
            if self._interrupted:
                self._interrupted = False
                return Stopped(Reason.INTERRUPTED)

    def interrupt(self) -> None:
        self._interrupted = True

    def _watched(self, state: State) -> Stopped | None:
        for kind, start, size in state.touched:
            for watch in sorted(self.watches):
                wanted = watch.kind in (kind, "access")
                if wanted and start < watch.address + watch.size and watch.address < start + size:
                    return Stopped(Reason.WATCHPOINT, 0, watch, max(start, watch.address))
        return None

    # What there is to know

    def memory_map(self) -> list[Mapping]:
        return self.state.maps

    def auxv(self) -> bytes:
        return b""

    def executable(self) -> tuple[str, bytes]:
        return ("guest", self._elf) if self._elf else ("", b"")

    def moment(self) -> str:
        return f"+{self.at}"

    def monitor(self, words: list[str]) -> str:
        if words == ["help"]:
            return "monitor long      many words\n"
        return "many words " * 3000 if words == ["long"] else ""

    # Recording

    def _record(self) -> None:
        """Runs an instruction, and keeps what came of it."""
        old = self.state
        before = old.registers
        instruction = self._instruction(before["rip"])
        touched = [("read", *place) for place in instruction.reads(before)] if instruction else []
        if instruction:
            touched += [("write", *place) for place in instruction.writes(before)]
        self._ran = False
        self._process.run(before["rip"], 1)
        ending = self._process.ending
        reached = None
        if isinstance(ending, Killed):  # at first the signal is seen, and then what it does
            reason = Reason.KILLED if old.reached else Reason.SIGNAL
            reached = Stopped(reason, ending.number)
        elif isinstance(ending, ProcessExit):
            reached = Stopped(Reason.EXITED, ending.status)
        self.history.append(self._state(old.pages, [] if reached else touched, reached))

    def _instruction(self, address: int) -> Instruction | None:
        code = self._process.memory.read(address, _LONGEST_INSTRUCTION)
        return next(iter(disassemble(code, address)), None)

    def _run_one(self, start: int, _: int) -> Stop:
        """In the place of Cpu.run: one instruction, and none after a signal was delivered."""
        if self._ran:
            return Stop.BUDGET
        self._ran = True
        cpu, instruction = self._cpu, self._instruction(start)
        end = instruction.end if instruction else 0
        ends = not instruction or instruction.jumps or instruction.text.startswith(_ENDS_BLOCK)
        cpu._forget_last_run()
        cpu._forget_blocks()
        cpu._cut = None if ends else start
        address: int | None = start
        while address is not None:
            cpu._minding.forget()
            cpu.counter.arm(cpu.counter.count + 1)
            stop = cpu._why(cpu._emulate(address, end))
            address = cpu._minding.translate() if stop is Stop.BUDGET else None
        cpu._forget_blocks()
        return Stop.BUDGET if stop is Stop.HALTED and cpu.get("rip") == end else stop

    def _state(self, before, touched, reached=None) -> State:
        return State(self._registers(), self._pages(before), self._maps(), touched, reached)

    def _registers(self) -> dict[str, int]:
        cpu = self._cpu
        general = cpu.state()
        values = {name: general[name] for name in GENERAL if name != "rflags"}
        values |= {"eflags": general["rflags"], "mxcsr": general["mxcsr"]}
        values |= {theirs: general[ours] for ours, theirs in _X87.items()}
        values |= {name: cpu.get(name) for name in _SEGMENTS} | dict.fromkeys(_X87_POINTERS, 0)
        words = cpu.floating()[len(CONTROL) :]
        wide = zip(ST + XMM, words[::2], words[1::2], strict=True)
        return values | {name: low | high << 64 for name, low, high in wide}

    def _pages(self, before: dict[int, bytes]) -> dict[int, bytes]:
        """What was written to. Pages that are as before are kept once."""
        pages = {}
        memory = self._process.memory
        for start, end, _, _ in self._maps():
            for run_start, run_end in memory.touched(start, end):
                for page in range(run_start, run_end, PAGE):
                    now = memory.read(page, PAGE)
                    pages[page] = before[page] if before.get(page) == now else now
        return pages

    def _maps(self) -> list[Mapping]:
        regions = self._process.kernel.space.regions
        return [Mapping(r.start, r.end, str(r.rights), r.name) for r in regions]
