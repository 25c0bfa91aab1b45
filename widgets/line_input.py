"""A line of text to type into: always a single line, and clean, whatever is typed or pasted."""

from __future__ import annotations

import re
import unicodedata

from textual import events
from textual.widgets import Input

from ..server.room.text import clean

_LINE_END = re.compile("[\n\r\v\f\x85\u2028\u2029]")

# Characters whose validity depends on what follows: joiners, variation selectors, and a flag's tags.
_UNDECIDED = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")


def typed(text: str | None) -> str:
    """Return the text that a key with this `character` types, in any script; empty for a control character.

    `Key.is_printable` excludes joiners, every blank but one, and what Python's Unicode does not know.
    """
    controls = any(unicodedata.category(character) in ("Cc", "Cs") for character in text or "")
    return "" if controls else text or ""


def _lines(text: str) -> list[str]:
    """Return the lines of `text`, each cleaned on its own, so that no cut sequence swallows the next line."""
    return [line for line in map(clean, _LINE_END.split(text)) if line]


def one_line(text: str) -> str:
    """Return `text` as a single clean line; what were lines are separated by a blank."""
    return " ".join(_lines(text))


class LineInput(Input):
    """A line to type into.

    Whatever its source, the text is always a single line, and clean (`server.room.text.clean`) except for
    characters that depend on what follows, such as a joiner just typed; `one_line` cleans these too.
    """

    def __init__(
        self,
        *,
        placeholder: str = "",
        compact: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Create an empty line.

        Args:
            placeholder: Shown while the line is empty; not markup.
            compact: Take one row and draw no border.
            id: The widget's id.
            classes: The widget's classes, separated by blanks.
        """
        super().__init__(
            placeholder=placeholder, compact=compact, select_on_focus=False, id=id, classes=classes
        )
        # A blinking cursor would wake up an idle console twice a second.
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Keep the value a single clean line, wherever it comes from."""
        line = one_line(value)
        return value if _UNDECIDED.sub("", line) == _UNDECIDED.sub("", value) else line

    def on_key(self, event: events.Key) -> None:
        """Insert typed text."""
        if text := typed(event.character):
            event.prevent_default()
            event.stop()
            self.write(text)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key types something into this line."""
        return bool(typed(character))

    def on_paste(self, event: events.Paste) -> None:
        """Insert all the text that the terminal pastes; Textual takes only the first line."""
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def action_paste(self) -> None:
        """Insert the text last copied within the app."""
        self.paste(self.app.clipboard)  # pyright: ignore[reportUnknownMemberType]

    def write(self, text: str) -> None:
        """Insert typed text at the cursor, or in place of the selection."""
        right = len(self.value) - max(self.selection)
        self.replace(text, *self.selection)
        # After what is left of the text, which may be nothing.
        self.cursor_position = len(self.value) - right

    def paste(self, text: str) -> int:
        """Insert `text`, of any length and number of lines, at the cursor or in place of the selection.

        Returns:
            How many lines it had, not counting empty ones.
        """
        lines = _lines(text)
        if lines:
            self.replace(" ".join(lines), *self.selection)
        return len(lines)
