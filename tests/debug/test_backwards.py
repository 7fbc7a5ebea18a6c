"""gdb goes back: reverse-stepi, reverse-continue, and both ends of the history."""

from __future__ import annotations

from clients import gdb, served
from test_gdb import AT_MAIN, after

END = "\nNo more reverse-execution history.\n"


def test_a_step_back_undoes_a_step(ask):
    shown = ask("stepi 4", "reverse-stepi", "info threads", "reverse-stepi 2", "print $rcx")
    assert shown == after("""
23\tin guest.s
22\tin guest.s
  Id   Target Id         Frame
* 1    Thread 1 (+3)     add_one () at guest.s:22
main () at guest.s:5
5\tin guest.s
$1 = 3
""")


def test_before_the_first_instruction_there_is_nothing(ask):
    begin = f"{END}main () at guest.s:4\n4\tin guest.s\n"
    assert ask("reverse-stepi", "reverse-continue", "stepi", "reverse-continue") == after(
        f"\n{begin}{begin}5\tin guest.s\n{begin}"
    )


def test_behind_the_last_recorded_instruction_there_is_nothing(ask):
    end = f"{END}add_one () at guest.s:24\n24\tin guest.s\n"
    assert ask("continue", "stepi", most=5) == after(f"\n{end}{end}")


def test_breakpoints_stop_it_on_the_way_back_too(ask):
    shown = ask(
        "break add_one", "continue", "continue", "reverse-continue", "reverse-continue", "continue"
    )
    hit = "\nBreakpoint 1, add_one () at guest.s:22\n22\tin guest.s\n"
    begin = f"{END}main () at guest.s:4\n4\tin guest.s\n"
    assert shown == after(
        f"Breakpoint 1 at 0x40004e: file guest.s, line 22.\n{hit}{hit}{hit}{begin}{hit}"
    )


def test_a_watchpoint_finds_who_wrote_last(ask):
    shown = ask(
        "break mapped", "continue", "delete", "watch {long}&total", "reverse-continue", "x/i $pc",
        "reverse-continue", "print $rcx",
    )  # fmt: skip
    assert shown == after("""
Breakpoint 1 at 0x40003f: file guest.s, line 18.

Breakpoint 1, mapped () at guest.s:18
18\tin guest.s
Hardware watchpoint 2: {long}&total

Hardware watchpoint 2: {long}&total

Old value = 10
New value = 9
add_one () at guest.s:24
24\tin guest.s
=> 0x400054 <add_one+6>:\tmov    QWORD PTR [rbx],rax

Hardware watchpoint 2: {long}&total

Old value = 9
New value = 8
add_one () at guest.s:24
24\tin guest.s
$1 = 2
""")


def test_reverse_finish_goes_to_the_call(ask):
    assert ask("tbreak add_one", "continue", "stepi", "reverse-finish", "x/i $pc").endswith(
        "=> 0x40000c <again>:\tcall   0x40004e <add_one>\n[Inferior 1 (Remote target) detached]\n"
    )


def test_memory_that_was_not_mapped_yet_is_not_there(ask):
    assert ask(
        "break mapped", "continue", "x/gx $rax", "reverse-stepi 3", "x/gx 0x7ffff7ffe000"
    ) == after("""
Breakpoint 1 at 0x40003f: file guest.s, line 18.

Breakpoint 1, mapped () at guest.s:18
18\tin guest.s
0x7ffff7ffe000:\t0x0000000000001234
15\tin guest.s
0x7ffff7ffe000:\tCannot access memory at address 0x7ffff7ffe000
""")


def test_what_cannot_be_changed_is_refused(ask):
    shown = ask("stepi 4", "reverse-stepi", "set {long}&total = 5", "set var $rax = 1", "stepi")
    assert shown == after("""
23\tin guest.s
22\tin guest.s
Cannot access memory at address 0x401000
Could not write register "rax"; remote failure reply 'E01'
23\tin guest.s
""")


def test_a_program_that_has_ended_can_be_gone_back_in_by_the_next_gdb(stand):
    with served(stand()) as port:
        assert gdb(port, "continue").startswith(AT_MAIN)
        assert (
            gdb(port, "print $rdi", "reverse-stepi 3", "print/x $pc")
            == """\
add_one () at guest.s:22
22\tguest.s: No such file or directory.
$1 = 42
19\tin guest.s
$2 = 0x400042
[Inferior 1 (Remote target) detached]
"""
        )
