"""Substitutes for characters that a terminal's encoding lacks."""

from __future__ import annotations

import codecs

from rich.cells import get_character_cell_size

ERRORS = "chat_console.repertoire"
"""The error handler, by the name that `str.encode` takes."""

_STANDS_IN = {
    character: plain
    for plain, characters in {
        "-": "─━═▀▁▂▃▄▅▆▔‐‑‒–—―−",  # noqa: RUF001
        "|": "│┃║▌▍▎▏▐▕",
        "+": "╭╮╯╰┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋",
        "#": "█▇▉▊▋░▒▓■",
        "*": "•·●∙○◦▪⊘",
        ">": "▸▶►→›»",  # noqa: RUF001
        "<": "◂◀◄←‹«",  # noqa: RUF001
        "'": "‘’‚‛",  # noqa: RUF001
        '"': "“”„‟",
        ".": "…⋮",
        "^": "▲↑",
        "v": "▼↓▾✓",
        " ": "\u00a0",
    }.items()
    for character in characters
}


def stand_in(error: UnicodeError) -> tuple[str, int]:
    """Replace each character that cannot be encoded by others that can, taking the same number of columns."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_STANDS_IN.get(c) or "?" * get_character_cell_size(c) for c in text), error.end


codecs.register_error(ERRORS, stand_in)
