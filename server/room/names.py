"""What a nickname may be, and which names look alike. Pure functions."""

from __future__ import annotations

import re

MAX_NAME_LENGTH = 20
"""The longest nickname, in characters."""

RESERVED_NAMES = (
    *("Operator", "Op", "Sysop", "Server", "System", "Admin", "Administrator", "Root", "Moderator", "You"),
    *("Everyone", "Host", "Console", "Chat-console", "Usage", "Welcome", "Unknown", "Message", "Nickname"),
    *("Invalid", "Error", "Help", "Muted", "Kicked", "Banned"),
)
"""The house's words: names that would let a client pass for it, and words with which its lines begin."""

_name = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{MAX_NAME_LENGTH - 1}}}", re.ASCII).fullmatch

# As inet_aton reads them: two to four numbers, decimal, octal or hexadecimal. A number alone is no address to
# anybody's eye. Four numbers are one also beside something else, and with a letter in the place of a digit.
_NUMBER = r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)"
_address = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{1,3}}").fullmatch
_dotted_quad = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z]|\.[0-9])").search
_AS_DIGITS = str.maketrans("OoIlSs", "001155")

_SEPARATORS = str.maketrans("", "", "_-.")
_ALIKE = str.maketrans("I1" + "0" + "5", "ll" + "O" + "S")
_ALIKE_IN_THE_HOUSE = str.maketrans("i347", "leat")


def is_name(name: str) -> bool:
    """Whether `name` has the form of a nickname.

    That is 1 to `MAX_NAME_LENGTH` ASCII letters, digits, `_`, `-` or `.`, the first a letter, a digit or `_`,
    and nothing that reads as an IP address.
    """
    return _name(name) is not None and not _reads_as_address(name)


def _reads_as_address(name: str) -> bool:
    if "." not in name:
        return False
    if _address(name.strip("_-.")):
        return True
    return _dotted_quad(name.translate(_AS_DIGITS)) is not None and any(map(str.isdigit, name))


def skeleton(name: str) -> str:
    """What `name` has in common with all names that look like it.

    `_`, `-` and `.` are left out; the capital `I`, `l` and `1` are one, `O` and `0`, `S` and `5`, `rn` and
    `m`, `vv` and `w`; then all is lower case.
    """
    folded = name.translate(_SEPARATORS).translate(_ALIKE)
    return folded.replace("rn", "m").replace("vv", "w").lower()


def is_reserved(name: str) -> bool:
    """Whether `name` looks like one of `RESERVED_NAMES`; for these more letters look alike."""
    return _house_skeleton(name) in _RESERVED


def _house_skeleton(name: str) -> str:
    folded = skeleton(name).translate(_ALIKE_IN_THE_HOUSE)
    return folded.replace("rn", "m").replace("vv", "w")


_RESERVED = frozenset(map(_house_skeleton, RESERVED_NAMES))
