"""The row in which the operator types: the prompt, and the line."""

from __future__ import annotations

from textual import on
from textual.containers import Horizontal

from .command_line import CommandLine
from .prompt import Prompt


class LineRow(Horizontal):
    """A row with the prompt of a line, and the line."""

    DEFAULT_CSS = """
    LineRow {
        width: 1fr;
        height: auto;
        & > CommandLine { width: 1fr; }
    }
    """

    def __init__(self, line: CommandLine, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(line.prompt, line, id=id)
        self._line = line

    @on(Prompt.Pressed)
    def _write_to_everybody(self) -> None:
        self._line.recipient = None
        self._line.focus()
