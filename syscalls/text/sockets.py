"""Sockets, as far as a world without a network has them. Source: linux/socket.h, linux/net.h."""

from __future__ import annotations

from syscalls.text.sight import Sight, low
from syscalls.text.words import choice, flag_words, names, numbered, one_of

FAMILY = choice(
    numbered(
        "UNSPEC UNIX INET AX25 IPX APPLETALK NETROM BRIDGE ATMPVC X25 INET6 ROSE DECnet NETBEUI"
        " SECURITY KEY NETLINK PACKET ASH ECONET ATMSVC RDS SNA IRDA PPPOX WANPIPE LLC IB MPLS CAN"
        " TIPC BLUETOOTH IUCV RXRPC ISDN PHONET IEEE802154 CAIF ALG NFC VSOCK KCM QIPCRTR SMC XDP"
        " MCTP", "AF_",
    ), "AF",
)  # fmt: skip
_TYPES = numbered("STREAM DGRAM RAW RDM SEQPACKET DCCP - - - PACKET", "SOCK_", first=1)
_MODES = names("SOCK_CLOEXEC 0o2000000 SOCK_NONBLOCK 0o4000")
_TYPE_MASK = 0xF


def kind(value: int, _: Sight) -> str:
    """A type, and how the descriptor behaves."""
    word = low(value)
    first = one_of(word & _TYPE_MASK, _TYPES, "SOCK")
    rest = word & ~_TYPE_MASK
    return f"{first}|{flag_words(rest, _MODES, 'SOCK')}" if rest else first
