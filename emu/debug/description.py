"""The target description: what gdb asks for to know which registers there are.

Debugging with GDB, appendix G "Target Descriptions": the format, and what the features of x86
have to contain.
"""

from __future__ import annotations

from functools import cache

from emu.debug.registers import FEATURES, Register

_EFLAGS = {
    "CF": 0, "": 1, "PF": 2, "AF": 4, "ZF": 6, "SF": 7, "TF": 8, "IF": 9, "DF": 10, "OF": 11,
    "NT": 14, "RF": 16, "VM": 17, "AC": 18, "VIF": 19, "VIP": 20, "ID": 21,
}  # fmt: skip
_MXCSR = {
    "IE": 0, "DE": 1, "ZE": 2, "OE": 3, "UE": 4, "PE": 5, "DAZ": 6,
    "IM": 7, "DM": 8, "ZM": 9, "OM": 10, "UM": 11, "PM": 12, "FZ": 15,
}  # fmt: skip
_VECTORS = {
    "v4_float": ("ieee_single", 4), "v2_double": ("ieee_double", 2), "v16_int8": ("int8", 16),
    "v8_int16": ("int16", 8), "v4_int32": ("int32", 4), "v2_int64": ("int64", 2),
}  # fmt: skip
"""How an xmm register may be read: of what, and how many."""


@cache
def target_description() -> bytes:
    """As XML."""
    features = "".join(_feature(name, registers) for name, registers in FEATURES.items())
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE target SYSTEM "gdb-target.dtd">\n<target version="1.0">\n'
        "<architecture>i386:x86-64</architecture>\n<osabi>GNU/Linux</osabi>\n"
        f"{features}</target>\n"
    ).encode()


def _feature(name: str, registers: tuple[Register, ...]) -> str:
    types = {register.type for register in registers}
    made = "".join(make() for type_, make in _TYPES.items() if type_ in types)
    return f'<feature name="{name}">\n{made}{"".join(map(_register, registers))}</feature>\n'


def _register(register: Register) -> str:
    group = f' group="{register.group}"' if register.group else ""
    shown = f'bitsize="{register.bits}" type="{register.type}"{group}'
    return f'<reg name="{register.name}" {shown}/>\n'


def _flags(name: str, bits: dict[str, int]) -> str:
    fields = "".join(
        f'<field name="{field}" start="{bit}" end="{bit}"/>\n' for field, bit in bits.items()
    )
    return f'<flags id="{name}" size="4">\n{fields}</flags>\n'


def _vector() -> str:
    kinds = "".join(
        f'<vector id="{name}" type="{of}" count="{count}"/>\n'
        for name, (of, count) in _VECTORS.items()
    )
    fields = "".join(f'<field name="{name}" type="{name}"/>\n' for name in _VECTORS)
    return f'{kinds}<union id="vec128">\n{fields}<field name="uint128" type="uint128"/>\n</union>\n'


_TYPES = {
    "i386_eflags": lambda: _flags("i386_eflags", _EFLAGS),
    "i386_mxcsr": lambda: _flags("i386_mxcsr", _MXCSR),
    "vec128": _vector,
}
"""Types that gdb does not have of itself."""
