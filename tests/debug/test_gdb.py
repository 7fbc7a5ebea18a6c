"""gdb attaches, looks, changes and runs: its whole output is compared."""

from __future__ import annotations

import signal
import struct
import subprocess
import time

from clients import Raw, gdb, gdb_command, said, served
from debugged import ENDLESS, FAULT, PROGRAM, STORE, anywhere

AT_MAIN = "main () at guest.s:4\n4\tguest.s: No such file or directory.\n"
"""What gdb says when it has attached: it has the lines, and not the source."""
_ANEW = "maintenance flush register-cache"
"""gdb asks again for what it has set."""
DETACHED = "[Inferior 1 (Remote target) detached]\n"


def after(text: str) -> str:
    """An expected session of a program that is still there at the end."""
    return AT_MAIN + text.removeprefix("\n") + DETACHED


def test_gdb_attaches_with_symbols_and_lines_and_leaves(ask):
    assert ask() == after("")


def test_the_registers_are_those_of_the_program(ask):
    shown = ask("stepi", "info registers rcx rsp rip eflags cs ss fs_base", "p $orig_rax")
    assert shown == after("""
5\tin guest.s
rcx            0x3                 3
rsp            0x7fffffffe000      0x7fffffffe000
rip            0x400005            0x400005 <main+5>
eflags         0x202               [ IF ]
cs             0x33                51
ss             0x2b                43
fs_base        0x0                 0
$1 = -1
""")


def test_what_a_new_program_has_for_floating_point(ask):
    assert ask("print $mxcsr", "print/x $fctrl", "print/x $ftag", "print $st0") == after("""
$1 = [ IM DM ZM OM UM PM ]
$2 = 0x37f
$3 = 0xffff
$4 = 0
""")


def test_registers_of_every_kind_are_set(ask):
    values = {
        "$rax": "0x1122334455667788", "$eflags": "0x247", "$fs_base": "0x1234",
        "$xmm9.v2_int64[0]": "0x1122334455667788", "$xmm9.v2_int64[1]": "0x99aabbccddeeff",
        "$mxcsr": "0x9fc0", "$fctrl": "0x27f",
    }  # fmt: skip
    commands = [f"set var {name} = {value}" for name, value in values.items()]
    shown = ask(*commands, _ANEW, *(f"print/x {name}" for name in values))
    lines = (f"${n} = {value}\n" for n, value in enumerate(values.values(), start=1))
    assert shown == after("".join(lines))


def test_what_is_set_in_st0_is_what_the_program_stores(ask):
    shown = ask("set var $st0 = 1.5", "set var $ftag = 0x3fff", _ANEW, "print $st0", "stepi",
                "print {double}&x", source=STORE)  # fmt: skip
    assert "$1 = 1.5\n" in shown
    assert "$2 = 1.5\n" in shown


def test_memory_is_read_written_and_missing(ask):
    shown = ask(
        "x/3i $pc", "x/gd &total", "set {long}&total = 41", "x/gd &total", "x/x 0", "x/x 0x402000",
        "print {char}0x401fff", "find /b 0x400000, +88, 0xc3",
    )  # fmt: skip
    assert shown == after("""
=> 0x400000 <main>:\tmov    ecx,0x3
   0x400005 <main+5>:\tlea    rbx,[rip+0xff4]        # 0x401000
   0x40000c <again>:\tcall   0x40004e <add_one>
0x401000:\t7
0x401000:\t41
0x0:\tCannot access memory at address 0x0
0x402000:\tCannot access memory at address 0x402000
$1 = 0 '\\000'
0x400057 <add_one+9>
1 pattern found.
""")


def test_a_page_that_is_mapped_after_gdb_has_come_can_be_read_and_written(ask):
    shown = ask("break mapped", "continue", "x/gx $rax", "set {long}$rax = 5", "x/gx $rax")
    assert shown == after("""
Breakpoint 1 at 0x40003f: file guest.s, line 18.

Breakpoint 1, mapped () at guest.s:18
18\tin guest.s
0x7ffff7ffe000:\t0x0000000000001234
0x7ffff7ffe000:\t0x0000000000000005
""")


def test_breakpoints_by_address_and_by_symbol_in_software_and_hardware(ask):
    shown = ask(
        "break *0x40004e", "hbreak again", "continue", "continue", "backtrace", "continue",
        "delete", "continue",
    )  # fmt: skip
    assert (
        shown
        == AT_MAIN
        + """\
Breakpoint 1 at 0x40004e: file guest.s, line 22.
Hardware assisted breakpoint 2 at 0x40000c: file guest.s, line 6.

Breakpoint 2, again () at guest.s:6
6\tin guest.s

Breakpoint 1, add_one () at guest.s:22
22\tin guest.s
#0  add_one () at guest.s:22
#1  0x0000000000400011 in again () at guest.s:6
#2  0x0000000000000000 in ?? ()

Breakpoint 2, again () at guest.s:6
6\tin guest.s
[Inferior 1 (Remote target) exited with code 052]
"""
    )


def test_a_jump_to_a_breakpoint_stops_there_before_it_runs(ask):
    assert ask("break *0x400013", "jump *0x400013") == after("""
Breakpoint 1 at 0x400013: file guest.s, line 8.

Breakpoint 1, again () at guest.s:8
8\tin guest.s
""")


def test_a_write_watchpoint_stops_behind_the_write(ask):
    shown = ask("watch {long}&total", "continue", "x/i $pc", "continue")
    assert shown == after("""
Hardware watchpoint 1: {long}&total

Hardware watchpoint 1: {long}&total

Old value = 7
New value = 8
add_one () at guest.s:25
25\tin guest.s
=> 0x400057 <add_one+9>:\tret

Hardware watchpoint 1: {long}&total

Old value = 8
New value = 9
add_one () at guest.s:25
25\tin guest.s
""")


def test_a_read_watchpoint_stops_behind_reads_alone(ask):
    assert ask("rwatch {long}&total", "continue", "continue") == after("""
Hardware read watchpoint 1: {long}&total

Hardware read watchpoint 1: {long}&total

Value = 7
add_one () at guest.s:23
23\tin guest.s

Hardware read watchpoint 1: {long}&total

Value = 8
add_one () at guest.s:23
23\tin guest.s
""")


def test_an_access_watchpoint_stops_behind_both(ask):
    assert ask("awatch {long}&total", "continue", "continue") == after("""
Hardware access (read/write) watchpoint 1: {long}&total

Hardware access (read/write) watchpoint 1: {long}&total

Value = 7
add_one () at guest.s:23
23\tin guest.s

Hardware access (read/write) watchpoint 1: {long}&total

Old value = 7
New value = 8
add_one () at guest.s:25
25\tin guest.s
""")


def test_a_fault_stops_at_its_instruction_and_then_kills(ask):
    shown = ask("continue", "print/x $rax", "x/i $pc", "continue", "info threads", source=FAULT)
    assert (
        shown
        == """\
main () at guest.s:3
3\tguest.s: No such file or directory.

Program received signal SIGSEGV, Segmentation fault.
crash () at guest.s:4
4\tin guest.s
$1 = 0x666
=> 0x400005 <crash>:\tmov    rdx,QWORD PTR [rax]

Program terminated with signal SIGSEGV, Segmentation fault.
The program no longer exists.
No threads.
"""
    )


def test_a_signal_that_the_program_did_not_get_is_refused(ask):
    assert ask("signal SIGUSR1") == after("""
warning: Remote failure reply: E.the program gets the signals of its own run, and no others

Program stopped.
main () at guest.s:4
4\tin guest.s
""")


def test_monitor_answers_for_itself_and_for_the_target(ask):
    shown = ask("monitor help", "monitor moment", "stepi", "monitor moment", "monitor no such")
    assert shown == after("""
monitor help      these lines
monitor moment    where in its history the program stands
monitor maps      its memory, as /proc/self/maps shows it
monitor long      many words
+0
5\tin guest.s
+1
no such command: "no such"; monitor help
""")


def test_monitor_may_say_more_than_fits_into_a_packet(ask):
    assert ask("monitor long") == after(("many words " * 3000).rstrip() + "\n")


MAPS = """\
00400000-00401000 r-xp 00000000 00:00 0                                  text
00401000-00402000 rw-p 00000000 00:00 0                                  data
7fffff7ff000-7ffffffff000 rw-p 00000000 00:00 0                          stack
"""


def test_the_memory_map_is_shown_as_linux_shows_it(ask):
    assert ask("monitor maps", "info proc mappings 1") == after(
        MAPS
        + """\
process 1
Mapped address spaces:

          Start Addr           End Addr       Size     Offset  Perms  objfile
            0x400000           0x401000     0x1000        0x0  r-xp   text
            0x401000           0x402000     0x1000        0x0  rw-p   data
      0x7fffff7ff000     0x7ffffffff000   0x800000        0x0  rw-p   stack
"""
    )


def test_the_thread_tells_the_moment(ask):
    assert ask("stepi", "info threads") == after("""
5\tin guest.s
  Id   Target Id         Frame
* 1    Thread 1 (+1)     main () at guest.s:5
""")


def test_a_program_without_a_file_is_debugged_by_addresses(stand):
    target = stand()
    target.executable = lambda: ("", b"")
    with served(target) as port:
        shown = gdb(port, "break *0x400011", "continue", "x/i $pc")
    assert shown == (
        f"""\
warning: No executable has been specified and target does not support
determining executable automatically.  Try using the "file" command.
0x0000000000400000 in ?? ()
Breakpoint 1 at 0x400011

Breakpoint 1, 0x0000000000400011 in ?? ()
=> 0x400011:\tdec    ecx
{DETACHED}"""
    )


def test_after_a_detach_another_gdb_finds_the_program_where_it_stood(stand):
    with served(stand()) as port:
        assert gdb(port, "break add_one", "stepi").startswith(AT_MAIN)
        assert gdb(port, "print $pc", "continue") == """\
main () at guest.s:5
5\tguest.s: No such file or directory.
$1 = (void (*)()) 0x400005 <main+5>
[Inferior 1 (Remote target) exited with code 052]
""", "the breakpoint of the first gdb is gone"  # fmt: skip


def test_kill_ends_the_server(stand):
    with served(stand()) as port:
        assert gdb(port, "kill") == AT_MAIN + "[Inferior 1 (Remote target) killed]\n"
        assert any(_refused(port) for _ in range(200))


def _refused(port):
    time.sleep(0.05)
    try:
        Raw(port).close()
    except ConnectionRefusedError:
        return True
    return False


def test_ctrl_c_stops_an_endless_loop(stand):
    target = stand(ENDLESS)
    with served(target) as port:
        command = gdb_command(port, "continue", "print $rax > 10", "info symbol main")
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while target.at < 100:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        shown = said(running.communicate(timeout=60)[0])
    assert "Program received signal SIGINT, Interrupt.\nmain () at guest.s:" in shown
    assert "$1 = 1\n" in shown


def test_the_auxiliary_vector_is_the_programs(stand):
    target = stand()
    target.auxv = lambda: struct.pack("<4Q", 6, 4096, 0, 0)
    with served(target) as port:
        assert gdb(port, "info auxv") == after("""
6    AT_PAGESZ            System page size               4096
0    AT_NULL              End of vector                  0x0
""")


def test_gdb_places_a_program_that_may_lie_anywhere_by_its_entry(stand):
    target = stand()
    target.auxv = lambda: struct.pack("<4Q", 9, 0x400000, 0, 0)
    target.executable = lambda: ("guest", anywhere(PROGRAM))
    with served(target) as port:
        shown = gdb(port, "print main", "print add_one", "info symbol $pc")
    assert "$1 = {<text variable, no debug info>} 0x400000 <main>\n" in shown
    assert "main in section .text" in shown
