"""The bottom row: the keys that work now, those of the focused pane first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from .cells import widest

_NAMES = {"escape": "Esc", "up": "↑", "down": "↓", "slash": "/", "ctrl+at": "^@"}
_SIGNS = {"slash": "/"}
_GAP = 2
_NARROW = 60  # the width below which a single blank keeps the keys apart


def key_name(key: str) -> str:
    """Return a key as the row shows it: `F1`, `^F`, `Esc`, `y`."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
    return key if len(key) == 1 else key.capitalize()


def key_in_words(key: str) -> str:
    """Return a key as texts call it: `F1`, `Ctrl+F`, `Shift+Tab`, `Up`, `y`."""
    name = _SIGNS.get(key, key)
    return name if len(name) == 1 else name.title()


class Hint(NamedTuple):
    """A key, as it is pressed and as it is shown, with what it does."""

    key: str
    name: str
    label: str
    enabled: bool = True

    @property
    def text(self) -> str:
        """What is shown of it."""
        return f"{self.name} {self.label}"


def fit(hints: Sequence[tuple[Hint, int]], width: int) -> list[Hint]:
    """Return as many of `hints` as fit into `width` cells, in their order.

    Args:
        hints: Each with its rank: where there is no room for all, those of the highest rank are left out.
        width: How many cells there are, one of which stays blank at each end.
    """
    chosen: list[int] = []
    gap = _gap(width)
    room = width - 2 + gap
    for index in sorted(range(len(hints)), key=lambda index: hints[index][1]):
        cells = widest(hints[index][0].text) + gap
        room -= cells
        if room < 0:
            break
        chosen.append(index)
    return [hints[index][0] for index in sorted(chosen)]


def _gap(width: int) -> int:
    return _GAP if width >= _NARROW else 1


class KeyBar(Widget):
    """One row of keys: those of the focused pane, then the app's, as far as there is room.

    Args:
        order: The ids of the bindings of the screen and the app, in the order in which they are shown.
        kept: The same, from the one that is left out last where there is little room.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--label", "key-bar--disabled"}
    DEFAULT_CSS = """
    KeyBar {
        height: 1;
        background: $panel;
        & > .key-bar--key { color: $text-accent; text-style: bold; }
        & > .key-bar--label { color: $foreground; }
        & > .key-bar--disabled { color: $text-muted; }
        &:ansi > .key-bar--disabled, &:nocolor > .key-bar--disabled { text-style: dim; }
    }
    """

    ALLOW_SELECT = False

    def __init__(self, order: Sequence[str], kept: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._order = {name: place for place, name in enumerate(order)}
        self._ranks = {name: rank for rank, name in enumerate(kept)}
        self._labels: Mapping[str, str] = {}
        self._hints: list[tuple[Hint, int]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)  # pyright: ignore[reportUnknownMemberType]
        self._bindings_changed(self.screen)

    def relabel(self, labels: Mapping[str, str]) -> None:
        """Show other labels for the bindings with these ids, and their own for all others."""
        if labels != self._labels:
            self._labels = dict(labels)
            self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        found = sorted(self._current(screen), key=lambda found: found[0])
        hints = [(hint, rank) for _, hint, rank in found]
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def _current(self, screen: Screen[Any]) -> Iterator[tuple[tuple[bool, int], Hint, int]]:
        """Yield what to show, each with its place and its rank: the pane's own keys come first."""
        for node, binding, enabled, _ in screen.active_bindings.values():
            if binding.show:
                anywhere = node in (screen, self.app)  # pyright: ignore[reportUnknownMemberType]
                name = binding.id or ""
                rank = self._ranks.get(name, len(self._ranks)) if anywhere else -1
                place = self._order.get(name, len(self._order)) if anywhere else -1
                label = self._labels.get(name, binding.description)
                # Escape comes last, wherever it is defined: it leads away from here.
                yield (
                    (binding.key == "escape", place),
                    Hint(binding.key, binding.key_display or key_name(binding.key), label, enabled),
                    rank,
                )

    def render_line(self, y: int) -> Strip:
        styles = {
            name: self.get_component_rich_style(f"key-bar--{name}") for name in ("key", "label", "disabled")
        }
        blank = self.rich_style
        segments = [Segment(" ", blank)]
        for hint in fit(self._hints, self.size.width):
            press = Style(meta={"@click": f"press('{hint.key}')"})
            key, label = ("key", "label") if hint.enabled else ("disabled", "disabled")
            segments += [
                Segment(hint.name, styles[key] + press),
                Segment(f" {hint.label}", styles[label] + press),
                Segment(" " * _gap(self.size.width), blank),
            ]
        return Strip(segments).adjust_cell_length(self.size.width, blank)

    def action_press(self, key: str) -> None:
        """Press a key, as a click on it does."""
        self.app.simulate_key(key)  # pyright: ignore[reportUnknownMemberType]
