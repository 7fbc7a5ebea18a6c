"""Text to bytes. The only import of keystone."""

from __future__ import annotations

_SEAL = b"\x5e\xa1" * 8
_SEALED = "".join(f"\n.byte {byte}" for byte in _SEAL)


class Refused(Exception):
    """Keystone does not assemble it; the message says why."""


def machine_code(text: str, address: int) -> bytes:
    """What Keystone makes of a text at an address. Refused where it makes nothing, or not all.

    A seal behind the text tells whether Keystone has read to its end.
    """
    import keystone

    # Keystone's own default is Intel syntax. Never set it: every decimal would then be read as
    # hexadecimal.
    engine = keystone.Ks(keystone.KS_ARCH_X86, keystone.KS_MODE_64)
    try:
        code, _ = engine.asm(text + _SEALED, address, as_bytes=True)
    except keystone.KsError as error:
        reason = str(error).split(" (KS_ERR")[0]
        raise Refused(f"{reason[0].lower()}{reason[1:]}, says Keystone") from None
    if not code or not code.endswith(_SEAL):
        raise Refused("Keystone drops what stands behind it, silently")
    return bytes(code).removesuffix(_SEAL)
