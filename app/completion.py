"""What the operator's line offers: a hint while it is empty, completions, and a draft to take along."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..server.room.commands import Role, commands_for, message_in
from .saving import SAVE

PLACEHOLDER = "Say something to everybody, or /help"
"""What the line shows while it is empty."""


def complete(left: str, names: Iterable[str]) -> list[str]:
    """The lines that may replace `left`, which stands left of the cursor, with a command or a name completed.

    A command is completed where it is the first word, a name where a recipient is due, and as the last word
    of any other text once its first letter is there, or an `@`; what stands before the name there stays.
    """
    head, blank, last = left.rpartition(" ")
    if not blank and left.startswith("/"):
        words = [*(f"/{command.word}" for command in commands_for(Role.OPERATOR)), SAVE]
        return [f"{word} " for word in words if word.startswith(left.lower())]
    if not last and head.lower() not in _NAMING:
        return []
    everybody = sorted(set(names), key=str.lower)
    due = head.lower() in _NAMING
    matches = _beginning(last, everybody)
    if matches or not (found := _BEFORE_A_NAME.match(last)):
        before = ""
    else:
        before = found[0]
        begun = last[found.end() :]
        matches = _beginning(begun, everybody) if begun or before.endswith("@") else []
    start, ending = (head + blank, " ") if due else (head + blank + before, "")
    return [f"{start}{name}{ending}" for name in matches]


def _beginning(begun: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.lower().startswith(begun.lower())]


_BEFORE_A_NAME = re.compile(r"[^\w.\-]+")
"""What may stand right before a name in a text: `@`, a bracket, a quotation mark."""


_NAMING = {f"/{command.word}" for command in commands_for(Role.OPERATOR) if command.names_recipient}


def draft(line: str) -> str:
    """The words of an unsent `line` that may as well be said to somebody else; of a command there are none.

    The words of a message stay whoever it was for, so that another recipient can be chosen.
    """
    return message_in(line).lstrip()
