"""Random memory system calls, as lines for two_kernels.py.

All on a few pages at ARENA, and on a few of the heap, so that they meet each other.
"""

from __future__ import annotations

from hypothesis import strategies as st

ARENA, PAGES = 0x1000_0000_0000, 24
PAGE = 4096
DATA_AT = ARENA - (1 << 20)
"""Bytes to be written to files."""
HAS_DATA = [f"s 9 {DATA_AT} {PAGE} 3 0x32 -1 0", f"w {DATA_AT} 200", f"w {DATA_AT + 9} 201"]
FILE, TO_READ, TO_WRITE, AGAIN, OTHER, NONE = 10, 11, 12, 13, 14, -1
SHARED, PRIVATE, ANONYMOUS = 1, 2, 0x20


def often(strategy, times):
    """For one_of: so many times as likely."""
    return [strategy] * times


def line(template, *strategies):
    """A line with values in its places."""
    return st.tuples(*strategies).map(lambda values: template.format(*values))


pages = st.integers(0, PAGES - 1).map(lambda number: ARENA + number * PAGE)
heap_pages = st.integers(0, 19).map(lambda number: f"b+{number * PAGE}")
odd_pages = st.one_of(*often(pages, 40), pages.map(lambda page: page + 1))
odd = st.sampled_from([0, 0, 0, 0, 1, 4095])
sizes = st.builds(lambda n, odd: n * PAGE - odd, st.sampled_from([1, 1, 2, 2, 3, 4, 6]), odd)
any_sizes = st.one_of(*often(sizes, 30), st.sampled_from([0, -1, -4096, -8192]))
prots = st.sampled_from([0, 1, 3, 3, 3, 3, 2, 4, 5, 7])
odd_prots = st.one_of(
    *often(prots, 20), st.sampled_from([0x100_0001, 0x200_0003, 0x300_0000, 8, 0x41])
)
bytes_ = st.integers(0, 255)
offsets = st.sampled_from([0, 1, 2047])
"""Not the end of a page: what a mapping writes behind the end of its file is nobody's affair."""

places = st.one_of(
    *often(line("{} {:#x}", pages, st.just(0x10)), 12),
    *often(line("{} {:#x}", pages, st.just(0x10_0000)), 2),
    *often(line("{} {:#x}", pages, st.just(0)), 2),
    *often(line("{} {:#x}", st.just(0), st.sampled_from([0, 0, 0, 0, 0x40, 0x80])), 4),
)
"""An address, and how much it means."""
more_flags = st.sampled_from(
    [0] * 20
    + [0x100, 0x2000, 0x4000, 0x8000, 0x1_8000, 0x2_0000, 0x800, 0x8_0000, 0x4_0000, 0x40_0000]
)
kinds = st.sampled_from([PRIVATE] * 8 + [SHARED] * 5 + [3, 3, 8, 8, 0, 4, 15])
file_offsets = st.one_of(
    *often(st.integers(0, 5).map(lambda number: number * PAGE), 40),
    st.sampled_from([1, (1 << 63) - PAGE]),
)


def _mmap(place, size, prot, kind, flags, fd, offset):
    address, how = place.split()
    anonymous = ANONYMOUS if fd is None else 0
    word = int(how, 16) | kind | flags | anonymous
    return f"s 9 {address} {size} {prot} {word:#x} {NONE if fd is None else fd} {offset}"


def mmaps(fds):
    return st.builds(_mmap, places, sizes, prots, kinds, more_flags, fds, file_offsets)


anonymous_maps = mmaps(st.none())
file_maps = mmaps(st.sampled_from([FILE, FILE, FILE, TO_READ, TO_WRITE, AGAIN, OTHER, NONE, 77]))

remap_sizes = st.builds(
    lambda n, odd: max(0, n * PAGE - odd),
    st.sampled_from([0, 1, 2, 2, 3, 4, 5, 6]),
    st.sampled_from([0, 0, 0, 5]),
)
remap_targets = st.one_of(*often(odd_pages, 30), st.sampled_from([0, 1 << 47, -4096]))
same_sizes = remap_sizes.map(lambda size: f"{size} {size}")
remaps = st.one_of(
    line("s 25 {} {} {} {} {}", odd_pages, remap_sizes, remap_sizes,
         st.sampled_from([0, 1, 1, 1, 3, 3, 5, 7, 2, 4, 8]), remap_targets),
    line("s 25 {} {} {} {}", odd_pages, same_sizes, st.sampled_from([3, 3, 5, 7]), remap_targets),
)  # fmt: skip

REMOVE = 9
ADVICE = [
    0, 1, 2, 3, 4, 4, 4, 4, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 22, 23, 23, 24,
    102, 102, 103, 103, 25, 5, 26, 100, -1,
]  # fmt: skip
"""Not MADV_PAGEOUT, which takes pages out when it likes."""


def advice(kinds):
    return line("s 28 {} {} {}", odd_pages, any_sizes, st.sampled_from(kinds))


locks = st.one_of(
    line("s 149 {} {}", odd_pages, sizes),
    line("s 325 {} {} {}", pages, sizes, st.sampled_from([0, 1, 1, 2])),
    *often(line("s 150 {} {}", odd_pages, any_sizes), 2),
    st.sampled_from(["s 152", "s 151 2", "s 151 6", "s 151 4", "s 151 0", "s 151 8"]),
)
heap_calls = st.one_of(
    *often(line("s 12 b+{}", st.integers(0, 80_000)), 3),
    line("s 12 {}", heap_pages),
    line("w {} 7", heap_pages),
    line("r {}", heap_pages),
    line("s 11 {} {}", heap_pages, sizes),
    line("s 10 {} {} {}", heap_pages, sizes, prots),
    line("s 9 {} {} {} 0x32 -1 0", heap_pages, sizes, prots),
    line("s 25 {} {} {} 1", heap_pages, sizes, sizes),
)
limits = st.one_of(
    line("l {} {}", st.sampled_from([9, 3, 8]), st.integers(0, 30).map(lambda n: n * PAGE)),
    line("l 2 {}", st.integers(1, 30).map(lambda n: n * PAGE)),
)
reads = line("r {}", st.builds(lambda p, at: p + at, pages, st.sampled_from([0, 1, 2048, 4095])))
writes = line("w {} {}", st.builds(lambda p, at: p + at, pages, offsets), bytes_)
common = [
    *often(st.one_of(reads, *often(writes, 3)), 9),
    *often(line("s 11 {} {}", odd_pages, any_sizes), 4),
    *often(line("s 10 {} {} {}", odd_pages, any_sizes, odd_prots), 5),
    *often(remaps, 5),
    *often(line("s 26 {} {} {}", odd_pages, any_sizes, st.sampled_from([0, 1, 2, 4, 5, 6, 8])), 1),
    *often(locks, 2),
    *often(heap_calls, 4),
    *often(limits, 1),
]
file_places = st.builds(
    lambda n, at: n * PAGE + at, st.integers(0, 2), st.sampled_from([0, 300, 3000])
)
file_calls = st.one_of(
    line("s 17 {} {} {} {}", st.sampled_from([FILE, AGAIN, OTHER]),
         st.builds(lambda p, at: p + at, pages, st.sampled_from([0, 100, 2000])),
         st.sampled_from([0, 1, 16]), file_places),
    line(f"s 18 {{}} {DATA_AT} {{}} {{}}", st.sampled_from([FILE, AGAIN, OTHER]),
         st.sampled_from([0, 1, 16]), file_places),
    line("s 77 {} {}", st.sampled_from([FILE, OTHER]),
         st.sampled_from([n * PAGE + more for n in range(4) for more in (0, 1, 2048)])),
)  # fmt: skip

without_files = st.one_of(*common, *often(anonymous_maps, 9), *often(advice([*ADVICE, REMOVE]), 5))
with_files = st.one_of(
    *common,
    *often(anonymous_maps, 3),
    *often(file_maps, 6),
    *often(advice(ADVICE), 4),
    *often(file_calls, 2),
)
