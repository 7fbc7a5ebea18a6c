"""Bugs in C: in osmem.c against osmem's contract, in sound.c against what C promises of malloc."""

from __future__ import annotations

from dataclasses import replace

from planting import Bug


def _in_osmem(name: str, was: str, is_: str, caught_by: str) -> Bug:
    return Bug(f"osmem.c: {name}", "osmem.c", was, is_, caught_by, base="osmem.c")


def _in_sound(name: str, was: str, is_: str, caught_by: str) -> Bug:
    return Bug(f"sound.c: {name}", "sound.c", was, is_, caught_by, base="sound.c")


OSMEM_C_BUGS = [
    _in_osmem(
        "the header is smaller than it looks",
        "    return (struct block_meta *)((char *)payload - META);\n",
        "    return (struct block_meta *)((char *)payload - 24);\n",
        "blocks fault syscalls result",
    ),
    _in_osmem(
        "sizes are ints",
        "static void *alloc(size_t size, size_t threshold)\n",
        "static void *alloc(int size, size_t threshold)\n",
        "errno outside result syscalls",
    ),
    _in_osmem(
        "sizes are compared with their sign",
        "    if (size > MAX_REQUEST)\n        return out_of_memory();\n"
        "    if (size + META >= threshold)\n",
        "    if ((long)size > (long)MAX_REQUEST)\n        return out_of_memory();\n"
        "    if ((long)(size + META) >= (long)threshold)\n",
        "errno outside overlap result syscalls",
    ),
    _in_osmem(
        "the rest of a split follows itself",
        "    rest->next = block->next;\n    set_back_pointer(rest);\n    block->next = rest;\n",
        "    block->next = rest;\n    rest->next = block->next;\n",
        "list back-pointer budget tail tiling",
    ),
    _in_osmem(
        "no back pointer after a split",
        "    set_back_pointer(rest);\n    block->next = rest;\n",
        "    if (!rest->next)\n        tail = rest;\n    block->next = rest;\n",
        "back-pointer",
    ),
    _in_osmem(
        "a stale pointer is read",
        "    copy_bytes(moved, payload_of(block), filled < size ? filled : size);\n"
        "    os_free(payload_of(block));\n",
        "    os_free(payload_of(block));\n"
        "    copy_bytes(moved, payload_of(block), filled < size ? filled : size);\n",
        "fault",
    ),
    _in_osmem(
        "a mapping is left by its last byte",
        "    copy_bytes(moved, payload_of(block), filled < size ? filled : size);\n",
        "    copy_bytes(moved, payload_of(block), size);\n",
        "fault",
    ),
    _in_osmem(
        "the process ends where memory does",
        "    os_errno = OUT_OF_MEMORY;\n",
        "    _exit(1);\n",
        "exit",
    ),
    _in_osmem(
        "errno is negative",
        "    os_errno = OUT_OF_MEMORY;\n",
        "    os_errno = -OUT_OF_MEMORY;\n",
        "errno",
    ),
    _in_osmem(
        "the last of equals",
        "            if (!best || block->size < best->size)\n",
        "            if (!best || block->size <= best->size)\n",
        "result",
    ),
    _in_osmem(
        "the break is remembered before the kernel agrees",
        "    if ((uintptr_t)syscall(SYS_brk, wanted) != wanted)\n        return out_of_memory();\n"
        "    heap_break = wanted;\n",
        "    heap_break = wanted;\n"
        "    if ((uintptr_t)syscall(SYS_brk, wanted) != wanted)\n        return out_of_memory();\n",
        "syscalls",
    ),
    _in_osmem(
        "a freed block is merged at once",
        "    else\n        block->status = FREE;\n",
        "    else {\n        block->status = FREE;\n        if (free_behind(block))\n"
        "            absorb_next(block);\n    }\n",
        "blocks",
    ),
    _in_osmem(
        "calloc's product wraps",
        "    if (__builtin_mul_overflow(count, size, &bytes))\n        return out_of_memory();\n",
        "    bytes = count * size;\n",
        "calloc-overflow",
    ),
]

SOUND_C_BUGS = [
    _in_sound(
        "calloc's product wraps",
        "    if (__builtin_mul_overflow(count, size, &bytes))\n        return NULL;\n",
        "    bytes = count * size;\n",
        "calloc-overflow",
    ),
    _in_sound(
        "calloc trusts recycled memory",
        "        clear_bytes(payload, bytes);\n",
        "        payload[0] = 0;\n",
        "calloc-not-zero",
    ),
    _in_sound(
        "calloc clears whole words only",
        "        clear_bytes(payload, bytes);\n",
        "        clear_bytes(payload, bytes & ~(size_t)7);\n",
        "calloc-not-zero",
    ),
    _in_sound(
        "calloc clears the neighbour's header",
        "        clear_bytes(payload, bytes);\n",
        "        clear_bytes(payload, size_of(block_of(payload)));\n",
        "contents-changed overlap fault budget",
    ),
    _in_sound(
        "realloc forgets the last bytes",
        "    copy_bytes(moved, payload, room < request ? room : request);\n",
        "    copy_bytes(moved, payload, (room < request ? room : request) & ~(size_t)15);\n",
        "realloc-contents",
    ),
    _in_sound(
        "realloc copies what is not there",
        "    copy_bytes(moved, payload, room < request ? room : request);\n",
        "    copy_bytes(moved, payload, request);\n",
        "fault",
    ),
    _in_sound(
        "realloc of NULL is a block",
        "    if (!payload)\n        return malloc(request);\n",
        "",
        "fault",
    ),
    _in_sound(
        "realloc frees what it cannot move",
        "    if (!moved)\n        return NULL;\n",
        "    if (!moved) {\n        free(payload);\n        return NULL;\n    }\n",
        "contents-changed",
    ),
    _in_sound(
        "realloc absorbs a block in use",
        "    if (size > size_of(block) && free_behind(block))\n",
        "    if (size > size_of(block) && behind(block))\n",
        "overlap contents-changed fault",
    ),
    _in_sound(
        "realloc cuts at what was asked for",
        "    trim(block, size);\n    return payload;\n",
        "    trim(block, request);\n    return payload;\n",
        "contents-changed misaligned",
    ),
    _in_sound(
        "free of NULL is a block",
        "    if (!payload)\n        return;\n",
        "",
        "fault",
    ),
    _in_sound(
        "free reads what it has unmapped",
        "        munmap(block, size_of(block));\n",
        "        munmap(block, size_of(block)), block->size = 0;\n",
        "fault",
    ),
    _in_sound(
        "free wipes its neighbour",
        "    block->size &= ~IN_USE;\n    link_free(block);\n",
        "    clear_bytes(payload_of(block), size_of(block) + HEADER);\n"
        "    block->size &= ~IN_USE;\n    link_free(block);\n",
        "contents-changed fault",
    ),
    _in_sound(
        "free wipes one byte too many",
        "    block->size &= ~IN_USE;\n    link_free(block);\n",
        "    clear_bytes(payload_of(block), size_of(block) + 1);\n"
        "    block->size &= ~IN_USE;\n    link_free(block);\n",
        "contents-changed fault",
    ),
    _in_sound(
        "free loses a register of its caller's",
        "    block->size &= ~IN_USE;\n    link_free(block);\n",
        '    __asm__ volatile("xor %r15d, %r15d");\n'
        "    block->size &= ~IN_USE;\n    link_free(block);\n",
        "convention",
    ),
    _in_sound(
        "merges with a block in use",
        "    if (free_behind(block))\n        absorb_next(block);\n    if (!block->before)\n",
        "    if (behind(block))\n        absorb_next(block);\n    if (!block->before)\n",
        "overlap contents-changed fault",
    ),
    _in_sound(
        "the rest of a split takes a wrong block for the one before",
        "    rest->before = size;\n",
        "    rest->before = size_of(block);\n",
        "overlap contents-changed fault",
    ),
    _in_sound(
        "the last block is not known after a split",
        "    if (block == last)\n        last = rest;\n",
        "",
        "overlap contents-changed fault budget outside",
    ),
    _in_sound(
        "the last block is not known after a merge",
        "    if (next == last)\n        last = block;\n",
        "",
        "overlap contents-changed fault budget outside",
    ),
    _in_sound(
        "the ring is open",
        "    list.next->prev = block;\n",
        "",
        "overlap contents-changed fault budget",
    ),
    _in_sound(
        "the search goes round for ever",
        "    for (struct block *block = list.next; block != &list; block = block->next)\n",
        "    for (struct block *block = list.next;; block = block->next)\n",
        "budget",
    ),
    _in_sound(
        "a block that is a header too small fits",
        "        if (size_of(block) >= size)\n",
        "        if (size_of(block) + HEADER >= size)\n",
        "overlap outside contents-changed fault",
    ),
    _in_sound(
        "sizes are multiples of 4",
        "    size_t size = rounded(request + HEADER, 16);\n",
        "    size_t size = rounded(request + HEADER, 4);\n",
        "misaligned overlap contents-changed fault",
    ),
    replace(
        _in_sound(
            "payloads are multiples of 8 only",
            "    size_t skipped = -(uintptr_t)start & 15;\n",
            "    size_t skipped = 8;\n",
            "misaligned",
        ),
        alignment=16,
    ),
    _in_sound(
        "the header has one word",
        "#define HEADER offsetof(struct block, next)\n",
        "#define HEADER offsetof(struct block, size)\n",
        "overlap contents-changed fault budget outside",
    ),
    _in_sound(
        "sizes near 2^64 wrap",
        "    if (request > PTRDIFF_MAX - PAGE)\n        return NULL;\n"
        "    size_t size = needed(request);\n    if (size >= LARGE)\n",
        "    size_t size = needed(request);\n    if (size >= LARGE)\n",
        "outside overlap",
    ),
    _in_sound(
        "sizes are ints",
        "static size_t needed(size_t request)\n",
        "static unsigned needed(unsigned request)\n",
        "outside overlap",
    ),
    _in_sound(
        "a negative size is small",
        "    if (request > PTRDIFF_MAX - PAGE)\n        return NULL;\n"
        "    size_t size = needed(request);\n    if (size >= LARGE)\n",
        "    long size = (long)needed(request);\n    if (size >= (long)LARGE)\n",
        "outside overlap",
    ),
    _in_sound(
        "a failing brk is ignored",
        "    if ((heap_end && start != heap_end) || sbrk((intptr_t)(bytes + skipped)) != start)\n",
        "    sbrk((intptr_t)(bytes + skipped));\n    if (heap_end && start != heap_end)\n",
        "fault outside",
    ),
    _in_sound(
        "a failing mmap is ignored",
        "    if (block == MAP_FAILED)\n        return NULL;\n",
        "",
        "fault",
    ),
    _in_sound(
        "the last block is another before the kernel agrees",
        "    if ((heap_end && start != heap_end) || sbrk((intptr_t)(bytes + skipped)) != start)\n"
        "        return NULL;\n"
        "    struct block *block = (struct block *)(start + skipped);\n"
        "    block->before = last ? size_of(last) : 0;\n"
        "    block->size = bytes | IN_USE;\n    last = block;\n",
        "    struct block *block = (struct block *)(start + skipped);\n"
        "    size_t before = last ? size_of(last) : 0;\n    last = block;\n"
        "    if ((heap_end && start != heap_end) || sbrk((intptr_t)(bytes + skipped)) != start)\n"
        "        return NULL;\n"
        "    block->before = before;\n    block->size = bytes | IN_USE;\n",
        "fault",
    ),
    _in_sound(
        "the process ends where memory does",
        "    if (block == MAP_FAILED)\n        return NULL;\n",
        "    if (block == MAP_FAILED)\n        _exit(1);\n",
        "exit",
    ),
    _in_sound(
        "some sizes are refused",
        "    size_t bytes = rounded(size < MORE ? MORE : size, PAGE);\n",
        "    if (size > PAGE)\n        return NULL;\n    size_t bytes = MORE;\n",
        "refused",
    ),
]

C_BUGS = [*OSMEM_C_BUGS, *SOUND_C_BUGS]
