"""Random memory system calls, as lines for two_kernels.py.

All on a few pages at ARENA, and on a few of the heap, so that they meet each other. A chooser is
a function of a Random: plain ones, as hypothesis remembers too much of a million calls.
"""

from __future__ import annotations

ARENA, PAGES = 0x1000_0000_0000, 24
PAGE = 4096
DATA_AT = ARENA - (1 << 20)
"""Bytes to be written to files."""
HAS_DATA = [f"s 9 {DATA_AT} {PAGE} 3 0x32 -1 0", f"w {DATA_AT} 200", f"w {DATA_AT + 9} 201"]
FILE, TO_READ, TO_WRITE, AGAIN, OTHER, NONE = 10, 11, 12, 13, 14, -1
SHARED, PRIVATE, ANONYMOUS = 1, 2, 0x20


def one_of(*choosers):
    return lambda random: random.choice(choosers)(random)


def often(chooser, times):
    """For one_of: so many times as likely."""
    return [chooser] * times


def pick(values):
    return lambda random: random.choice(values)


def number(lowest, highest):
    return lambda random: random.randint(lowest, highest)


def built(function, *choosers):
    return lambda random: function(*[chooser(random) for chooser in choosers])


def line(template, *choosers):
    """A line with values in its places."""
    return built(template.format, *choosers)


pages = built(lambda n: ARENA + n * PAGE, number(0, PAGES - 1))
heap_pages = built(lambda n: f"b+{n * PAGE}", number(0, 19))
odd_pages = one_of(*often(pages, 40), built(lambda page: page + 1, pages))
odd = pick([0, 0, 0, 0, 1, 4095])
sizes = built(lambda n, odd: n * PAGE - odd, pick([1, 1, 2, 2, 3, 4, 6]), odd)
any_sizes = one_of(*often(sizes, 30), pick([0, -1, -4096, -8192]))
prots = pick([0, 1, 3, 3, 3, 3, 2, 4, 5, 7])
odd_prots = one_of(*often(prots, 20), pick([0x100_0001, 0x200_0003, 0x300_0000, 8, 0x41]))
bytes_ = number(0, 255)
offsets = pick([0, 1])
"""Files end behind these: what a mapping writes behind the end of its file is nobody's affair."""

places = one_of(
    *often(line("{} {:#x}", pages, pick([0x10])), 12),
    *often(line("{} {:#x}", pages, pick([0x10_0000])), 2),
    *often(line("{} {:#x}", pages, pick([0])), 2),
    *often(line("{} {:#x}", pick([0]), pick([0, 0, 0, 0, 0x40, 0x80])), 4),
)
"""An address, and how much it means."""
more_flags = pick(
    [0] * 20
    + [0x100, 0x2000, 0x4000, 0x8000, 0x1_8000, 0x2_0000, 0x800, 0x8_0000, 0x4_0000, 0x40_0000]
)
kinds = pick([PRIVATE] * 8 + [SHARED] * 5 + [3, 3, 8, 8, 0, 4, 15])
file_offsets = one_of(
    *often(built(lambda n: n * PAGE, number(0, 5)), 40),
    pick([1, (1 << 63) - PAGE]),
)


def _mmap(place, size, prot, kind, flags, fd, offset):
    address, how = place.split()
    anonymous = ANONYMOUS if fd is None else 0
    word = int(how, 16) | kind | flags | anonymous
    return f"s 9 {address} {size} {prot} {word:#x} {NONE if fd is None else fd} {offset}"


def mmaps(fds):
    return built(_mmap, places, sizes, prots, kinds, more_flags, fds, file_offsets)


anonymous_maps = mmaps(pick([None]))
file_maps = mmaps(pick([FILE, FILE, FILE, TO_READ, TO_WRITE, AGAIN, OTHER, NONE, 77]))

remap_sizes = built(
    lambda n, odd: max(0, n * PAGE - odd),
    pick([0, 1, 2, 2, 3, 4, 5, 6]),
    pick([0, 0, 0, 5]),
)
remap_targets = one_of(*often(odd_pages, 30), pick([0, 1 << 47, -4096]))
same_sizes = built("{0} {0}".format, remap_sizes)
remaps = one_of(
    line("s 25 {} {} {} {} {}", odd_pages, remap_sizes, remap_sizes,
         pick([0, 1, 1, 1, 3, 3, 5, 7, 2, 4, 8]), remap_targets),
    line("s 25 {} {} {} {}", odd_pages, same_sizes, pick([3, 3, 5, 7]), remap_targets),
)  # fmt: skip

REMOVE = 9
ADVICE = [
    0, 1, 2, 3, 4, 4, 4, 4, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 22, 23, 23, 24,
    102, 102, 103, 103, 25, 5, 26, 100, -1,
]  # fmt: skip
"""Not MADV_PAGEOUT, which takes pages out when it likes."""


def advice(kinds):
    return line("s 28 {} {} {}", odd_pages, any_sizes, pick(kinds))


locks = one_of(
    line("s 149 {} {}", odd_pages, sizes),
    line("s 325 {} {} {}", pages, sizes, pick([0, 1, 1, 2])),
    *often(line("s 150 {} {}", odd_pages, any_sizes), 2),
    pick(["s 152", "s 151 2", "s 151 6", "s 151 4", "s 151 0", "s 151 8"]),
)
heap_calls = one_of(
    *often(line("s 12 b+{}", number(0, 80_000)), 3),
    line("s 12 {}", heap_pages),
    line("w {} 7", heap_pages),
    line("r {}", heap_pages),
    line("s 11 {} {}", heap_pages, sizes),
    line("s 10 {} {} {}", heap_pages, sizes, prots),
    line("s 9 {} {} {} 0x32 -1 0", heap_pages, sizes, prots),
    line("s 25 {} {} {} 1", heap_pages, sizes, sizes),
)
limits = one_of(
    line("l {} {}", pick([9, 3, 8]), built(lambda n: n * PAGE, number(0, 30))),
    line("l 2 {}", built(lambda n: n * PAGE, number(1, 30))),
)
reads = line("r {}", built(lambda p, at: p + at, pages, pick([0, 1, 2048, 4095])))
writes = line("w {} {}", built(lambda p, at: p + at, pages, offsets), bytes_)
common = [
    *often(one_of(reads, *often(writes, 3)), 9),
    *often(line("s 11 {} {}", odd_pages, any_sizes), 4),
    *often(line("s 10 {} {} {}", odd_pages, any_sizes, odd_prots), 5),
    *often(remaps, 5),
    *often(line("s 26 {} {} {}", odd_pages, any_sizes, pick([0, 1, 2, 4, 5, 6, 8])), 1),
    *often(locks, 2),
    *often(heap_calls, 4),
    *often(limits, 1),
]
file_places = built(lambda n, at: n * PAGE + at, number(0, 2), pick([0, 300, 3000]))
file_calls = one_of(
    line("s 17 {} {} {} {}", pick([FILE, AGAIN, OTHER]),
         pages, pick([0, 16]), file_places),
    line(f"s 18 {{}} {DATA_AT} {{}} {{}}", pick([FILE, AGAIN, OTHER]),
         pick([0, 16]), file_places),
    line("s 77 {} {}", pick([FILE, OTHER]),
         pick([n * PAGE + more for n in range(4) for more in (0, 2048)])),
)  # fmt: skip

without_files = one_of(*common, *often(anonymous_maps, 9), *often(advice([*ADVICE, REMOVE]), 5))
with_files = one_of(
    *common,
    *often(anonymous_maps, 3),
    *often(file_maps, 6),
    *often(advice(ADVICE), 4),
    *often(file_calls, 2),
)
