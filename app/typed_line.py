"""The line that the operator is typing, from the bytes of its keys. No I/O."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from ..server.room.text import clean
from ..widgets.cells import fitting, joined, widest
from ..widgets.past_lines import PastLines

# A key's sequence that has not ended; a key (ECMA-48, 5.4; SS3; and one of the Linux console), even if it was
# cut short; what is typed. A slash ends a sequence: `/msg Bob secret` must not become `sg Bob secret`.
_TOKEN = re.compile(
    r"(?P<begun>\x1b(?:\[\[?[0-?]{0,64}[ -.]{0,8}|O)?\Z)"
    r"|(?P<key>\x1b(?:\[\[?[0-?]{0,64}[ -.]{0,8}[@-~]?|O[@-~]?)?|[\x00-\x1f\x7f])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
)

# Whether these stay depends on what is typed after them; they are cleaned when the line is run.
_UNDECIDED = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")

_SAVE_CURSOR, _RESTORE_CURSOR = "\x1b7", "\x1b8"
_END = "\x04"  # Ctrl+D


class TypedLine:
    """A line that is edited by its keys, and the lines that were sent before it.

    Args:
        most: how many characters it takes; more are dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun = ""  # of a key's sequence
        self._text = ""
        self._cursor = 0
        self._shown = 0  # the first character that the row shows
        self._ending = False  # the last key was Ctrl+D
        self._past = PastLines()

    def remember(self, lines: Iterable[str]) -> None:
        """Put `lines`, oldest first, before those that were sent."""
        self._past.add_older(lines)

    def feed(self, data: bytes) -> list[str]:
        """Take what the terminal sends, in pieces of any size; return the lines that this completes."""
        text = self._begun + self._decode(data)
        self._begun = ""
        lines: list[str] = []
        for token in _TOKEN.finditer(text):
            key = token[0]
            if token.lastgroup == "begun":
                self._begun = key
            elif token.lastgroup == "text":
                self._insert(_typed(key))
            elif key in "\r\n" or (key == _END and self._ending and self._text):
                lines.append(self._enter())
            else:
                self._press(_name(key))
            self._ending = key == _END
        return lines

    def row(self, columns: int) -> str:
        """Return what to paint on a terminal of so many `columns`, of which one stays free.

        The cursor ends up in its place. What does not fit is scrolled to: `<` and `>` stand for more.
        """
        room = max(columns - 1, 1)
        if widest(self._text) <= room:
            self._shown = 0
        elif self._shown >= self._cursor or widest(self._text[self._shown : self._cursor]) >= room:
            self._shown = self._back(self._cursor, room // 2)
        left = "<" * bool(self._shown) + self._text[self._shown : self._cursor]
        free = room - widest(left)
        right = self._text[self._cursor :]
        if widest(right) > free:
            right = right[: fitting(right, free - 1)] + ">" if free > 0 else ""
        return f"{left}{_SAVE_CURSOR}{right}{_RESTORE_CURSOR}" if right else left

    def _press(self, key: str) -> None:
        match key:
            case "D" | "\x02":  # the arrows, and the control characters that are the same in shells
                self._cursor = self._before(self._cursor)
            case "C" | "\x06":
                self._cursor = self._after(self._cursor)
            case "H" | "1~" | "7~" | "\x01":
                self._cursor = 0
            case "F" | "4~" | "8~" | "\x05":
                self._cursor = len(self._text)
            case "A" | "\x10":
                self._recall(-1)
            case "B" | "\x0e":
                self._recall(1)
            case "\x7f" | "\b":
                self._erase(self._before(self._cursor), self._cursor)
            case "3~":
                self._erase(self._cursor, self._after(self._cursor))
            case "\x15":  # Ctrl+U
                self._erase(0, self._cursor)
            case "\x0b":  # Ctrl+K
                self._erase(self._cursor, len(self._text))
            case "\x17":  # Ctrl+W
                self._erase(self._text[: self._cursor].rstrip().rfind(" ") + 1, self._cursor)
            case "\t":
                self._insert(" ")
            case _:
                pass

    def _insert(self, text: str) -> None:
        text = text[: self._most - len(self._text)]
        self._text = self._text[: self._cursor] + text + self._text[self._cursor :]
        self._cursor += len(text)

    def _erase(self, start: int, end: int) -> None:
        self._text = self._text[:start] + self._text[end:]
        self._cursor = start

    def _enter(self) -> str:
        line = self._text
        self._past.add(line)
        self._past.start_over()
        self._replace("")
        return line

    def _recall(self, step: int) -> None:
        """Show the line `step` places further on among those that were sent."""
        text = self._past.move(step, self._text)
        if text is not None:
            self._replace(text)

    def _replace(self, text: str) -> None:
        self._text = text
        self._cursor = len(text)
        self._shown = 0

    def _before(self, place: int) -> int:
        """Return where the character before `place` begins, with all that is shown as one with it."""
        place = max(place - 1, 0)
        while place and joined(self._text[place - 1], self._text[place]):
            place -= 1
        return place

    def _after(self, place: int) -> int:
        """Return where the character at `place` ends, with all that is shown as one with it."""
        place = min(place + 1, len(self._text))
        while place < len(self._text) and joined(self._text[place - 1], self._text[place]):
            place += 1
        return place

    def _back(self, place: int, cells: int) -> int:
        """Return the first place from which on the text before `place` fits into `cells`."""
        start = place
        while start and widest(self._text[self._before(start) : place]) <= cells:
            start = self._before(start)
        return start


def _name(key: str) -> str:
    """Return what tells a key from others, whatever is held with it: `D` is Left in all its sequences."""
    if not key.startswith("\x1b"):
        return key
    return re.split("[^0-9]", key[2:])[0] + "~" if key.endswith("~") else key[2:][-1:]


def _typed(text: str) -> str:
    if not _UNDECIDED.search(text):
        return clean(text)
    return "".join(one if _UNDECIDED.match(one) else clean(one) for one in text)
