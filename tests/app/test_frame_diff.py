"""From one frame to the next: the terminal shows what it should, and gets little to do it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyte.screens import Char
from rich.style import Style

from chat_console.app.frame import Cells, Row, put
from chat_console.app.frame_diff import Shown
from chat_console.app.frame_scroll import find_scroll
from chat_console.app.pens import PLAIN, Pens

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"

WIDTH, HEIGHT = 20, 6
TEXTS = st.text(st.sampled_from("abc      |▁█漢字é\u0301\u200d\ufe0f\U0001f468א"), min_size=1, max_size=12)
COLOURS = st.sampled_from([None, "default", "red", "bright_blue", "#102030"])
STYLES = st.builds(
    lambda colour, behind, bold, reverse, underline, strike, italic: Style(
        color=colour,
        bgcolor=behind,
        bold=bold,
        reverse=reverse,
        underline=underline,
        strike=strike,
        italic=italic,
    ),
    *(COLOURS, COLOURS),
    *itertools.repeat(st.sampled_from([None, None, True]), 5),
)
LINES = st.lists(st.tuples(TEXTS, STYLES), max_size=5)
FRAMES = st.lists(LINES, min_size=HEIGHT, max_size=HEIGHT)


class Margins(pyte.Screen):
    """A screen that can also scroll a part of its width, as xterm does."""

    sides: tuple[int, int] | None = None

    def set_mode(self, *modes: int, **options: bool) -> None:
        super().set_mode(*modes, **options)
        if 69 in modes:
            self.sides = (0, self.columns - 1)

    def reset_mode(self, *modes: int, **options: bool) -> None:
        super().reset_mode(*modes, **options)
        if 69 in modes:
            self.sides = None

    def set_side_margins(self, left: int = 1, right: int = 0, **_: bool) -> None:
        assert self.sides
        self.sides = (left - 1, right - 1)
        self.cursor_position()

    def index(self) -> None:
        self._move(super().index, 1)

    def reverse_index(self) -> None:
        self._move(super().reverse_index, -1)

    def _move(self, move: object, by: int) -> None:
        assert callable(move)
        before = {(y, x): self.buffer[y][x] for y in range(self.lines) for x in range(self.columns)}
        at, margins = (self.cursor.x, self.cursor.y), self.margins
        move()
        if self.sides and (at[0], at[1]) == (self.cursor.x, self.cursor.y):
            left, right = self.sides
            assert margins and left <= at[0] <= right
            moved = {place: self.buffer[place[0]][place[1]] for place in before}
            for (y, x), char in before.items():
                self.buffer[y][x] = moved[y, x] if left <= x <= right else char


class Stream(pyte.Stream):
    csi = pyte.Stream.csi | {"s": "set_side_margins"}
    events = pyte.Stream.events | {"set_side_margins"}


class Terminal:
    """A terminal of 256 colours or more, and what is known of it."""

    def __init__(
        self, width: int = WIDTH, height: int = HEIGHT, *, side_margins: bool = False, erases: bool = False
    ) -> None:
        self.screen = Margins(width, height)
        self.stream = Stream(self.screen)
        self.stream.feed("\x1b[?7l")
        self.pens = Pens("truecolor")
        self.cells = Cells(self.pens)
        self.shown = Shown(self.pens)
        self.shown.side_margins = side_margins
        self.shown.erases_in_colour = erases

    def row(self, line: Sequence[tuple[str, Style | None]]) -> Row:
        """A row of texts, each as far as it fits."""
        row: list[object] = []
        for text, style in line:
            cells = self.cells.of(text, self.pens.of(style))
            if len(row) + len(cells) <= self.screen.columns:
                row += cells
        return [*row, *self.cells.blanks(self.screen.columns - len(row))]  # pyright: ignore[reportReturnType]

    def rows(self, frame: Sequence[Sequence[tuple[str, Style | None]]]) -> list[Row]:
        return [self.row(line) for line in frame]

    def show(
        self, rows: Sequence[Row], cursor: tuple[int, int] | None = None, only: int | None = None
    ) -> str:
        output = self.shown.update(rows, cursor, only)
        self.stream.feed(output)
        return output

    def seen(self) -> list[list[Char]]:
        """What is to be seen: of most blanks that is the colour behind them alone."""
        return [
            [visible(self.screen.buffer[y][x]) for x in range(self.screen.columns)]
            for y in range(self.screen.lines)
        ]


def visible(char: Char) -> Char:
    if char.data == " " and not (char.underscore or char.reverse or char.strikethrough):
        return Char(" ", bg=char.bg)
    return char


def anew(rows: Sequence[Row], terminal: Terminal) -> list[list[Char]]:
    """What a terminal shows on which `rows` are painted first."""
    other = Terminal(terminal.screen.columns, terminal.screen.lines)
    other.pens, other.shown = terminal.pens, Shown(terminal.pens)
    other.show(rows)
    return other.seen()


@given(FRAMES, FRAMES, st.booleans())
def test_a_frame_becomes_the_next(
    one: list[list[tuple[str, Style]]], two: object, side_margins: bool
) -> None:
    terminal = Terminal(side_margins=side_margins)
    first, second = terminal.rows(one), terminal.rows(two)  # pyright: ignore[reportArgumentType]
    terminal.show(first)
    terminal.show(second)
    assert terminal.seen() == anew(second, terminal)
    assert terminal.shown.update(terminal.rows(two)) == ""  # pyright: ignore[reportArgumentType]


@given(FRAMES, st.lists(LINES, max_size=3), st.booleans(), st.integers(0, HEIGHT - 2), st.booleans(), LINES)
def test_what_moves_and_what_stays(
    frame: list[list[tuple[str, Style]]],
    fresh: list[list[tuple[str, Style]]],
    up: bool,
    top: int,
    side_margins: bool,
    list_line: list[tuple[str, Style]],
) -> None:
    terminal = Terminal(30, HEIGHT, side_margins=side_margins)
    # The list stays at the left, whatever moves beside it.
    names = [[(f"{'uvwxyz'[y % 6] * 5}{y}"[:6] + "|", None), *list_line[:1]] for y in range(HEIGHT)]
    moved = [*frame[:top], *frame[top:][len(fresh) :], *fresh] if up else [*frame[:top], *fresh, *frame[top:]]
    before = [[*name, *line] for name, line in zip(names, frame, strict=True)]
    after = [[*name, *line] for name, line in zip(names, moved[:HEIGHT], strict=False)]
    after += before[len(after) :]
    terminal.show(terminal.rows(before))
    terminal.show(terminal.rows(after))
    assert terminal.seen() == anew(terminal.rows(after), terminal)


@given(LINES, LINES, st.integers(0, WIDTH - 1), st.integers(0, WIDTH))
def test_what_is_put_over_a_row_leaves_no_text_cut(
    one: list[tuple[str, Style]], two: list[tuple[str, Style]], start: int, count: int
) -> None:
    terminal = Terminal(WIDTH, 1)
    below, above = terminal.row(one), terminal.row(two)
    above = above[: min(count, WIDTH - start)]
    while above and len(above[-1].text) > 1 and above[-1].part:  # whole texts only
        above = above[:-1]
    row = put(below, start, above, terminal.cells.blanks(1)[0])
    assert len(row) == WIDTH
    assert list(row[start : start + len(above)]) == list(above)
    for x, cell in enumerate(row):
        if cell.part:
            begin = x - cell.part + 1
            assert row[begin] == (cell.text, cell.pen, 1)
            assert [each.part for each in row[begin : x + 1]] == list(range(1, cell.part + 1))


def test_only_what_differs_is_written() -> None:
    terminal = Terminal(20, 2)
    terminal.show(terminal.rows([[("name: one", None)], []]))
    assert terminal.show(terminal.rows([[("name: two", None)], []])) == "\x1b[1;7H\x1b[0mtwo"
    assert terminal.show(terminal.rows([[("name: two", None)], []])) == ""


def test_many_blanks_are_erased_where_that_takes_their_colour() -> None:
    terminal = Terminal(30, 1, erases=True)
    behind = Style(bgcolor="red")
    terminal.show(terminal.rows([[("x" * 30, behind)]]))
    rows = terminal.rows([[("ab" + " " * 27 + "c", behind)]])
    assert terminal.show(rows) == "\x1b[1H\x1b[0;41mab                           c\x1b[m"
    rows = terminal.rows([[("ab" + " " * 28, behind)]])
    terminal.show(terminal.rows([[("x" * 30, behind)]]))
    assert terminal.show(rows) == "\x1b[1H\x1b[0;41mab\x1b[28X\x1b[m"
    assert terminal.seen() == anew(rows, terminal)
    terminal.show(terminal.rows([[("x" * 30, behind)]]))
    assert "X" not in terminal.show(terminal.rows([[(" " * 30, behind + Style(underline=True))]]))


def test_the_cursor_goes_where_it_should_and_only_then() -> None:
    terminal = Terminal(20, 2)
    rows = terminal.rows([[("> abc", None)], []])
    terminal.show(rows, (5, 0))
    assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (5, 0)
    assert terminal.show(rows, (5, 0)) == ""
    assert terminal.show(rows, (2, 1)) == "\x1b[2;3H"


def test_one_row_can_go_first() -> None:
    terminal = Terminal(20, 2)
    terminal.show(terminal.rows([[("a", None)], [("b", None)]]))
    rows = terminal.rows([[("c", None)], [("d", None)]])
    assert "c" not in terminal.show(rows, only=1)
    assert terminal.show(rows) == "\x1b[1H\x1b[0mc"


def test_one_row_that_goes_first_moves_no_others() -> None:
    terminal = Terminal(80, 24)
    terminal.show(terminal.rows(full_log(500, 80, 24, users=False)))
    rows = terminal.rows(full_log(501, 80, 24, users=False))
    first = terminal.show(rows, only=23)
    assert "\x1b[r" not in first
    assert len(first) < 160
    terminal.show(rows)
    assert terminal.seen() == anew(rows, terminal)


def test_what_is_forgotten_is_painted_whole() -> None:
    terminal = Terminal(20, 2)
    rows = terminal.rows([[("name", Style(bgcolor="red"))], []])
    terminal.show(rows)
    terminal.stream.feed("\x1b[2J\x1b[1;1Hnonsense")
    terminal.shown.forget()
    terminal.show(rows)
    assert terminal.seen() == anew(rows, terminal)


def test_another_size_is_painted_whole() -> None:
    terminal = Terminal(20, 2)
    terminal.show(terminal.rows([[("name", None)], []]))
    terminal.screen.resize(3, 10)
    terminal.show(terminal.rows([[("name", None)], [], []]))
    assert [line.rstrip() for line in terminal.screen.display] == ["name", "", ""]


def test_what_a_text_may_flow_over_is_painted_after_it() -> None:
    terminal = Terminal(20, 1)
    terminal.show(terminal.rows([[("ab", None), ("|list      ", Style(reverse=True))]]))
    # pyte paints each of the family, over the list.
    output = terminal.show(terminal.rows([[(FAMILY, None), ("|list      ", Style(reverse=True))]]))
    assert terminal.screen.display[0].endswith("|list             ")
    assert output.index(FAMILY) < output.index("|list")


def test_it_is_also_where_all_that_one_pen_paints_comes_first() -> None:
    pens = Style(reverse=True), Style(bold=True)
    terminal = Terminal(20, 9)
    terminal.show(terminal.rows([[] for _ in range(9)]))
    striped = [("ab", pens[0]), ("cd", None), ("ef", pens[0]), ("gh", None)]
    output = terminal.show(terminal.rows([*[striped] * 8, [(FAMILY, pens[1]), ("|list      ", pens[0])]]))
    assert terminal.screen.display[8].endswith("|list             ")
    assert output.index(FAMILY) < output.index("|list") < output.rindex("cd")


def test_a_wide_text_is_painted_as_a_whole_in_its_place() -> None:
    terminal = Terminal(20, 1)
    terminal.show(terminal.rows([[("漢字 a", None)]]))
    output = terminal.show(terminal.rows([[("漢字 b", None)]]))
    assert output == "\x1b[1H\x1b[0m\x1b7      \x1b8\x1b7漢字 b\x1b8\x1b[6C"


def test_of_a_text_that_is_cut_at_either_end_nothing_stays() -> None:
    cells = Cells(Pens(None))
    row, blank = cells.of("漢字a", PLAIN), cells.blanks(1)[0]
    assert "".join(cell.text for cell in put(row, 1, cells.of("xy", PLAIN), blank)) == " xy  "


def test_texts_do_not_pile_up() -> None:
    cells = Cells(Pens(None))
    first = cells.of("漢字", PLAIN)
    assert cells.of("漢字", PLAIN) is first
    for number in range(5_000):
        cells.of(f"字{number}", PLAIN)
    assert cells.of("漢字", PLAIN) is not first


def test_no_control_character_reaches_the_terminal() -> None:
    cells = Cells(Pens(None))
    assert [cell.text for cell in cells.of("a\x1b[2J\x9b\x00\nb\x7f", PLAIN)] == list("a[2Jb")


# What scrolls

WORDS = ("anybody", "exercise", "three", "finished", "recv", "gives", "whole", "lines", "tcp", "stream", "ok")
LIST = """\
 30 users               sort: loud ▾
 stefan          62/min ▁▁▁▁▁▁▇█   0s
 Max              4/min ▂▁▃▂▁▂▂▃   3m
 lukas            2/min ▁▁▂▁▁▁▁▂   8s
▸quentin             »1 ▁▁▁▁▁▂▁▁   2m
 Lukas2           1/min ▁▁▁▂▁▁▁▁   5s
 yusuf            1/min ▁▁▁▁▁▁▁▁  40s
 lena                   ▁▁▁▁▁▁▁▁   4m
 karim          mute 9m ▂▃▂▁▁▁▁▁   1m
 anna                             12m
 bernd                            12m
 carla                            26m
 dmitri                           25m
 max_m                            24m
 elif                            1h02
 fatima                          1h02
 georg                           1h01
 hannah                          1h01
 ivan                            1h00
 jonas                           1h00
 mehmet                           58m
 nora                             58m
 oskar                            57m
 paula                            57m
 rosa                             55m
── quentin ──────────────────────────
 127.0.0.1|47144 · here 1h02
 14 lines · idle 2m · 0 B waiting
 was q · same address: 29 others
 23:03 » Karim is insulting me in p…
 22:55   is there a solution for 2?
 22:40   I use recv(1024)

 [Message] [Kick] [Mute] [Ban]
 [Find all lines]
""".splitlines()
NAMES = [line[1:9].strip() for line in LIST[1:25]]
TEXT, MUTED, NAME, USER, FAINT = (
    Style(color=colour, bgcolor=behind, bold=bold)
    for colour, behind, bold in (
        ("#e0e0e0", "#1e1e1e", None),
        ("#8a8a8a", "#1e1e1e", None),
        ("#57a5e2", "#1e1e1e", True),
        ("#e0e0e0", "#121212", None),
        ("#8a8a8a", "#121212", None),
    )
)
Line = list[tuple[str, Style | None]]


def log_line(number: int, width: int) -> Line:
    chance = random.Random(number)
    text = f" {' '.join(chance.choices(WORDS, k=chance.randint(1, 9)))}"[: width - 20]
    time = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} "
    name = chance.choice(NAMES)
    return [(time, MUTED), (name, NAME), (f":{text}".ljust(width - 9 - len(name)), TEXT)]


def full_log(number: int, width: int, height: int, *, users: bool) -> list[Line]:
    """A console's screen whose log ends with the line `number`."""
    side = (37 if width >= 100 else 25) if users else 0
    frame: list[Line] = []
    for y in range(height):
        listed = (LIST[y] if y < len(LIST) else "").ljust(37)
        # Where there is little room there are no bars.
        faint = 14 if y < 25 else 0
        beside = [(listed[: side - faint], USER), (listed[37 - faint :], FAINT), ("│", FAINT)] if side else []
        line = log_line(7 * (number - height + y), width - side - (side > 0))
        frame.append([*beside, *line])
    return frame


@pytest.mark.uncounted
@pytest.mark.parametrize(
    ("width", "users", "side_margins", "most"),
    [
        pytest.param(80, False, False, 200, id="80"),
        pytest.param(80, True, False, 900, id="80, users"),
        pytest.param(80, True, True, 250, id="80, users, side margins"),
        pytest.param(120, False, False, 250, id="120"),
        pytest.param(120, True, False, 1250, id="120, users"),
        pytest.param(120, True, True, 250, id="120, users, side margins"),
    ],
)
def test_a_line_more_in_a_full_log_takes_few_bytes(
    width: int, users: bool, side_margins: bool, most: int
) -> None:
    height = {80: 20, 120: 36}[width]
    terminal = Terminal(width, height, side_margins=side_margins, erases=True)
    terminal.show(terminal.rows(full_log(500, width, height, users=users)))
    figures: list[int] = []
    for number in range(501, 511):
        rows = terminal.rows(full_log(number, width, height, users=users))
        figures.append(len(terminal.show(rows).encode()))
        assert terminal.seen() == anew(rows, terminal)
    assert max(figures) <= most


@pytest.mark.parametrize("by", [5, -5])
def test_a_log_that_is_paged_through_is_moved(by: int) -> None:
    terminal = Terminal(80, 24)
    terminal.show(terminal.rows(full_log(500, 80, 24, users=False)))
    rows = terminal.rows(full_log(500 + by, 80, 24, users=False))
    output = terminal.show(rows)
    assert terminal.seen() == anew(rows, terminal)
    assert ("\n" if by > 0 else "\x1bM") * 5 in output


def test_where_it_gains_little_nothing_is_moved() -> None:
    terminal = Terminal(80, 24)
    frame = [[(f"{(NAMES[y] * 6)[:24]:<24}│", None), *log_line(y, 55)] for y in range(24)]

    def found(count: int, side_margins: bool) -> bool:
        """Whether a move of that many rows of the log, beside a list that has to stay, is worth it."""
        moved = [[line[0], *log_line(y + (y < count), 55)] for y, line in enumerate(frame)]
        return find_scroll(terminal.rows(frame), terminal.rows(moved), side_margins) is not None

    assert (found(4, False), found(20, True)) == (False, True)


# Pens


@given(STYLES, STYLES)
def test_one_pen_becomes_another(one: Style, two: Style) -> None:
    pens = Pens("truecolor")
    terminals = [Terminal(3, 1), Terminal(3, 1)]
    terminals[0].stream.feed(pens.change(None, pens.of(one)) + pens.change(pens.of(one), pens.of(two)) + "x")
    terminals[1].stream.feed(pens.change(None, pens.of(two)) + "x")
    assert terminals[0].screen.buffer[0][0] == terminals[1].screen.buffer[0][0]
    assert pens.change(pens.of(two), pens.of(two)) == ""


@pytest.mark.parametrize(
    ("one", "two", "change"),
    [
        ("bold red", "red", "\x1b[22m"),
        ("bold red", "dim red", "\x1b[22;2m"),
        ("bold red", "", "\x1b[m"),
        ("bold red", "bold blue", "\x1b[34m"),
        ("red on blue", "red", "\x1b[49m"),
        ("italic underline reverse strike", "italic", "\x1b[0;3m"),
        ("link https://example.org red", "red", ""),
    ],
)
def test_a_change_of_pens_is_short(one: str, two: str, change: str) -> None:
    pens = Pens("truecolor")
    assert pens.change(pens.of(Style.parse(one)), pens.of(Style.parse(two))) == change


@pytest.mark.parametrize(
    ("system", "code"),
    [("truecolor", "38;2;255;0;1"), ("256", "38;5;196"), ("standard", "31"), (None, "")],
)
def test_the_colours_are_those_that_the_terminal_has(system: str | None, code: str) -> None:
    pens = Pens(system)
    assert pens.change(None, pens.of(Style(color="#ff0001"))) == f"\x1b[0{';' if code else ''}{code}m"


def test_what_is_made_of_a_style_is_made_anew_of_those_that_were_seen() -> None:
    pens = Pens("256")
    style = Style(italic=True)
    before = pens.of(style)
    pens.convert_by(lambda style: style + Style(bold=True))
    assert pens.change(before, pens.of(style)) == "\x1b[1m"


def test_styles_with_positions_do_not_pile_up() -> None:
    pens = Pens("256")
    assert len({pens.of(Style(meta={"offset": (x, 0)})) for x in range(10_000)}) == 1
