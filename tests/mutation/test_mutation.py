"""The mutation run: its mutants, its arithmetic, and a small sample of it over osmem.

The whole run: python -m tests.mutation --count 0
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from asm import source
from asm.source import PACKAGE
from tests.mutation import campaign, explanations
from tests.mutation.__main__ import main, report, status
from tests.mutation.catching import caught
from tests.mutation.explanations import EQUIVALENT, UNSEEN, Explanation
from tests.mutation.mutants import KINDS, Mutant, mutants
from tests.mutation.operators import OPERATORS, Around

OSMEM = PACKAGE / "osmem"
AROUND = Around(
    fields=("BLOCK_SIZE", "BLOCK_NEXT"),
    variables=("heap_head", "heap_tail"),
    targets=(".Lmore", ".Ldone"),
    functions=("grow", "alloc", "free"),
)


@pytest.fixture(scope="module")
def every() -> list[Mutant]:
    return mutants(OSMEM)


# Mutants


@pytest.mark.parametrize(
    ("kind", "body", "made"),
    [
        ("conditions", "jae .Ldone", ["jb .Ldone", "ja .Ldone", "jge .Ldone", "jmp .Ldone"]),
        ("conditions", "cmova rcx, rdx", ["cmovbe rcx, rdx", "cmovae rcx, rdx", "cmovg rcx, rdx"]),
        ("conditions", "jmp .Ldone", []),
        ("instructions", "add rax, META", ["sub rax, META"]),
        ("instructions", "rep stosq", ["rep stosb", "rep stosw", "rep stosd", "stosq"]),
        ("dropped", "call grow", [""]),
        ("constants", "cmp rax, META",
         ["cmp rax, META + 1", "cmp rax, META - 1", "cmp rax, META + 8", "cmp rax, META - 8"]),
        ("constants", "mov r8, -1", ["mov r8, 0", "mov r8, -2", "mov r8, 7", "mov r8, -9"]),
        ("constants", ".equ PAGE, 4096",
         [".equ PAGE, 4097", ".equ PAGE, 4095", ".equ PAGE, 4104", ".equ PAGE, 4088"]),
        ("fields", "mov rax, [rdi + BLOCK_SIZE]",
         ["mov rax, [rdi + BLOCK_NEXT]", "mov rax, [rdi + BLOCK_SIZE + 1]",
          "mov rax, [rdi + BLOCK_SIZE + 8]", "mov rax, [rdi + BLOCK_SIZE - 8]", "mov rax, [rdi]"]),
        ("fields", "mov rax, [rip + heap_tail]",
         ["mov rax, [rip + heap_head]", "mov rax, [rip + heap_tail + 1]",
          "mov rax, [rip + heap_tail + 8]", "mov rax, [rip + heap_tail - 8]"]),
        ("registers", "push rbx", ["push rsi", "push rdi", "push rdx"]),
        ("registers", "xor eax, eax", ["xor ecx, eax", "xor edx, eax", "xor edi, eax",
                                       "xor eax, ecx", "xor eax, edx", "xor eax, edi",
                                       "xor eax, eax"]),
        ("widths", "mov dword ptr [rdi + 8], eax",
         ["mov qword ptr [rdi + 8], eax", "mov word ptr [rdi + 8], eax",
          "mov dword ptr [rdi + 8], rax", "mov dword ptr [rdi + 8], ax"]),
        ("targets", "jz .Ldone", ["jz .Lmore"]),
        ("targets", "call alloc", ["call grow", "call free"]),
    ],
)  # fmt: skip
def test_an_operator_makes_these(kind: str, body: str, made: list[str]) -> None:
    statement = source.statement("some.s", 1, body)
    assert statement
    assert list(OPERATORS[kind](statement, AROUND)) == made


def test_every_statement_of_osmem_has_mutants(every: list[Mutant]) -> None:
    mutated = {(m.file, m.line + n) for m in every for n in range(m.lines)}
    for path in OSMEM.glob("*.s"):
        for number, line in enumerate(path.read_text().split("\n"), 1):
            statement = source.statement(path.name, number, line)
            if statement and statement.body and not statement.word.startswith("."):
                assert (path.name, number) in mutated
    assert {mutant.kind for mutant in every} == set(KINDS)
    assert len({mutant.name for mutant in every}) == len(every) > 3000


def test_a_mutant_differs_in_its_lines_alone(every: list[Mutant], tmp_path: Path) -> None:
    for number, mutant in enumerate(every[::400]):
        root = mutant.write(OSMEM, tmp_path / str(number) / "osmem")
        assert root.name == "osmem.s"
        for path in OSMEM.glob("*.s"):
            old, new = (f.read_text().split("\n") for f in (path, root.parent / path.name))
            if path.name == mutant.file:
                first, last = mutant.line - 1, mutant.line - 1 + mutant.lines
                assert new[first:last] == mutant.text.split("\n") != old[first:last]
                del old[first:last], new[first:last]
            assert old == new


def test_what_is_exchanged_stands_side_by_side(every: list[Mutant]) -> None:
    exchanged = [mutant for mutant in every if mutant.kind == "exchanged"]
    assert len(exchanged) > 100
    assert all(mutant.lines == 2 == len(mutant.text.split("\n")) for mutant in exchanged)


def test_the_order_is_the_seeds() -> None:
    names = [[m.name for m in campaign.drawn(OSMEM, seed)] for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]
    assert sorted(names[0]) == sorted(names[2])


# What is found out


def test_a_small_sample_is_caught_by_the_check() -> None:
    result = campaign.run(OSMEM, {}, caught, seed=3, count=6)
    assert [outcome.mutant.name for outcome in result.survivors] == []
    assert len(result.outcomes) == 6
    assert status(result) == 0


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("search.s find_best: mov rax, rdx -> mov eax, edx", "high addresses"),
        ("grow.s append_block: test rcx, rcx -> test ecx, ecx", "high addresses"),
        ("malloc.s heap_alloc: test rax, rax -> test rax, rdi", "high addresses"),
        ("grow.s append_block: test rax, rax -> test rax, rdi", "high addresses"),
        ("grow.s append_block: test rax, rax -> test eax, eax", "high addresses"),
        ("realloc.s os_realloc: test rax, rax -> test rdi, rax", "high addresses"),
        ("mapped.s map_block: cmp rax, FIRST_ERROR -> cmp rax, FIRST_ERROR + 8",
         "failing system calls"),
        ("realloc.s os_realloc: je .Lrealloc_of_freed -> je .Lrealloc_to_nothing", "misuse"),
        ("realloc.s os_realloc: mov rdx, [rbx + BLOCK_SIZE] -> mov edx, [rbx + BLOCK_SIZE]",
         "huge sizes"),
    ],
)  # fmt: skip
def test_what_only_one_topic_sees_is_seen_there(name: str, found: str, tmp_path: Path) -> None:
    (mutant,) = (mutant for mutant in mutants(OSMEM) if mutant.name == name)
    assert str(caught(mutant.write(OSMEM, tmp_path / "osmem"))).endswith(f": {found}")


# The arithmetic


def _blind(path: Path) -> str | None:
    return None


def _sees_all(path: Path) -> str | None:
    return "seen"


@pytest.fixture(scope="module")
def five() -> list[str]:
    """The names of the five that are drawn below."""
    result = campaign.run(OSMEM, {}, _blind, seed=0, count=5)
    return [outcome.mutant.name for outcome in result.outcomes]


def _told(names: list[str], verdict: str) -> dict[str, Explanation]:
    return {name: Explanation(verdict, "so it is") for name in names}


def test_a_survivor_without_an_explanation_fails_the_run(five: list[str]) -> None:
    known = _told(five[:4], EQUIVALENT)
    result = campaign.run(OSMEM, known, _blind, seed=0, count=5)
    assert [outcome.mutant.name for outcome in result.unexplained] == five[4:]
    assert (status(result), result.score) == (1, 0.0)
    assert f"not caught: {five[4]}" in report(result)


def test_equivalent_mutants_are_not_alive(five: list[str]) -> None:
    result = campaign.run(OSMEM, _told(five, EQUIVALENT), _blind, seed=0, count=5)
    assert (status(result), result.score, len(result.equivalent)) == (0, 100.0, 5)


def test_mutants_that_nothing_sees_count_even_if_they_are_explained(five: list[str]) -> None:
    result = campaign.run(OSMEM, _told(five, UNSEEN), _blind, seed=0, count=5)
    assert result.unexplained == []
    assert (status(result), result.score, len(result.missed)) == (1, 0.0, 5)


def test_an_explanation_that_is_refuted_fails_the_run(five: list[str]) -> None:
    result = campaign.run(OSMEM, _told(five[:1], EQUIVALENT), _sees_all, seed=0, count=5)
    assert [outcome.mutant.name for outcome in result.wrongly_explained] == five[:1]
    assert (status(result), result.score) == (1, 100.0)


def test_the_same_code_and_what_does_not_assemble_are_no_mutants(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "tiny.s").write_text(".globl f\nf: mov eax, 1\nret\n")
    result = campaign.run(folder, {}, _sees_all, seed=0, count=-1)
    codes = [campaign.code_of(one.mutant, folder) for one in result.outcomes]
    assert len(set(codes)) == len(codes) > 5
    assert result.dead > 0
    assert len(codes) + result.dead + result.same == len(mutants(folder))


# The explanations


@pytest.mark.parametrize("path", sorted(explanations.table("").parent.glob("*.txt")), ids=str)
def test_every_explanation_is_of_a_mutant_that_there_is(path: Path) -> None:
    names = {mutant.name for mutant in mutants(PACKAGE / path.stem)}
    assert set(explanations.read(path)) <= names


def test_a_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("# why\n\na.s f: x -> y\na.s f: x -> z\n    equivalent: a: b\n\n"
                    "b.s: c -> d\n    unseen: e\n    f\n")  # fmt: skip
    assert explanations.read(path) == {
        "a.s f: x -> y": Explanation(EQUIVALENT, "a: b"),
        "a.s f: x -> z": Explanation(EQUIVALENT, "a: b"),
        "b.s: c -> d": Explanation(UNSEEN, "e f"),
    }
    assert explanations.read(tmp_path / "none.txt") == {}


@pytest.mark.parametrize(
    "text", ["a -> b\n", "    equivalent: no name\n", "a -> b\n    so it is\n"]
)
def test_a_table_without_reasons_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"some\.txt"):
        explanations.read(path)


# The command


def test_the_command_lists_mutants_and_refuses_what_is_no_allocator(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--list"])
    assert done.exit_code == 0
    assert "search.s find_best: jb .Lbest_step -> jbe .Lbest_step" in done.stdout.splitlines()
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert done.exit_code == 2
    assert f"an allocator begins in {tmp_path.name}/{tmp_path.name}.s" in done.stderr
