"""struct termios, as far as strace abbreviates it. Source: asm-generic/termbits.h."""

from __future__ import annotations

from syscalls.text.sight import at
from syscalls.text.words import Names, bits, fields, names, numbered

_INPUT = bits(
    "IGNBRK BRKINT IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL"
    " IUTF8"
)
_OUTPUT = bits("OPOST OLCUC ONLCR OCRNL ONOCR ONLRET OFILL OFDEL")
_CONTROL = names("""
    CSTOPB 0x40 CREAD 0x80 PARENB 0x100 PARODD 0x200 HUPCL 0x400 CLOCAL 0x800 CMSPAR 0x40000000
    CRTSCTS 0x80000000
""")
_LOCAL = names("""
    ISIG 1 ICANON 2 XCASE 4 ECHO 8 ECHOE 0x10 ECHOK 0x20 ECHONL 0x40 NOFLSH 0x80 IEXTEN 0x8000
    ECHOCTL 0x200 ECHOPRT 0x400 ECHOKE 0x800 FLUSHO 0x1000 PENDIN 0x4000 TOSTOP 0x100
    EXTPROC 0x10000
""")
_DELAYS = (
    ("NL", 0x100, 8), ("CR", 0x600, 9), ("TAB", 0x1800, 11), ("BS", 0x2000, 13), ("VT", 0x4000, 14),
    ("FF", 0x8000, 15),
)  # fmt: skip
_SPEEDS = numbered(
    "B0 B50 B75 B110 B134 B150 B200 B300 B600 B1200 B1800 B2400 B4800 B9600 B19200 B38400"
) | numbered(
    "BOTHER B57600 B115200 B230400 B460800 B500000 B576000 B921600 B1000000 B1152000 B1500000"
    " B2000000 B2500000 B3000000 B3500000 B4000000", first=0x1000
)  # fmt: skip
_SPEED, _INPUT_SPEED, _SIZE = 0x100F, 0x100F0000, 0x30
_DELAY = 0xFF00
_TAB3 = 0x1800


def _known(value: int, known: Names) -> list[str]:
    """Unlike other words of flags: nothing at all for 0."""
    found = [name for flag, name in known.items() if value & flag]
    rest = value & ~sum(known)
    return [*found, f"{rest:#x}"] if rest else found


def _output(value: int) -> str:
    delays = [
        "XTABS" if mask == _TAB3 and value & mask == mask else f"{name}{(value & mask) >> shift}"
        for name, mask, shift in _DELAYS
    ]
    return "|".join([*delays, "|".join(_known(value & ~_DELAY, _OUTPUT))])


def _control(value: int) -> str:
    words = [_SPEEDS[value & _SPEED]]
    if value & _INPUT_SPEED:
        words.append(f"{_SPEEDS[(value & _INPUT_SPEED) >> 16]}<<IBSHIFT")
    words.append(f"CS{5 + ((value & _SIZE) >> 4)}")
    rest = value & ~(_SPEED | _INPUT_SPEED | _SIZE)
    return "|".join([*words, "|".join(_known(rest, _CONTROL))])


def _termios(iflag: int, oflag: int, cflag: int, lflag: int) -> str:
    shown = fields(
        c_iflag="|".join(_known(iflag, _INPUT)),
        c_oflag=_output(oflag),
        c_cflag=_control(cflag),
        c_lflag="|".join(_known(lflag, _LOCAL)),
    )
    return shown[:-1] + ", ...}"


termios = at("<4I20x", _termios)
