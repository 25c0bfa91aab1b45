"""Keys that are typed ahead: whatever the pieces they arrive in and the load, they act one by one."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar, cast

import pytest
from support.console_operator import Operate, Operator
from support.waiting import BOUND, until
from textual import constants, events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from chat_console.app import feed, typeahead
from chat_console.app.terminal import NonBlockingDriver
from chat_console.app.typeahead import LIMIT, RUN, KeyByKeyApp
from chat_console.server.room.operator import OperatorSession
from chat_console.widgets import user_list
from chat_console.widgets.activity import Activity

SEEDS = int(os.environ.get("CHAT_CONSOLE_KEY_SEEDS", "10"))
"""How many lists of keys are tried, each in a console of its own."""

FAST_SEEDS = 2
"""How many of them are tried also where time is short."""

FIRST_SEED = int(os.environ.get("CHAT_CONSOLE_KEY_FIRST_SEED", "0"))

ENTER, BACKSPACE, ESCAPE, TAB = "\r", "\x7f", "\x1b", "\t"
UP, DOWN, RIGHT, LEFT, HOME, END = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F"
DELETE, PAGE_UP, PAGE_DOWN, SHIFT_TAB = "\x1b[3~", "\x1b[5~", "\x1b[6~", "\x1b[Z"
F1, F2, F3, F4, F5, F6, F7 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~"
CTRL_L, CTRL_P, CTRL_Q, CTRL_U, CTRL_W = "\x0c", "\x10", "\x11", "\x15", "\x17"
PASTE = "\x1b[200~pasted\r\n/msg Bob this\x1b[201~"


def click(x: int, y: int) -> list[str]:
    """The reports of a click, in cells from 0."""
    return [f"\x1b[<0;{x + 1};{y + 1}M", f"\x1b[<0;{x + 1};{y + 1}m"]


PHRASES: list[list[str]] = [
    *([key] for key in (ENTER, BACKSPACE, DELETE, UP, DOWN, LEFT, RIGHT, HOME, END, TAB, SHIFT_TAB)),
    *([key] for key in (F1, F2, F3, F4, F5, F6, F7, ESCAPE, CTRL_L, CTRL_P, CTRL_U, CTRL_W, PASTE)),
    *([key] for key in (PAGE_UP, PAGE_DOWN, "y", "n", " ", "é", "x")),
    [*"hello", ENTER],
    [*"/msg bob secret", ENTER],
    [*"/msg B", TAB, *"psst", ENTER],
    [UP, BACKSPACE, *"!", ENTER],
    [F4, DOWN, F3, ENTER],
    [F4, DOWN, F3, ESCAPE],
    [F4, DOWN, DOWN, F2, *"you", ENTER],
    [F3, RIGHT, LEFT, ENTER],
    [F4, DOWN, F6, ENTER],
    [CTRL_P, *"mute", ENTER],
    [CTRL_P, *"zz", ENTER, ESCAPE],
    [CTRL_Q, "n"],
    [TAB, TAB, TAB, ENTER],
    click(5, 3),
    click(30, 21),
    click(60, 5),
    [*click(5, 2), F3, ENTER],
    [*"see @B", TAB],
    [*"draft", F4, DOWN, ENTER],
    [F4, *"letters"],
    ["\x1b[1;5H"],
    ["\x1b[1;5F"],
]
"""What is typed, most often a single key, and now and then what belongs together."""


def typing(chance: random.Random) -> list[str]:
    """A list of keys; one in eight ends the console."""
    phrases = [chance.choice(PHRASES) for _ in range(chance.randrange(3, 18))]
    if chance.random() < 1 / 8:
        phrases += [[CTRL_Q, "y"], [*"late", ENTER]]
    return [key for phrase in phrases for key in phrase]


class Typist:
    """Types into the driver's own input thread, which hands what it reads to the app."""

    def __init__(self, app: KeyByKeyApp, write_end: int) -> None:
        self.app = app
        self._write_end = write_end

    def type(self, text: str) -> None:
        os.write(self._write_end, text.encode())


@asynccontextmanager
async def typist(app: KeyByKeyApp) -> AsyncIterator[Typist]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    driver = NonBlockingDriver(app)
    driver.fileno, write_end = os.pipe()
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    try:
        yield Typist(app, write_end)
    finally:
        driver.exit_event.set()
        thread.join()
        driver.close()
        os.close(driver.fileno)
        os.close(write_end)
        for number, handler in handlers.items():
            signal.signal(number, handler)


class Told:
    """Counts what reaches the app from the driver, to know when it has all been read."""

    def __init__(self, app: KeyByKeyApp) -> None:
        self.count = 0
        take = app.type_ahead.take

        def counting(event: Any) -> bool:
            taken = take(event)
            self.count += taken
            return taken

        app.type_ahead.take = counting

    async def until(self, operator: Operator, count: int) -> None:
        await operator.until(lambda: self.count >= count or not running(operator))


def running(operator: Operator) -> bool:
    return operator.console.is_running and not operator.console.type_ahead.closed


async def rest(operator: Operator) -> None:
    """Wait, by other means than the console's own, until nothing more happens."""
    quiet = 0
    while quiet < 20 and running(operator):
        await asyncio.sleep(0 if quiet else 0.001)
        console = operator.console
        pumps = [
            console,
            *(pump for screen in console.screen_stack for pump in screen.walk_children(with_self=True)),
        ]
        searching = [
            worker for worker in console.workers if worker.group.startswith("--") and not worker.is_finished
        ]
        if searching or console.type_ahead.busy or any(pump.message_queue_size for pump in pumps):
            quiet = 0
        else:
            quiet += 1
        if quiet == 10:
            painted = asyncio.Event()
            console.screen.call_after_refresh(painted.set)
            with suppress(TimeoutError):
                await asyncio.wait_for(painted.wait(), 1)


def cut(keys: Sequence[str], chance: random.Random) -> list[str]:
    """Cut what the keys send into pieces, now and then within a key."""
    text, pieces = "".join(keys), list[str]()
    while text:
        length = chance.choice((1, 2, 3, 7, 20, 1000))
        pieces.append(text[:length])
        text = text[length:]
    return pieces


async def load(operator: Operator, member: Any, chance: random.Random) -> None:
    """Chat at some 500 lines a second on an event loop that is held up now and then."""
    for number in range(1_000_000):
        operator.say(member, *(f"line {number}.{n}" for n in range(5)))
        await asyncio.sleep(0.01)
        if chance.random() < 0.3:
            time.sleep(chance.random() * 0.01)  # noqa: ASYNC251


async def outcome(operate: Operate, seed: int, *, at_once: bool) -> dict[str, Any]:
    """Type the keys of a seed, at once or one by one, and return what came of it."""
    chance = random.Random(seed)
    keys = typing(chance)
    with pytest.MonkeyPatch.context() as patch:
        async with operate(size=chance.choice(((80, 24), (60, 20), (120, 40)))) as operator:
            console = operator.console
            patch.setattr(console, "deliver_screenshot", lambda *_, **__: None)
            told = Told(console)
            said = list[tuple[str, int | None]]()
            operate_line = OperatorSession.operate
            patch.setattr(
                OperatorSession,
                "operate",
                lambda self, text, to: (said.append((text, to)), operate_line(self, text, to)),
            )
            # Who talks, and for how long, would be in the order of the list.
            patch.setattr(Activity, "said", lambda *_: None)
            patch.setattr(user_list, "RESORT_INTERVAL", float("inf"))
            members = await operator.gather("Ann", "Bob", "Cleo", "Zed")
            async with typist(console) as hands:
                talking = None
                if at_once:
                    # However long a busy machine takes from one piece of a key to the next.
                    patch.setattr(constants, "ESCAPE_DELAY", 2.0)
                    talking = asyncio.create_task(load(operator, members[3], chance))
                    for piece in cut(keys, chance):
                        hands.type(piece)
                else:
                    for number, key in enumerate(keys, start=1):
                        if not running(operator):
                            break
                        # Escape as the keyboard protocol has it, so that nothing has to wait.
                        hands.type("\x1b[27u" if key == ESCAPE else key)
                        await told.until(operator, number)
                        await rest(operator)
                await told.until(operator, len(keys))
                await rest(operator)
                if talking:
                    talking.cancel()
                    with suppress(asyncio.CancelledError):
                        await talking
                await rest(operator)
            ended = not running(operator)
            heard = {
                member.name: [line for line in client.lines if "Operator" in line]
                for member, client in operator.clients.items()
            }
            kept = (
                {}
                if ended
                else {
                    "line": (operator.line.value, operator.line.cursor_position),
                    "history": operator.line.history,
                    "focus": repr(console.focused),
                    "screens": [type(screen).__name__ for screen in console.screen_stack],
                    "texts": [field.value for field in console.screen.query(Input)],
                    "selected": operator.selected,
                    "muted": [user.name for user in operator.user_list.users.values() if user.muted],
                    "members": sorted(member.name for member in operator.server.members),
                }
            )
            return {"said": said, "heard": heard, "ended": ended, **kept}


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(FIRST_SEED + number, marks=[pytest.mark.slow] if number >= FAST_SEEDS else [])
        for number in range(SEEDS)
    ],
)
async def test_keys_in_any_pieces_at_any_load_do_what_they_do_one_by_one(operate: Operate, seed: int) -> None:
    one_by_one = await outcome(operate, seed, at_once=False)
    assert await outcome(operate, seed, at_once=True) == one_by_one, typing(random.Random(seed))


# What the order rests on, in an app of its own


class Notebook(KeyByKeyApp):
    """An app with a line to type in, and keys that take their time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "slow", "Slow"),
        Binding("f2", "hang", "Hang"),
        Binding("f3", "chain", "Chain"),
        Binding("f4", "note", "Note"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []
        self.released = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield Input()

    @property
    def line(self) -> Input:
        return self.query_one(Input)

    @on(Input.Submitted)
    def take_line(self, event: Input.Submitted) -> None:
        self.noted.append(event.value)
        event.input.value = ""

    async def action_slow(self) -> None:
        await asyncio.sleep(0.01)
        self.noted.append("slow")

    async def action_hang(self) -> None:
        await self.released.wait()
        self.noted.append("hung")

    async def action_leave(self) -> None:
        await asyncio.sleep(0.05)
        self.set_focus(None)

    def action_chain(self, length: int = 12) -> None:
        if length:
            self.line.call_later(self.action_chain, length - 1)
        else:
            self.noted.append("chain")

    def action_note(self) -> None:
        self.noted.append("note")

    async def done(self) -> None:
        await until(lambda: not self.type_ahead.busy)


@pytest.fixture
async def notebook() -> AsyncIterator[Notebook]:
    app = Notebook()
    async with app.run_test():
        try:
            yield app
        finally:
            app.released.set()


def press(app: KeyByKeyApp, *keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize("key", ["f1", "f3"])
async def test_a_key_waits_for_the_whole_effect_of_the_one_before(notebook: Notebook, key: str) -> None:
    press(notebook, key, "f4", key, *"ab", "enter", "f4")
    await notebook.done()
    word = {"f1": "slow", "f3": "chain"}[key]
    assert notebook.noted == [word, "note", word, "ab", "note"]


async def test_a_key_waits_for_an_action_that_waits(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not the app's own messages, behind which the next key would wait anyway.
    monkeypatch.setattr(notebook, "action_slow", lambda: notebook.line.call_later(notebook.action_leave))
    press(notebook, "f1", "a", "f4")
    await notebook.done()
    assert notebook.line.value == ""
    assert notebook.noted == ["note"]


async def test_a_key_knows_what_the_one_before_has_laid_out(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    button = Button("Press")
    button.display = False
    heights = list[int]()

    def show() -> None:
        notebook.set_focus(None)
        button.display = True

    await notebook.mount(button)
    monkeypatch.setattr(notebook, "action_chain", show)
    monkeypatch.setattr(notebook, "action_note", lambda: heights.append(button.size.height))
    press(notebook, "f3", "f4")
    await notebook.done()
    assert heights[0] > 0


async def test_a_handler_that_hangs_makes_nobody_deaf(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE", 0.05)
    notebook.line.call_later(notebook.action_hang)
    press(notebook, "f4", "f4", "f4")
    await notebook.done()
    # The line itself is hung: its keys wait, and what goes round it does not.
    assert notebook.noted == []
    notebook.set_focus(None)
    started = time.monotonic()
    monkeypatch.setattr(typeahead, "PATIENCE", BOUND)
    press(notebook, "f4", "f4")
    await notebook.done()
    # It is waited for once, not at each key.
    assert time.monotonic() - started < BOUND
    assert notebook.noted == ["note", "note"]
    notebook.released.set()
    await notebook.done()
    press(notebook, "f4")
    await notebook.done()
    assert notebook.noted == ["note", "note", "hung", "note", "note", "note", "note"]


async def test_an_event_loop_that_is_held_up_is_no_handler_that_hangs(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE", 0.0)
    press(notebook, *"ab", "enter", *"cd", "backspace", "enter")
    await notebook.done()
    assert notebook.noted == ["ab", "c"]


async def test_characters_for_a_line_go_together_and_not_all_of_them(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: Counter[int] = Counter()
    turn = 0
    deliver = notebook.type_ahead.deliver

    def note(event: Message) -> None:
        turns[turn] += 1
        deliver(event)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(notebook.type_ahead, "deliver", note)
    counting = asyncio.create_task(count())
    press(notebook, *"x" * 5 * RUN)
    await notebook.done()
    counting.cancel()
    assert notebook.line.value == "x" * 5 * RUN
    assert set(turns.values()) == {RUN}


async def test_the_mouse_means_what_is_on_the_screen_once_keys_have_changed_it(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    button = Button("Press", id="press")
    pressed: list[int] = []
    monkeypatch.setattr(button, "press", lambda: pressed.append(1) or button)
    button.display = False
    await notebook.mount(button, before=0)

    def show() -> None:
        button.display = True

    monkeypatch.setattr(notebook, "action_note", show)
    press(notebook, "f4")
    for kind in (events.MouseDown, events.MouseUp):
        notebook.post_message(kind(None, 5, 1, 0, 0, 1, False, False, False, 5, 1))
    await notebook.done()
    assert pressed


async def test_what_the_app_makes_of_input_goes_before_what_is_typed_ahead(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "action_slow", lambda: notebook.simulate_key("f3"))
    press(notebook, "f1", "f4")
    await notebook.done()
    assert notebook.noted == ["chain", "note"]


async def test_after_the_end_nothing_that_is_typed_has_an_effect(notebook: Notebook) -> None:
    press(notebook, "f4", "f1", "f4")
    notebook.type_ahead.close()
    press(notebook, "f4")
    await notebook.done()
    await notebook.line.wait_for_refresh()
    assert notebook.noted == []


async def test_the_mouse_moves_without_waiting(notebook: Notebook) -> None:
    for x in range(100):
        notebook.post_message(events.MouseMove(None, x, 1, 1, 0, 0, False, False, False, x, 1))
    press(notebook, "f4")
    await notebook.done()
    assert notebook.noted == ["note"]


async def test_another_thread_may_tell_of_the_focus_of_the_app(notebook: Notebook) -> None:
    await asyncio.to_thread(notebook.post_message, events.AppBlur())
    await until(lambda: not notebook.app_focus)


class Search(ModalScreen[None]):
    """A screen that takes its time, until `wait` is over, to find what its next key is about."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "search"), Binding("f4", "found")]

    found = "nothing"

    def __init__(self, wait: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._wait = wait

    @work
    async def action_search(self) -> None:
        await self._wait()
        self.found = "it"

    def action_found(self) -> None:
        cast(Notebook, self.app).noted.append(self.found)


async def test_a_key_waits_for_what_a_screen_searches_for(notebook: Notebook) -> None:
    await notebook.push_screen(Search(lambda: asyncio.sleep(0.05)))
    press(notebook, "f1", "f4")
    await notebook.done()
    assert notebook.noted == ["it"]


async def test_a_search_that_never_ends_makes_nobody_deaf_and_goes_on(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE", 0.0)
    monkeypatch.setattr(typeahead, "TURNS", 0)
    await notebook.push_screen(Search(notebook.released.wait))
    press(notebook, "f1", "f4")
    await notebook.done()
    assert notebook.noted == ["nothing"]
    (worker,) = notebook.workers
    notebook.released.set()
    await worker.wait()
    press(notebook, "f4")
    await notebook.done()
    assert notebook.noted == ["nothing", "it"]


async def test_no_more_is_read_than_the_app_keeps_up_with(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0
    deliver = notebook.type_ahead.deliver

    def watch(event: Message) -> None:
        nonlocal most
        most = max(most, notebook.type_ahead.waiting)
        deliver(event)

    monkeypatch.setattr(notebook.type_ahead, "deliver", watch)
    async with typist(notebook) as hands:
        await asyncio.to_thread(hands.type, "x" * 4 * LIMIT)
        await until(lambda: len(notebook.line.value) == 4 * LIMIT)
    assert most < 2 * LIMIT


async def test_a_palette_chooses_among_what_was_searched_for_last(operate: Operate) -> None:
    async with operate() as operator:
        ann, bob = await operator.gather("Ann", "Bob")
        async with typist(operator.console) as hands:
            hands.type(CTRL_P + "mute bob" + ENTER * 2)
            await operator.until(lambda: bob.muted or ann.muted)
    assert (ann.muted, bob.muted) == (False, True)


# The console's own


async def test_page_down_knows_what_the_key_before_has_laid_out(operate: Operate) -> None:
    selected = list[int | None]()
    for at_once in (False, True):
        async with operate() as operator:
            await operator.gather(*(f"user{number:02}" for number in range(60)))
            async with typist(operator.console) as hands:
                told = Told(operator.console)
                keys = (F4, DOWN, PAGE_DOWN, PAGE_DOWN)
                for piece in ["".join(keys)] if at_once else keys:
                    hands.type(piece)
                    await told.until(operator, 4 if at_once else told.count + 1)
                    await rest(operator)
            selected.append(operator.selected)
    assert selected[0] == selected[1]


async def test_a_button_takes_each_press(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    async with typist(operator.console) as hands:
        hands.type(F4 + DOWN + TAB * 3 + ENTER * 5)
        await operator.until(lambda: operator.entries.count("* Ann is muted for 10m") == 2)
    assert ann.muted


async def test_the_next_key_is_for_who_is_left(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    await operator.gather("Ann", "Bob", "Cleo", "Dan")
    # However seldom the screen is drawn.
    monkeypatch.setattr(feed, "FRAME", 10 * BOUND)
    await operator.submit("now")
    await operator.until(lambda: operator.last == "> Operator: now")
    async with typist(operator.console) as hands:
        hands.type("".join([*click(5, 2), F3, ENTER] * 3))
        await operator.until(lambda: len(operator.server.members) == 1)
    assert [member.name for member in operator.server.members] == ["Dan"]


async def test_nothing_is_said_once_the_operator_has_quit(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()
    going = asyncio.Event()
    stop = operator.server.stop

    async def stop_slowly() -> None:
        await going.wait()
        await stop()

    monkeypatch.setattr(operator.server, "stop", stop_slowly)
    monkeypatch.setattr(OperatorSession, "operate", lambda _, text, recipient: said.append(text))
    told = Told(operator.console)
    async with typist(operator.console) as hands:
        hands.type(f"last{ENTER}{CTRL_Q}late{ENTER}")
        await operator.until(lambda: told.count == 11)
        await operator.until(lambda: not operator.console.type_ahead.busy)
    assert said == ["last"]
    going.set()
