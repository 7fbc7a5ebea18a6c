"""Bytes to packets and back, by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.debug.packets import MOST, Decoder, Mark, escaped, fitting, framed, unescaped


def items(*pieces):
    decoder = Decoder()
    return [item for piece in pieces for item in decoder.feed(piece)]


def test_the_checksum_is_the_sum_of_the_bytes():
    assert framed(b"vMustReplyEmpty") == b"$vMustReplyEmpty#3a"
    assert framed(b"") == b"$#00"


def test_packets_and_marks_come_in_their_order():
    assert items(b"+$g#67\x03-$?#3f") == [Mark.ACK, b"g", Mark.INTERRUPT, Mark.NAK, b"?"]


def test_what_stands_between_packets_and_is_nothing_is_passed_over():
    assert items(b"hello#00 }*%$g#67\n") == [b"g"]


@pytest.mark.parametrize("broken", [b"$g#68", b"$g#zz", b"$g#+7", b"$g# 7", b"$g#6\xb2"])
def test_a_wrong_checksum_is_noticed(broken):
    assert items(broken + b"$?#3f") == [Mark.GARBLED, b"?"]


def test_a_packet_that_begins_before_the_end_of_the_last_replaces_it():
    assert items(b"$m40$g#67") == [Mark.GARBLED, b"g"]


def test_ctrl_c_within_a_packet_is_data():
    assert items(framed(b"X0,1:\x03")) == [b"X0,1:\x03"]


def test_a_packet_may_be_as_long_as_we_said_and_no_longer():
    assert items(framed(b"a" * MOST)) == [b"a" * MOST]
    assert items(framed(b"a" * (MOST + 1)), b"$g#67") == [Mark.GARBLED, b"g"]


def test_an_endless_packet_takes_no_memory():
    decoder = Decoder()
    assert not list(decoder.feed(b"$"))
    for _ in range(100):
        assert not list(decoder.feed(b"a" * MOST))
        assert len(decoder._kept) <= 2 * MOST
    assert list(decoder.feed(b"#00$g#67")) == [Mark.GARBLED, b"g"]


@given(st.lists(st.binary(max_size=80)), st.integers(1, 7))
def test_any_data_comes_through_in_pieces_of_any_size(packets, size):
    stream = b"".join(framed(escaped(data)) for data in packets)
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [unescaped(item) for item in items(*pieces)] == packets


@given(st.binary(max_size=300))
def test_escaped_data_has_none_of_the_bytes_that_mean_something(data):
    assert not set(b"$#*") & set(escaped(data))


@given(st.binary(max_size=300) | st.text("}a").map(str.encode), st.integers(0, 100))
def test_what_fits_is_the_longest_start_or_one_byte_less(data, room):
    part = fitting(data, room)
    assert data.startswith(part)
    assert len(escaped(part)) <= room
    if part != data:
        assert len(escaped(data[: len(part) + 1])) > room - 1


@given(st.binary(max_size=200))
def test_no_bytes_are_too_much_for_the_decoder(data):
    assert all(isinstance(item, bytes | Mark) for item in items(data))
