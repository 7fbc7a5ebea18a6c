"""The rows of the system calls on sockets, of which there are none."""

from __future__ import annotations

from syscalls import kinds as k
from syscalls.row import Row
from syscalls.socket import on_a_socket, socket, socketpair

_NONE = "there is no network: EAFNOSUPPORT"
_ON = "no descriptor is a socket: ENOTSOCK"

SOCKETS: tuple[Row, ...] = (
    Row(41, "socket", (k.SOCKET_FAMILY, k.SOCKET_TYPE, k.INT), k.INT, socket, _NONE),
    Row(42, "connect", (k.FD, k.ADDRESS, k.INT), k.INT, on_a_socket, _ON),
    Row(43, "accept", (k.FD, k.ADDRESS, k.ADDRESS), k.INT, on_a_socket, _ON),
    Row(44, "sendto", (k.FD, k.BYTES_IN, k.SIZE, k.HEX32, k.ADDRESS, k.INT), k.LONG,
        on_a_socket, _ON),
    Row(45, "recvfrom", (k.FD, k.ADDRESS, k.SIZE, k.HEX32, k.ADDRESS, k.ADDRESS), k.LONG,
        on_a_socket, _ON),
    Row(46, "sendmsg", (k.FD, k.ADDRESS, k.HEX32), k.LONG, on_a_socket, _ON),
    Row(47, "recvmsg", (k.FD, k.ADDRESS, k.HEX32), k.LONG, on_a_socket, _ON),
    Row(48, "shutdown", (k.FD, k.INT), k.INT, on_a_socket, _ON),
    Row(49, "bind", (k.FD, k.ADDRESS, k.INT), k.INT, on_a_socket, _ON),
    Row(50, "listen", (k.FD, k.INT), k.INT, on_a_socket, _ON),
    Row(51, "getsockname", (k.FD, k.ADDRESS, k.ADDRESS), k.INT, on_a_socket, _ON),
    Row(52, "getpeername", (k.FD, k.ADDRESS, k.ADDRESS), k.INT, on_a_socket, _ON),
    Row(53, "socketpair", (k.SOCKET_FAMILY, k.SOCKET_TYPE, k.INT, k.FD_PAIR_OUT), k.INT,
        socketpair, _NONE),
    Row(54, "setsockopt", (k.FD, k.INT, k.INT, k.ADDRESS, k.INT), k.INT, on_a_socket, _ON),
    Row(55, "getsockopt", (k.FD, k.INT, k.INT, k.ADDRESS, k.ADDRESS), k.INT, on_a_socket, _ON),
    Row(288, "accept4", (k.FD, k.ADDRESS, k.ADDRESS, k.HEX32), k.INT, on_a_socket, _ON),
)  # fmt: skip
