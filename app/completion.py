"""What the operator's line offers: a hint while it is empty, and completions."""

from __future__ import annotations

from collections.abc import Iterable

from ..server.commands import Role, commands_for

PLACEHOLDER = "Say something to everybody, or /help"
"""What the line shows while it is empty."""


def complete(left: str, names: Iterable[str]) -> list[str]:
    """The lines that may replace `left`, which stands left of the cursor, with a command or a name completed.

    A command is completed where it is the first word, a name where a recipient is due, and as the last word
    of any other text once its first letter is there.
    """
    head, blank, last = left.rpartition(" ")
    if not blank and left.startswith("/"):
        words = [f"/{command.word}" for command in commands_for(Role.OPERATOR)]
        return [f"{word} " for word in words if word.startswith(left.lower())]
    if not last and head.lower() not in _NAMING:
        return []
    ending = " " if head.lower() in _NAMING else ""
    matches = [name for name in names if name.lower().startswith(last.lower())]
    return [f"{head}{blank}{name}{ending}" for name in sorted(set(matches), key=str.lower)]


_NAMING = {
    f"/{command.word}"
    for command in commands_for(Role.OPERATOR)
    if command.arguments.startswith("<recipient")
}
