"""What is no allocator is refused; what dies before it can be called is reported."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from brought import GLIBC, HERE, MUSL
from click.testing import CliRunner

from emu import Heap
from emu.allocators import MALLOC, OSMEM, Choice
from emu.allocators.compiler import CompilerError
from emu.cli import main
from emu.errors import (
    AllocatorError,
    BudgetSpent,
    GuestExited,
    GuestFailed,
    GuestFault,
    SnapshotError,
)

KINDS = {".c": "C source", ".o": "object", ".a": "archive", ".so": "shared library"}
BEFORE = "__attribute__((constructor)) static void before(void) {{ {} }}\n"
SCENARIO = "a = malloc 10\nfree a\n"


def source(folder: Path, text: str, name: str = "mine.c") -> Path:
    (folder / name).write_text(text)
    return folder / name


def cc(*arguments: object) -> None:
    subprocess.run(["gcc", "-w", *map(str, arguments)], check=True)


def pair(prefix: str, more: str = "") -> str:
    """Two functions: every block is the same."""
    return (
        f"static long block[100]; {more}\n"
        f"void *{prefix}malloc(unsigned long n) {{ return block; }}\n"
        f"void {prefix}free(void *p) {{ }}\n"
    )


# How it may come


@pytest.mark.parametrize("prefix", ["os_", "", "my_", "mm_"])
def test_functions_are_found_by_name(prefix, tmp_path):
    more = "int mm_init(void) { return 0; }" if prefix == "mm_" else ""
    with Heap(source(tmp_path, pair(prefix, more))) as heap:
        assert heap.description.functions == {"malloc": prefix + "malloc", "free": prefix + "free"}
        assert heap.contract == (OSMEM if prefix == "os_" else MALLOC)
        heap.free(heap.malloc(1))
        assert [call.name for call in heap.calls] == [prefix + "malloc", prefix + "free"]
        assert [call.kind for call in heap.calls] == ["malloc", "free"]


def test_a_prefix_is_looked_for_alone(tmp_path):
    path = source(tmp_path, pair("") + pair("x_").replace("block", "other"))
    for heap in (Heap(Choice(str(path), prefix="x_")), Heap(path, prefix="x_")):
        with heap:
            assert heap.description.function("malloc") == "x_malloc"
    with pytest.raises(AllocatorError, match="no allocator: y_malloc, y_free are missing"):
        Heap(Choice(str(path), prefix="y_"))


def test_what_is_missing_is_said_when_it_is_called():
    with Heap(HERE / "mapped.c") as heap:
        assert (heap.description.has("malloc"), heap.description.has("calloc")) == (True, False)
        with pytest.raises(AllocatorError, match="the allocator has no my_calloc"):
            heap.calloc(1, 2)
        with pytest.raises(AllocatorError, match="the allocator has no my_realloc"):
            heap.realloc(None, 2)
        assert heap.calls == []


def test_an_object_an_archive_a_library_and_a_program_are_one_allocator(tmp_path):
    made = {name: tmp_path / name for name in ("list.o", "list.a", "list.so", "list", "static")}
    cc("-g", "-O1", "-c", "-fPIC", HERE / "list.c", "-o", made["list.o"])
    other = source(tmp_path, "int unrelated(void) { return 1; }", "other.c")
    cc("-c", other, "-o", tmp_path / "other.o")
    subprocess.run(["ar", "rc", made["list.a"], tmp_path / "other.o", made["list.o"]], check=True)
    cc("-shared", made["list.o"], "-o", made["list.so"])
    start = source(tmp_path, "extern void *os_malloc(long); int main() { os_malloc(1); }", "m.c")
    cc("-pie", start, made["list.o"], "-o", made["list"])
    cc("-static", start, made["list.o"], "-o", made["static"])
    for path in (HERE / "list.c", *made.values()):
        with Heap(path) as heap:
            blocks = [heap.malloc(100), heap.calloc(3, 8), heap.realloc(0, 50)]
            assert [heap.place(one) for one in blocks] == ["heap+0x20", "heap+0xa8", "heap+0xe0"]
            assert [(b.size, b.status) for b in heap.blocks] == [
                (104, "alloc"), (24, "alloc"), (56, "alloc"),
            ]  # fmt: skip
            assert heap.check() == []
            kind = heap.description.kind
        assert kind == {
            ".c": "C source",
            ".o": "object",
            ".a": "archive",
            ".so": "shared library",
        }.get(path.suffix, "program")


def test_an_archive_of_several_objects_is_linked_by_what_is_called(tmp_path):
    sources = {"m.c": 'extern void *helped(void); void *my_malloc(long n) { return helped(); }',
               "f.c": "void my_free(void *p) {}",
               "h.c": "static long room[9]; void *helped(void) { return room; }",
               "unused.c": "void broken(void) { nowhere(); }"}  # fmt: skip
    for name, text in sources.items():
        cc("-c", source(tmp_path, text, name), "-o", tmp_path / f"{name}.o")
    objects = [tmp_path / f"{name}.o" for name in sources]
    subprocess.run(["ar", "rc", tmp_path / "mine.a", *objects], check=True)
    with Heap(tmp_path / "mine.a") as heap:
        assert heap.malloc(1)


def test_flags_are_the_persons(tmp_path):
    path = source(tmp_path, "#include <stddef.h>\n#ifdef YES\n" + pair("my_") + "#endif\n")
    with pytest.raises(AllocatorError, match="no malloc and no free by a name that is known"):
        Heap(path)
    for heap in (Heap(Choice(str(path), cflags="-O2 -DYES")), Heap(path, cflags="-DYES")):
        with heap:
            assert heap.malloc(1)


def test_a_header_that_changes_is_seen(tmp_path):
    header = source(tmp_path, "#define SIZE 8\n", "size.h")
    path = source(
        tmp_path, '#include "size.h"\n' + pair("my_").replace("return block", "return block + SIZE")
    )
    with Heap(path) as heap:
        first = heap.malloc(1)
    header.write_text("#define SIZE 16\n")
    with Heap(path) as heap:
        assert heap.malloc(1) == first + 64


def test_a_static_program_of_c_is_not_taken_for_its_libc(tmp_path):
    path = source(tmp_path, "void *mymalloc(long n) { return 0; }")
    with pytest.raises(AllocatorError, match="no malloc and no free by a name that is known"):
        Heap(Choice(str(path), cflags="-static"))


def test_static_works_too_and_the_heap_begins_where_the_allocators_does():
    with Heap(Choice(str(HERE / "list.c"), cflags="-static")) as heap:
        assert heap.place(heap.malloc(24)) == "heap+0x20"
        assert heap.check() == []


def test_an_own_malloc_that_prints_is_never_called_for_the_printing():
    with Heap(HERE / "interposed.c") as heap:
        heap.free(heap.malloc(3))
        assert heap.process.kernel.output(1) == b"malloc(3)\nfree of 3\n"
        assert heap.place(heap.calls[0].result) == "heap+0x10"


def test_an_own_main_does_not_run():
    with Heap(HERE / "mapped.c") as heap:
        heap.malloc(1)
        assert heap.process.kernel.output(1) == b""


def test_a_library_that_wants_musl_is_loaded_by_musl(tmp_path):
    if not (shutil.which("musl-gcc") and MUSL.exists()):
        pytest.skip("no musl-gcc")
    made = tmp_path / "list.so"
    subprocess.run(["musl-gcc", "-shared", "-fPIC", HERE / "list.c", "-o", made], check=True)
    with Heap(made) as heap:
        assert any("musl" in one.path for one in heap.process.objects)
        # its sbrk moves no break
        assert heap.malloc(24) == 0
        assert heap.errno == 12


def test_a_path_with_a_colon_and_a_blank_is_loaded(tmp_path):
    made = tmp_path / "a list: mine.so"
    cc("-shared", "-fPIC", HERE / "list.c", "-o", made)
    with Heap(made) as heap:
        assert heap.malloc(1)


def test_a_stripped_program_is_started_by_what_it_hands_to_its_libc(tmp_path):
    path = source(tmp_path, "#include <stdlib.h>\nint main() { abort(); }")
    cc("-s", path, "-o", tmp_path / "program")
    with Heap(tmp_path / "program") as heap:
        assert heap.place(heap.malloc(24)) == "heap+0x2a0"


# The malloc lab


def test_the_labs_initialization_runs_first_and_counts_for_nothing():
    with Heap(HERE / "mm.c") as heap:
        assert heap.syscalls == ()
        assert heap.brk == heap.start + 16
        assert heap.place(heap.malloc(24)) == "heap+0x10"
        assert heap.brk == heap.start + 48
        assert not heap.description.has("calloc")
        assert heap.malloc(1 << 40) == 0


def test_an_initialization_that_fails_is_reported(tmp_path):
    path = source(tmp_path, pair("mm_", "int mm_init(void) { return -1; }"))
    with pytest.raises(GuestFailed, match=r"mm_init\(\) answered -1, and not 0"):
        Heap(path)


def test_an_own_memlib_goes_before_ours(tmp_path):
    text = """
        static char room[1 << 20], *end = room;
        void mem_init(void) { }
        void *mem_heap_lo(void) { return room; }
        void *mem_sbrk(long n) { char *old = end; end += n; return old; }
    """
    own = source(tmp_path, text, "memlib.c")
    with Heap(Choice(str(HERE / "mm.c"), cflags=str(own))) as heap:
        assert heap.malloc(24)
        assert heap.brk == heap.start


def test_what_holds_a_file_open_begins_anew_each_time(tmp_path):
    before = "extern int open(const char *, int); int fd; "
    before += BEFORE.format('fd = open("/proc/self/exe", 0);')
    path = source(tmp_path, before + pair("my_").replace("return block", "return block + fd"))
    with Heap(path) as heap, Heap(path) as other:
        assert heap.malloc(1) == other.malloc(1)
        with pytest.raises(SnapshotError, match="twice"):
            heap.fork()


# What is refused


def test_the_compiler_is_quoted(tmp_path):
    path = source(tmp_path, "void *malloc(int n)\n{ return nothing; }\n")
    with pytest.raises(CompilerError) as error:
        Heap(path)
    assert f"{path}:2:10: error: 'nothing' undeclared" in str(error.value)
    with pytest.raises(CompilerError, match="undefined reference to `nowhere'"):
        Heap(source(tmp_path, pair("my_") + "void f(void) { nowhere(); }"))
    with pytest.raises(AllocatorError, match="No closing quotation"):
        Heap(Choice(str(path), cflags="-D'"))


def test_without_a_compiler_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AllocatorError, match="no C compiler here"):
        Heap(source(tmp_path, pair("my_", "/* another */")))


def test_files_that_are_no_allocator_are_refused(tmp_path):
    text = tmp_path / "mine.txt"
    text.write_text("hello")
    script = tmp_path / "libc.so"
    script.write_text("GROUP ( libc.so.6 )")
    torn = tmp_path / "torn.so"
    torn.write_bytes(GLIBC.read_bytes()[:100])
    wide = tmp_path / "other"
    data = bytearray(Path("/bin/true").resolve().read_bytes())
    data[18] = 183
    wide.write_bytes(data)
    for path, message in (
        (text, "this is no allocator"), (script, "this is no allocator"),
        (torn, "this ELF file is broken"), (wide, "for another machine: AArch64"),
        (tmp_path, "this is a directory"), (tmp_path / "nothing.so", "unknown allocator"),
        (Path("/dev/null"), "this is no regular file"),
    ):  # fmt: skip
        with pytest.raises(AllocatorError, match=message):
            Heap(path)


def test_a_library_without_an_allocator_is_no_allocator(tmp_path):
    made = tmp_path / "empty.so"
    cc("-shared", "-fPIC", source(tmp_path, "int nothing(void) { return 0; }"), "-o", made)
    with pytest.raises(AllocatorError, match="no malloc and no free by a name that is known"):
        Heap(made)


def test_a_library_that_the_loader_does_not_take_is_told_in_its_words(tmp_path):
    made = tmp_path / "torn.so"
    text = pair("") + "extern int gone(void); int f(void) { return gone(); }"
    cc("-shared", "-fPIC", source(tmp_path, text), "-o", made)
    with pytest.raises(GuestExited, match=r"exit status 127: .*undefined symbol: gone"):
        Heap(made)


def test_flags_for_what_is_not_compiled_are_refused():
    for name in ("osmem", str(GLIBC)):
        with pytest.raises(AllocatorError, match="--cflags -O2"):
            Heap(Choice(name, cflags="-O2"))


# What dies before main


@pytest.mark.parametrize(
    ("does", "error", "what"),
    [
        ("*(volatile int *)8 = 1;", GuestFault, "page fault: write to 0x8"),
        ("for (;;) ;", BudgetSpent, "not done within 1000000 instructions"),
        ('extern int puts(const char *); extern void exit(int); puts("no"); exit(3);',
         GuestExited, "ended itself with exit status 3: no"),
        ("extern void abort(void); abort();", GuestFault, "killed by SIGABRT"),
    ],
)  # fmt: skip
def test_what_dies_before_main_is_reported(does, error, what, tmp_path):
    path = source(tmp_path, BEFORE.format(does) + pair("my_"))
    with pytest.raises(error if error is not GuestFault else Exception, match=what) as died:
        Heap(path, budget=1_000_000)
    assert f"in       {path}, before main" in str(died.value)
    if error in (GuestFault, BudgetSpent) and "abort" not in does:
        assert "mine.c:1" in str(died.value)


def test_the_command_ends_with_3_where_it_dies_before_main(tmp_path):
    scenario = tmp_path / "one.heap"
    scenario.write_text(SCENARIO)
    path = source(tmp_path, BEFORE.format("*(volatile int *)8 = 1;") + pair("my_"))
    done = CliRunner().invoke(main, ["run", str(scenario), "--allocator", str(path)])
    assert done.exit_code == 3
    assert "page fault: write to 0x8" in done.output
    assert "mine.c:1" in done.output


# Faults within calls


def test_a_fault_names_the_line_of_c(tmp_path):
    text = pair("my_").replace("return block;", "\n    *(int *)n = 5;\n    return block;")
    path = source(tmp_path, text)
    with Heap(path) as heap, pytest.raises(GuestFault) as died:
        heap.malloc(24)
    assert "in       my_malloc(24)" in str(died.value)
    assert "mine.c:3: *(int *)n = 5;" in str(died.value)


def test_a_broken_promise_of_the_abi_is_found_in_c_too(tmp_path):
    text = pair("my_").replace("return block;", '__asm__("xor %ebx, %ebx"); return block;')
    with Heap(source(tmp_path, text)) as heap:
        heap.malloc(24)
        assert [finding.rule for finding in heap.findings] == ["convention"]
        assert "my_malloc: rbx was" in heap.findings[0].message


# Commands


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


@pytest.fixture
def scenario(tmp_path) -> Path:
    path = tmp_path / "one.heap"
    path.write_text("a = malloc 1000\nb = malloc 24\nfree a\nexpect clean\n")
    return path


def test_run_tells_what_callers_hold(scenario):
    status, shown = run("run", scenario, "--allocator", GLIBC)
    assert status == 0
    assert "a = malloc(1000)" in shown
    assert "live  24 bytes in 1 block   as callers hold them" in shown
    assert "heap+0x690                 24   #2" in shown


def test_run_takes_flags_and_a_prefix(scenario, tmp_path):
    path = source(tmp_path, "#ifdef YES\n" + pair("x_").replace("[100]", "[1000]") + "#endif\n")
    assert run("run", scenario, "--allocator", path)[0] == 2
    status, shown = run("run", scenario, "--allocator", path, "--cflags", "-DYES", "--prefix", "x_")
    assert (status, "overlap" in shown, "x_malloc" in shown) == (1, True, True)


def test_a_scenario_that_needs_what_is_missing_is_wrong_input(tmp_path):
    path = tmp_path / "two.heap"
    path.write_text("a = calloc 3 4\n")
    status, shown = run("run", path, "--allocator", HERE / "mapped.c")
    assert status == 2
    assert "the allocator has no my_calloc" in shown


def test_trace_counts_lines_of_c(scenario):
    status, shown = run("trace", scenario, "--allocator", HERE / "list.c", "--coverage")
    assert status == 0
    assert "list.c" in shown
    assert "last = block" in shown


def test_a_program_of_its_own_takes_no_allocators_options(tmp_path):
    for option in ("--cflags", "--prefix", "--allocator", "--heap-start"):
        status, shown = run("trace", "--exec", option, "4096", "/bin/true")
        assert (status, "a program brings its own allocator" in shown) == (2, True)


def test_a_source_is_named_as_the_person_does(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "list.c", "list.c")
    shutil.copy(HERE / "list.h", "list.h")
    with Heap("list.c") as heap, pytest.raises(GuestFault) as died:
        heap.free(5)
    assert "\n  source   list.c:42: " in str(died.value)
