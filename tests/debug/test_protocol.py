"""What gdb does not say: packets by hand, broken ones, and thousands at random."""

from __future__ import annotations

import time

import pytest
from clients import Raw, served, talking
from debugged import ENDLESS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emu.debug.packets import MOST, Mark, escaped, framed, unescaped
from emu.debug.registers import NUMBERS, REGISTERS, SIZE
from emu.debug.session import Session
from emu.debug.transport import HOST, serve
from emu.errors import InputError, InternalError

EINVAL, EFAULT = b"E16", b"E0e"


@pytest.fixture
def client(stand):
    with talking(stand()) as client:
        yield client


@pytest.fixture
def answer(stand):
    """answer(packet) -> the packet that answers it, without a socket."""
    session = Session(stand())
    return lambda packet: session.answers(packet)[-1]


# Acknowledgments


def test_every_packet_is_acknowledged_until_gdb_asks_for_silence(client):
    client.send(framed(b"qC"))
    assert [client.next(), client.next()] == [Mark.ACK, b"QC1"]
    client.send(framed(b"QStartNoAckMode"))
    assert [client.next(), client.next()] == [Mark.ACK, b"OK"]
    client.send(framed(b"qC"))
    assert client.next() == b"QC1"


def test_a_garbled_packet_is_asked_for_again(client):
    client.send(b"$qC#00")
    assert client.next() is Mark.NAK
    assert client.ask(b"qC") == b"QC1"


def test_where_nothing_is_acknowledged_a_garbled_packet_is_an_error(client):
    client.ask(b"QStartNoAckMode")
    client.send(b"$qC#00")
    assert client.next() == EINVAL


def test_an_answer_that_got_lost_is_sent_again(client):
    assert client.ask(b"qC") == b"QC1"
    client.send(b"-")
    assert client.next() == b"QC1"


# Interrupts


def test_ctrl_c_in_the_same_breath_as_the_run_is_not_lost(stand):
    with talking(stand(ENDLESS)) as client:
        for _ in range(20):
            client.send(framed(b"c") + b"\x03")
            assert client.next() is Mark.ACK
            assert client.next().startswith(b"T02")


def test_ctrl_c_while_nothing_runs_stops_nothing_later(client):
    client.send(b"\x03\x03\x03")
    assert client.ask(b"qC") == b"QC1"
    assert client.ask(b"c") == b"W2a"


def test_packets_in_the_middle_of_a_run_are_answered_behind_it(stand):
    with talking(stand(ENDLESS)) as client:
        client.send(framed(b"c"))
        assert client.next() is Mark.ACK
        client.send(framed(b"qC") + b"\x03" + framed(b"qAttached"))
        answers = [client.next() for _ in range(5)]
    assert answers[0].startswith(b"T02")
    assert answers[1:] == [Mark.ACK, b"QC1", Mark.ACK, b"1"]


def test_who_hangs_up_in_the_middle_of_a_run_stops_it(stand):
    target = stand(ENDLESS)
    with served(target) as port:
        first = Raw(port)
        first.send(framed(b"c"))
        while target.at < 10:
            time.sleep(0.01)
        first.close()
        second = Raw(port)
        assert second.ask(b"qC") == b"QC1"
        second.close()


@pytest.mark.parametrize("first_packet", [b"c", b"g"])
def test_who_talks_without_listening_is_hung_up_on(stand, first_packet):
    with served(stand(ENDLESS)) as port:
        first = Raw(port)
        with pytest.raises((EOFError, ConnectionError)):
            _talk_without_listening(first, first_packet)
        first.close()
        second = Raw(port)
        assert second.ask(b"qC") == b"QC1"
        second.close()


def _talk_without_listening(client, packet):
    """An endless run, or more answers than a socket holds; and packets behind it."""
    client.send(framed(packet) + framed(b"g") * 100_000)
    while True:
        client.next()


# What is supported


def test_what_the_server_can_do_is_told(answer):
    assert answer(b"qSupported:multiprocess+;swbreak+;xmlRegisters=i386").split(b";") == [
        b"PacketSize=4000", b"QStartNoAckMode+", b"qXfer:features:read+", b"qXfer:memory-map:read+",
        b"qXfer:auxv:read+", b"qXfer:exec-file:read+", b"swbreak+", b"hwbreak+",
        b"vContSupported+", b"ReverseStep+", b"ReverseContinue+",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "packet",
    [b"", b"vMustReplyEmpty", b"!", b"R00", b"qTStatus", b"qCRC:0,1", b"QNonStop:0", b"vRun;",
     b"vFile:unlink:00", b"qXfer:libraries:read::0,10", b"qSupportedNot", b"Z7,0,0", b"\x80\xff"],
)  # fmt: skip
def test_an_unknown_packet_is_answered_with_nothing(answer, packet):
    assert answer(packet) == b""


@pytest.mark.parametrize(
    "packet",
    [b"m", b"m0", b"m,", b"mx,1", b"m0,0", b"m0,11112222333344445", b"M400000,2:00", b"M0,1:0g",
     b"X400000,5:a", b"G00", b"p", b"p99", b"pffffffffffffffff", b"P0=00", b"P99=00", b"Z0,0",
     b"Z2,0,0", b"Z2,ffffffffffffffff,2", b"z", b"H", b"Hz0", b"Hg7", b"T9", b"cx", b"Cxx",
     b"vCont;", b"vCont;q", b"vCont;C", b"vCont;c05", b"vCont;c:2", b"qRcmd,0", b"qRcmd,zz",
     b"qXfer:auxv:read:", b"qXfer:auxv:write::0,1", b"qXfer:auxv:read::1,1"],
)  # fmt: skip
def test_a_malformed_packet_is_an_error(answer, packet):
    assert answer(packet) == EINVAL


# Registers and memory


def test_all_registers_at_once_are_those_one_by_one(answer):
    one_by_one = [answer(b"p%x" % number) for number in range(len(REGISTERS))]
    assert answer(b"g") == b"".join(one_by_one)
    assert len(answer(b"g")) == 2 * SIZE


def test_all_registers_are_set_at_once(answer):
    wanted = bytearray.fromhex(answer(b"g").decode())
    wanted[:8] = b"\x88\x77\x66\x55\x44\x33\x22\x11"
    assert answer(b"G" + wanted.hex().encode()) == b"OK"
    assert answer(b"p0") == b"8877665544332211"
    assert answer(b"g") == wanted.hex().encode()


def test_memory_is_read_as_far_as_there_is_some(answer):
    assert answer(b"m401ffe,10") == b"0000"
    assert answer(b"m402000,1") == EFAULT
    assert answer(b"mffffffffffffffff,ffffffffffffffff") == EFAULT
    assert len(answer(b"m7fffff7ff000,ffffffffffffffff")) == MOST


def test_bytes_that_need_escapes_are_written(answer):
    data = b"#$}*\x03\x00"
    assert answer(b"X401000,%x:%b" % (len(data), escaped(data))) == b"OK"
    assert answer(b"m401000,6") == data.hex().encode()


def test_a_write_that_does_not_fit_writes_nothing(answer):
    assert answer(b"M401ffe,4:01020304") == EFAULT
    assert answer(b"m401ffe,2") == b"0000"
    assert answer(b"X0,0:") == b"OK", "how gdb asks whether there is X"


# Stops


def test_a_stop_tells_the_registers_that_gdb_wants_to_know(answer):
    assert NUMBERS["rip"] == 0x10
    assert answer(b"?") == (
        b"T0506:0000000000000000;07:00e0ffffff7f0000;10:0000400000000000;thread:1;"
    )


def test_gdb_is_told_which_breakpoint_only_if_it_wants_to_be(answer):
    answer(b"Z1,40000c,1")
    assert answer(b"c").startswith(b"T0506:")
    answer(b"qSupported:swbreak+;hwbreak+")
    assert answer(b"c").startswith(b"T05hwbreak:;06:"), "where it stands"
    answer(b"z1,40000c,1")
    answer(b"Z0,40004e,1")
    assert answer(b"vCont;c").startswith(b"T05swbreak:;06:")


def test_the_end_of_the_program_is_told_as_often_as_gdb_asks(answer):
    assert [answer(packet) for packet in (b"c", b"?", b"c", b"vCont;s:1")] == [b"W2a"] * 4


def test_a_step_may_begin_elsewhere(answer):
    assert b";10:0500400000000000;" in answer(b"s400000")
    assert b";10:1300400000000000;" in answer(b"s400011")
    assert b";10:0500400000000000;" in answer(b"S05;400000")


# Errors of ours


def test_what_goes_wrong_in_the_target_is_an_internal_error(stand):
    target = stand()
    target.registers = dict
    with pytest.raises(InternalError, match=r"packet b'g': KeyError\('rax'\)"):
        Session(target).answers(b"g")


def test_an_internal_error_ends_the_server_and_the_client_sees_that(stand):
    target = stand()
    with pytest.raises(InternalError), talking(target) as client:  # noqa: PT012
        target.read = None
        client.send(framed(b"m0,1"))
        assert client.next() is Mark.ACK
        with pytest.raises((EOFError, ConnectionError)):
            client.next()


def test_a_port_that_is_taken_is_said_so(stand):
    with served(stand()) as port:
        with pytest.raises(InputError, match=f"{HOST}:{port}: cannot listen: Address already in"):
            serve(stand(), port)
        with pytest.raises(InputError, match="cannot listen"):
            serve(stand(), 1 << 16)


# Files


def pieces(answer, size, ask):
    """What is read in pieces of a size, and how many there were."""
    found = []
    while True:
        reply = answer(ask(sum(map(len, found)), size))
        found.append(unescaped(reply[1:]))
        if reply[:1] == b"l":
            return b"".join(found), len(found)


@pytest.mark.parametrize("size", [1000, 100_000])
def test_the_description_is_read_in_pieces(answer, size):
    ask = lambda offset, size: b"qXfer:features:read:target.xml:%x,%x" % (offset, size)  # noqa: E731
    description, count = pieces(answer, size, ask)
    assert description.startswith(b"<?xml")
    assert description.endswith(b"</target>\n")
    assert (count > 1) == (size == 1000)
    assert answer(b"qXfer:features:read:other.xml:0,10") == b"E00"


def test_the_program_is_read_byte_for_byte(answer, stand):
    elf = stand().executable()[1]
    path = unescaped(answer(b"qXfer:exec-file:read:1:0,ffff")[1:])
    assert answer(b"vFile:setfs:0") == b"F0"
    assert answer(b"vFile:open:%b,0,0" % path.hex().encode()) == b"F0"
    head, _, stat = answer(b"vFile:fstat:0").partition(b";")
    assert head == b"F40"
    assert int.from_bytes(unescaped(stat)[28:36], "big") == len(elf)
    found = b""
    while data := answer(b"vFile:pread:0,3e8,%x" % len(found)).partition(b";")[2]:
        found += unescaped(data)
    assert found == elf
    assert answer(b"vFile:close:0") == b"F0"
    assert answer(b"vFile:pread:0,1,0") == b"F-1,9"


@pytest.mark.parametrize(
    ("packet", "errno"),
    [(b"open:2f,0,0", 2), (b"open:2f6574632f706173737764,0,0", 2), (b"open:2f6775657374,1,0", 30),
     (b"open:2f6775657374,0", 22), (b"open:0,0,0", 22), (b"pread:7,1,0", 9), (b"close:7", 9),
     (b"fstat:", 22), (b"open:2f2e2e2f6574632f706173737764,0,0", 2)],
)  # fmt: skip
def test_there_is_no_other_file_and_nothing_is_written(answer, packet, errno):
    assert answer(b"vFile:" + packet) == b"F-1,%x" % errno


def test_files_are_not_opened_without_end(answer):
    opened = [answer(b"vFile:open:2f6775657374,0,0") for _ in range(100)]
    assert opened[:2] == [b"F0", b"F1"]
    assert opened[-1] == b"F-1,18"


# At random


_NAMES = [
    b"m", b"M", b"X", b"G", b"p", b"P", b"Z0,", b"z0,", b"Z2,", b"Z4,", b"H", b"T", b"D;x", b"C",
    b"S", b"s", b"bs", b"vCont;", b"vCont?", b"vFile:open:", b"vFile:pread:", b"vFile:close:",
    b"qSupported", b"qXfer:features:read:", b"qXfer:auxv:read:", b"qRcmd,", b"q", b"Q", b"?", b"g",
    b"qThreadExtraInfo,", b"qSymbol:", b"qOffsets", b"v",
]  # fmt: skip
_TAILS = st.lists(
    st.sampled_from(
        [b",", b":", b";", b"=", b"0", b"1", b"40004e", b"f" * 16, b"f" * 17, b"-1", b"05"]
    )
    | st.binary(max_size=6)
).map(b"".join)
_PACKETS = st.builds(bytes.__add__, st.sampled_from(_NAMES), _TAILS) | st.binary(max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=st.lists(_PACKETS, max_size=20))
@example(packets=[b"Z0,400000,1", b"c", b"s", b"bc", b"?"])
def test_no_packet_is_too_much_for_the_session(stand, packets):
    session = Session(stand())
    for packet in packets:
        assert all(isinstance(reply, bytes) for reply in session.answers(packet))
    assert session.answers(b"qC") == [b"QC1"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_no_bytes_are_too_much_for_the_server(stand, data):
    with served(stand()) as port:
        first = Raw(port)
        first.send(data)
        first.close()
        second = Raw(port)
        assert second.ask(b"qC") == b"QC1"
        second.close()
