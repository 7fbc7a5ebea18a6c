"""Files to Image: segments, symbols, lines, includes."""

from __future__ import annotations

import pytest
from gnu_as import listing

from asm.assembler import assemble
from asm.image import Image
from asm.source import PACKAGE


def code(image: Image) -> list[str]:
    """The instructions of the text segment, without their addresses."""
    text = image.segments[0]
    return [line.partition(" ")[2] for line in listing(text.data, text.address)]


def data(image: Image) -> bytes:
    return image.segments[-1].data


def places(image: Image) -> list[tuple[int, int, str]]:
    """The line table, counted from the start of the image."""
    return [(line.address - 0x400000, line.size, line.place) for line in image.lines]


# Segments


def test_text_can_be_read_and_executed_and_data_read_and_written(program) -> None:
    text, data = program("nop\n.data\n.byte 1").segments
    assert (text.name, text.writable, text.executable) == ("text", False, True)
    assert (data.name, data.writable, data.executable) == ("data", True, False)


def test_data_begins_on_the_page_behind_the_text(program) -> None:
    for nops, place in ((1, 0x401000), (4096, 0x401000), (4097, 0x402000)):
        image = program(f".zero {nops}, 0x90\n.data\n.byte 1")
        assert [s.address for s in image.segments] == [0x400000, place]
        assert image.end == place + 1


def test_a_program_without_data_has_one_segment(program) -> None:
    assert [segment.name for segment in program("nop").segments] == ["text"]


def test_segments_are_gathered_from_everywhere(program) -> None:
    image = program(".data\n.byte 1\n.text\nnop\n.data\n.byte 2\n.text\nret")
    assert [segment.data for segment in image.segments] == [b"\x90\xc3", b"\x01\x02"]


def test_a_base_within_a_page_is_our_mistake(program) -> None:
    with pytest.raises(ValueError, match="page"):
        program("nop", base=0x400800)


def test_osmem_is_the_same_code_wherever_it_stands() -> None:
    low, high = (assemble(PACKAGE / "osmem" / "osmem.s", base) for base in (0x400000, 0x7F0000000))
    assert [s.data for s in low.segments] == [s.data for s in high.segments]
    moved = {name: address - 0x400000 for name, address in low.symbols.items()}
    assert moved == {name: address - 0x7F0000000 for name, address in high.symbols.items()}


def test_a_pointer_in_the_data_follows_the_base(program) -> None:
    assert data(program("f: nop\n.data\n.quad f", base=0x10000)) == (0x10000).to_bytes(8, "little")


def test_bytes_are_found_by_their_address(program) -> None:
    image = program("nop\nret\n.data\n.byte 1, 2, 3")
    assert image.bytes_at(0x400001, 9) == b"\xc3"
    assert image.bytes_at(0x401001, 1) == b"\x02"
    assert image.bytes_at(0x400002, 1) == b""


# Symbols


def test_labels_are_symbols_and_local_ones_are_not(program) -> None:
    image = program("first: nop\n.Llocal: nop\nsecond: ret\n.data\ncell: .byte 0")
    assert image.symbols == {"first": 0x400000, "second": 0x400002, "cell": 0x401000}


def test_an_address_is_told_by_the_symbol_before_it(program) -> None:
    image = program("nop\nf: nop\n.Lx: nop\ng: ret")
    shown = [image.symbol_at(0x400000 + offset) for offset in range(5)]
    assert shown == [None, "f", "f+0x1", "g", None]


def test_what_is_not_declared_is_exported_only_where_nothing_is(program) -> None:
    assert program("f: nop\ng: nop").exported == {"f", "g"}
    assert program(".globl f\nf: nop\ng: nop").exported == {"f"}
    assert program(".globl f, g\n.global h\nf: nop\ng: nop\nh: nop\ni: nop").exported == set("fgh")


def test_osmem_exports_its_contract() -> None:
    image = assemble(PACKAGE / "osmem" / "osmem.s")
    functions = {"os_malloc", "os_calloc", "os_realloc", "os_free"}
    assert image.exported == functions | {"os_errno"}


# Lines


def test_every_line_that_makes_bytes_is_in_the_table(program) -> None:
    image = program("# a comment\nf:\n        mov eax, 1   # one\n\n        ret\n.data\n.long 1, 2")
    assert places(image) == [(0, 5, "main.s:3"), (5, 1, "main.s:5"), (0x1000, 8, "main.s:7")]
    assert image.lines[0].text == "        mov eax, 1   # one"


def test_an_address_within_an_instruction_belongs_to_its_line(program) -> None:
    image = program("nop\nmov eax, 1\nret")
    lines = [image.line_at(0x400000 + offset) for offset in (-1, 0, 1, 5, 6, 7)]
    assert [line and line.line for line in lines] == [None, 1, 2, 2, 3, None]


def test_two_labels_and_an_instruction_share_a_line(program) -> None:
    image = program("a: b: nop")
    assert image.symbols == {"a": 0x400000, "b": 0x400000}
    assert places(image) == [(0, 1, "main.s:1")]


def test_a_macro_belongs_to_the_line_that_uses_it(program) -> None:
    image = program(".macro twice what\n\\what\n\\what\n.endm\nnop\ntwice ret\ntwice nop")
    assert places(image) == [(0, 1, "main.s:5"), (1, 2, "main.s:6"), (3, 2, "main.s:7")]


def test_a_macro_makes_functions(program) -> None:
    source = ".macro give n\n.Lhere_\\n:\ngive_\\n: mov eax, \\n\nret\n.endm\nnop\ngive 1\ngive 2"
    image = program(source)
    assert image.symbols == {"give_1": 0x400001, "give_2": 0x400007}
    assert image.exported == {"give_1", "give_2"}


def test_repeated_lines_belong_to_the_rept(program) -> None:
    assert places(program(".rept 3\nnop\n.endr\nret")) == [(0, 3, "main.s:1"), (3, 1, "main.s:4")]


def test_a_choice_belongs_to_its_if(program) -> None:
    image = program(".equ A, 1\n.if A\nnop\n.else\nret\n.endif\nret")
    assert places(image) == [(0, 1, "main.s:2"), (1, 1, "main.s:7")]


def test_included_lines_name_their_own_file(program) -> None:
    image = program('nop\n.include "other.s"\nret', **{"other.s": "\nnop"})
    assert places(image) == [(0, 1, "main.s:1"), (1, 1, "other.s:2"), (2, 1, "main.s:3")]


def test_the_lines_of_osmem_cover_its_text() -> None:
    image = assemble(PACKAGE / "osmem" / "osmem.s")
    text = image.segments[0]
    covered = sum(line.size for line in image.lines if line.address < text.end)
    assert covered == len(text.data)
    assert image.line_at(image.symbols["os_malloc"]).file == "asm/osmem/malloc.s"


# Includes


def test_includes_are_relative_to_the_file_that_includes(program) -> None:
    image = program(
        '.include "part/one.s"',
        **{"part/one.s": '.include "two.s"\nnop', "part/two.s": "ret"},
    )
    assert places(image) == [(0, 1, "part/two.s:1"), (1, 1, "part/one.s:2")]


def test_shipped_sources_can_be_included_from_anywhere(program) -> None:
    assert code(program('.include "osmem/layout.s"\nmov eax, META')) == ["mov eax, 0x20"]


def test_a_file_may_be_included_twice_in_a_row(program) -> None:
    assert code(program('.include "o.s"\n.include "o.s"', **{"o.s": "nop"})) == ["nop", "nop"]


# Directives


@pytest.mark.parametrize(
    ("directive", "made"),
    [
        (".byte 1, -1, 255", b"\x01\xff\xff"),
        (".byte 'a', 'b' + 1", b"ac"),
        (".word 0x1234", b"\x34\x12"),
        (".short -2", b"\xfe\xff"),
        (".long 16", b"\x10\0\0\0"),
        (".int 0x80000000", b"\0\0\0\x80"),
        (".quad 16, -1", b"\x10" + bytes(7) + b"\xff" * 8),
        (".quad 0xffffffffffffffff", b"\xff" * 8),
        (".zero 3", bytes(3)),
        (".zero 2, 7", b"\x07\x07"),
        (".skip 1", b"\0"),
        (".space 2", bytes(2)),
        ('.ascii "ab", "#;c"', b"ab#;c"),
        ('.asciz "a\\n\\"b"', b'a\n"b\0'),
        ('.string "a"', b"a\0"),
        (".byte 1\n.p2align 2\n.byte 2", b"\x01\0\0\0\x02"),
        (".byte 1\n.balign 2\n.byte 2", b"\x01\0\x02"),
        (".byte 1\n.align 4\n.byte 2", b"\x01\0\0\0\x02"),
        (".rept 2\n.byte 1, 2\n.endr", b"\x01\x02\x01\x02"),
        (".equ A, 3\n.if A == 3\n.byte 1\n.else\n.byte 2\n.endif", b"\x01"),
        (".equ A, 3\n.ifdef A\n.byte 1\n.endif\n.ifndef A\n.byte 2\n.endif", b"\x01"),
        (".if 0\n.byte 1\n.elseif 1\n.byte 2\n.endif", b"\x02"),
        (".equ A, 8\n.equ B, (A + 7) & ~(A - 1)\n.byte A, -A, B, 2 + A * 3", b"\x08\xf8\x08\x1a"),
        (".macro pair a, b=9\n.byte \\a, \\b\n.endm\npair 1, 2\npair 3", b"\x01\x02\x03\x09"),
        ("x: .byte 1\ny: .quad y - x", b"\x01\x01" + bytes(7)),
    ],
)
def test_a_directive_makes_its_bytes(program, directive: str, made: bytes) -> None:
    assert data(program(f".data\n{directive}")) == made


def test_export_and_kind_of_a_symbol_make_no_bytes(program) -> None:
    text = ".intel_syntax noprefix\n.globl f\n.type f, @function\nf: ret\n.size f, .-f"
    assert data(program(text)) == b"\xc3"


def test_sixteen_is_sixteen(program) -> None:
    """Keystone reads decimals as hexadecimal once its syntax has been set, whatever to."""
    assert code(program("mov eax, 16\nmov ecx, [rdi + 16]\nadd rax, 10")) == [
        "mov eax, 0x10",
        "mov ecx, dword ptr [rdi + 0x10]",
        "add rax, 0xa",
    ]


def test_a_jump_is_as_long_as_it_must_be(program) -> None:
    near, far = (program(f"f: .zero {n}, 0x90\njmp f").segments[0].data[n:] for n in (100, 200))
    assert (len(near), len(far)) == (2, 5)
