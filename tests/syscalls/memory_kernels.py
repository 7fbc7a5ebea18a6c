"""Two kernels that play the same calls: the host's Linux, through linux.c, and ours.

A sequence is a list of lines as linux.c reads them; both answer a list of lines, which must be
equal: the answers, the regions with all their pages, and the totals.
"""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

from books import HIDDEN, balance
from paged_memory import PagedMemory

from syscalls import Kernel, Limits
from syscalls.abi import MMAP_BASE, PAGE, Errno
from syscalls.files.file import File
from syscalls.region import Region

HEAP = 0x40_0000
HEAP_END = HEAP + (1 << 28)
PREAD, PWRITE, FTRUNCATE = 17, 18, 77
ADDRESS_SPACE, DATA, STACK, LOCKED = 9, 2, 3, 8
MOST_PAGES = 64
FILE_SIZE = 3 * PAGE + PAGE // 2
_FLAGS = {
    0: "rd", 1: "wr", 2: "ex", 3: "sh", 4: "mr", 5: "mw", 6: "me", 7: "ms", 8: "gd", 11: "gu",
    13: "lo", 15: "sr", 16: "rr", 17: "dc", 19: "lf", 20: "ac", 21: "nr", 23: "sf", 25: "wf",
    26: "dd", 29: "hg", 30: "nh", 31: "mg", 40: "dp",
}  # fmt: skip
"""As proc(5) spells vm_flags, in the order of its VmFlags."""


class Linux:
    """The host's kernel. Each sequence is played in a process of its own."""

    def __init__(self, folder):
        made = Path(folder) / "linux"
        source = Path(__file__).parent / "linux.c"
        subprocess.run(["gcc", "-O1", "-static", "-o", made, source], check=True)
        self._child = subprocess.Popen([made], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        last, data, *_ = self.play(["s 9 0 4096 0 0x22 -1 0", "d"])
        self.top, self.data_size = int(last) + PAGE, int(data)
        memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        self.ram = sum(int(memory[what].split()[0]) << 10 for what in ("MemTotal", "SwapTotal"))

    def like(self, memory=None):
        """A kernel of ours in the same circumstances."""
        return Ours(self.top, self.data_size, self.ram, memory)

    def close(self):
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait()

    def play(self, sequence):
        lines = [
            line + " 0" * (8 - len(line.split())) if line[0] == "s" else line for line in sequence
        ]
        self._child.stdin.write("".join(f"{line}\n" for line in [*lines, "."]).encode())
        self._child.stdin.flush()
        lines = []
        while (line := self._child.stdout.readline().decode().rstrip("\n")) != ".":
            assert line, "linux.c died"
            lines.append(line)
        return lines


class MemoryFile(File):
    """A file in memory, open; all open files of it share `source`."""

    def __init__(self, label, source, readable=True, writable=True):
        super().__init__()
        self.label, self._source = label, source
        self.readable, self.writable = readable, writable

    def source(self):
        return self._source

    def stat(self):
        raise AssertionError("no test asks")


class Bytes:
    """syscalls.descriptors.Source over a bytearray."""

    def __init__(self, data):
        self.data = bytearray(data)

    @property
    def size(self):
        return len(self.data)

    def read(self, offset, size):
        return bytes(self.data[offset : offset + size])

    def write(self, offset, data):
        assert offset + len(data) <= len(self.data), "a mapping does not lengthen its file"
        self.data[offset : offset + len(data)] = data


class Ours:
    """Our kernel, on a memory in which everything can be seen.

    top: the end of what is free below MMAP_BASE, where Linux keeps its own pages. data_size: of
    the program that plays on Linux.
    """

    def __init__(self, top, data_size=0, ram=None, memory=None):
        self.memory = memory or PagedMemory()
        self.kernel = Kernel(self.memory, HEAP, Limits(ram=ram))
        self.space = self.kernel.space
        self.space.data_size = data_size
        for start, end, flags in ((HEAP - PAGE, HEAP, 3), (top, MMAP_BASE, 0)):
            self.space.areas.insert(Region(start, end, flags, name=HIDDEN))
        self._open_files()

    def _open_files(self):
        data = bytes(i % 251 + 1 for i in range(FILE_SIZE))
        file, other = Bytes(data), Bytes(data)
        named = {
            10: MemoryFile("file", file),
            11: MemoryFile("file", file, writable=False),
            12: MemoryFile("file", file, readable=False),
            13: MemoryFile("file", file),
            14: MemoryFile("other", other),
        }
        for fd, opened in named.items():
            self.kernel.context.files.put(fd, opened)

    def play(self, sequence):
        lines = []
        for line in sequence:
            lines.append(self._perform(*line.split()))
            balance(self.space)
        return lines + self._regions() + [self._totals()]

    def _perform(self, what, *words):
        if what == "s":
            return self._call(*words)
        if what == "l":
            return self._limit(*(int(word, 0) for word in words))
        address = _number(words[0])
        return self._touch(address, int(words[1]) if what == "w" else None)

    def _call(self, number, *words):
        registers = tuple(_number(word) % (1 << 64) for word in words)
        if int(number) in (PREAD, PWRITE, FTRUNCATE):
            return str(self._on_file(int(number), *registers))
        answer = self.kernel.call(int(number), (*registers, *(0,) * (6 - len(registers))))
        answer -= answer >> 63 << 64
        return f"b+{answer - HEAP}" if HEAP <= answer < HEAP_END else str(answer)

    def _on_file(self, number, fd, *args):
        """pread64, pwrite64 and ftruncate as they use what the address space offers to files."""
        source = self.kernel.context.files.at(fd).source()
        self.space.write_back(source)
        if number == FTRUNCATE:
            source.data = source.data[: args[0]].ljust(args[0], b"\0")
            self.space.reread(source)
            return 0
        address, size, offset = args
        try:
            if number == PREAD:
                data = source.read(offset, size)
                self.kernel.context.user.write(address, data)
            else:
                data = self.kernel.context.user.read(address, size)
                source.data = source.data.ljust(offset if size else 0, b"\0")
                source.data[offset : offset + size] = data
                self.space.reread(source)
        except Errno as error:
            if number == PWRITE:  # Linux's tmpfs: the file reaches there by then
                source.data = source.data.ljust(offset, b"\0")
                self.space.reread(source)
            return -error.number
        return len(data)

    def _limit(self, resource, value):
        space, limits = self.space, self.space.limits
        name, base = {
            ADDRESS_SPACE: ("address_space", space.size),
            DATA: ("data", space.data_pages * PAGE),
            STACK: ("stack", 0),
            LOCKED: ("locked", 0),
        }[resource]
        space.limits = limits.__class__(
            **{field: getattr(limits, field) for field in limits.__slots__} | {name: base + value}
        )
        return "0"

    def _touch(self, address, byte=None):
        page = address & -PAGE
        if not self.space.fault(page, "r" if byte is None else "w"):
            if self.space.beyond_file(page) and self._allows(page, byte):
                return "BUS"
            region = self.space.at(page)
            return "ACCERR" if region and not self._allows(page, byte) else "MAPERR"
        if byte is not None:
            self.memory.write(address, bytes([byte]))
        return str(self.memory.read(address, 1)[0])

    def _allows(self, page, byte):
        rights = self.space.at(page).rights
        return rights.readable if byte is None else rights.write

    # What there is at the end

    def _regions(self):
        return [self._region(region) for region in self.space.regions if region.name != HIDDEN]

    def _region(self, region):
        start, end = region.start, region.end
        place = f"{start:x}-{end:x}"
        if start < HEAP_END:
            place = f"b+{start - HEAP:x}-{end - HEAP:x}"
        flags = " ".join(name for bit, name in _FLAGS.items() if region.flags >> bit & 1)
        name = getattr(region.file, "label", "shared") if region.cache else ""
        kind = "s" if region.shared else "p"
        first = f"{place} {region.rights}{kind} {region.offset:x} {name}|{flags} |"
        return first + self._pages(start, min(end, start + MOST_PAGES * PAGE))

    def _pages(self, start, end):
        if start == end:
            return ""
        vector = 1 << 46
        self.space.areas.insert(Region(vector, vector + PAGE, 3))
        self.kernel.call(27, (start, end - start, vector, 0, 0, 0))
        resident = self.memory.read(vector, MOST_PAGES)
        self.memory.discard(vector, vector + PAGE)
        self.space.areas.remove(self.space.at(vector))
        return "".join(
            f" {resident[at]}:{self._contents(start + at * PAGE)}"
            for at in range((end - start) // PAGE)
        )

    def _contents(self, page):
        answer = self._touch(page)
        if not answer.isdigit():
            return answer
        data = self.memory.read(page, PAGE)
        return f"{zlib.crc32(data):x}" if any(data) else ""

    def _totals(self):
        space = self.space
        stack = sum(r.pages for r in space.regions if r.flags & 0x100)
        return f"{space.pages} {space.data_pages} {stack} {space.locked_pages} "


def _number(word):
    if word.startswith("b+"):
        return HEAP + int(word[2:], 0)
    return int(word, 0)
