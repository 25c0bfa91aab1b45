"""Keys that are typed ahead: whatever the pieces they arrive in and the load, they act one by one."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widgets import Input

from chat_console.app import terminal, typeahead
from chat_console.app.terminal import NonBlockingDriver
from chat_console.app.typeahead import KeyByKeyApp
from chat_console.widgets.command_input import CommandInput

if TYPE_CHECKING:
    from conftest import Operate, Operator

SEEDS = int(os.environ.get("CHAT_CONSOLE_KEY_SEEDS", "10"))
"""How many lists of keys are tried, each in a console of its own."""

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
    [F4, DOWN, F3, "y"],
    [F4, DOWN, F3, "n"],
    [F4, DOWN, DOWN, F2, *"you", ENTER],
    [F3, RIGHT, LEFT, ENTER],
    [F4, DOWN, F6, ESCAPE],
    [CTRL_P, *"mute", ENTER],
    [CTRL_P, *"zz", ENTER, ESCAPE],
    [CTRL_Q, "n"],
    [TAB, TAB, TAB, ENTER],
    click(60, 3),
    click(30, 21),
    click(30, 5),
    [*click(60, 2), F3, "y"],
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
    driver._exit_event = driver.exit_event = terminal._ExitEvent()  # pyright: ignore[reportPrivateUsage]
    driver.fileno, write_end = os.pipe()
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    try:
        yield Typist(app, write_end)
    finally:
        driver.exit_event.set()
        thread.join()
        driver._exit_event.close()  # pyright: ignore[reportPrivateUsage]
        os.close(driver.fileno)
        os.close(write_end)
        for number, handler in handlers.items():
            signal.signal(number, handler)


class Told:
    """Counts what reaches the app from the driver, to know when it has all been read."""

    def __init__(self, app: KeyByKeyApp, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        take = app.type_ahead.take

        def counting(event: Any) -> bool:
            taken = take(event)
            self.count += taken
            return taken

        patch.setattr(app.type_ahead, "take", counting)


def running(operator: Operator) -> bool:
    return operator.console.is_running and operator.console._ending is None  # pyright: ignore[reportPrivateUsage]


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
    """Type the keys of a seed, at once or each after the other has had its effect, and return what came of it."""
    chance = random.Random(seed)
    keys = typing(chance)
    with pytest.MonkeyPatch.context() as patch:
        async with operate(size=chance.choice(((80, 24), (60, 20), (120, 40)))) as operator:
            console = operator.console
            patch.setattr(console, "deliver_screenshot", lambda *_, **__: None)
            told = Told(console, patch)
            said = list[str]()
            operate_line = operator.server.operate
            patch.setattr(operator.server, "operate", lambda text: (said.append(text), operate_line(text)))
            members = await operator.gather("Ann", "Bob", "Cleo", "Zed")
            async with typist(console) as hands:
                talking = None
                if at_once:
                    talking = asyncio.create_task(load(operator, members[3], chance))
                    for piece in cut(keys, chance):
                        hands.type(piece)
                        # A sequence of one key is never kept apart: its pieces go out together.
                else:
                    for number, key in enumerate(keys, start=1):
                        if not running(operator):
                            break
                        # Escape as the keyboard protocol has it, so that nothing has to wait.
                        hands.type("\x1b[27u" if key == ESCAPE else key)
                        await operator.until(lambda n=number: told.count >= n or not running(operator))
                        await rest(operator)
                await operator.until(lambda: told.count >= len(keys) or not running(operator))
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


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SEEDS))
async def test_keys_in_any_pieces_at_any_load_do_what_they_do_one_by_one(operate: Operate, seed: int) -> None:
    one_by_one = await outcome(operate, seed, at_once=False)
    assert await outcome(operate, seed, at_once=True) == one_by_one, typing(random.Random(seed))
