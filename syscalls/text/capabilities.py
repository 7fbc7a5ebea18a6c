"""What a process is allowed to do. Source: linux/capability.h."""

from __future__ import annotations

from syscalls.text.sight import Sight, at, pointer
from syscalls.text.words import fields, flag_words, names, numbered, one_of

CAPABILITIES = numbered(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE"
    " NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO"
    " SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME"
    " SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG"
    " WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE", "CAP_"
)  # fmt: skip
_CAPABILITY_BITS = {1 << bit: f"1<<{name}" for bit, name in CAPABILITIES.items()}
_VERSIONS = names("1 0x19980330 2 0x20071026 3 0x20080522", "_LINUX_CAPABILITY_VERSION_")
_WIDE_VERSIONS = (0x20071026, 0x20080522)

capability_header = at(
    "<Ii",
    lambda version, pid: fields(
        version=one_of(version, _VERSIONS, "_LINUX_CAPABILITY_VERSION"), pid=pid
    ),
)


def capability_data(value: int, sight: Sight) -> str:
    """Sets of capabilities: of 32 bits in the first version, of 64 in the others."""
    header = sight.read(sight.arg(-1), 4) if sight.arg(-1) else None
    if header is None or sight.failed or not value:
        return pointer(value)
    wide = int.from_bytes(header, "little") in _WIDE_VERSIONS
    data = sight.read(value, 24 if wide else 12)
    if data is None:
        return pointer(value)
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    sets = [low | high << 32 for low, high in zip(words[:3], [*words[3:], 0, 0, 0], strict=False)]
    shown = (flag_words(one, _CAPABILITY_BITS, "CAP") for one in sets)
    return fields(**dict(zip(("effective", "permitted", "inheritable"), shown, strict=True)))
