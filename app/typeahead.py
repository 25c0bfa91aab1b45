"""Type-ahead: each key takes effect only after the previous one has taken its full effect.

Textual passes a printable key to the focused widget at once, but a bound key to its action several messages
later. Keys that arrive together would overtake each other: the first Enter of `hello⏎/msg bob secret⏎` would
come last. So input waits here until the app has settled after the previous key.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker, WorkerError

PATIENCE = 2.0
"""How long a key may take before the next one stops waiting for it, in seconds."""

TURNS = 200
"""How many turns of the event loop it gets at least: a busy loop must not look like a handler that hangs."""

RUN = 16
"""How many characters for the same line are delivered together; they take less than a frame."""

LIMIT = 512
"""How many events may wait before reading from the terminal stops."""

_CALM = 2

_Pressed = (events.MouseDown, events.MouseUp, events.MouseScrollDown, events.MouseScrollUp)


class TypeAhead:
    """Holds keys, pastes and mouse events until they may take effect, in the order of arrival.

    Args:
        app: the app that they are for.
        deliver: passes one to the app.
    """

    def __init__(self, app: App[Any], deliver: Callable[[Message], object]) -> None:
        self.deliver = deliver
        self.room = threading.Event()
        """Set while there is room for more; the thread that reads input waits for it."""
        self.room.set()
        self.closed = False
        """Whether input is dropped because the app is ending."""
        self._app = app
        self._held: deque[Message] = deque()
        self._delivery: asyncio.Task[None] | None = None
        self._started = False
        self._stuck: WeakSet[MessagePump] = WeakSet()

    @property
    def busy(self) -> bool:
        """Whether any input is waiting or has not taken its full effect."""
        return self._delivery is not None

    @property
    def waiting(self) -> int:
        """How many events are waiting for those before them."""
        return len(self._held)

    def take(self, event: Message) -> bool:
        """Take `event` if it is the operator's input, and return whether it is."""
        typed = isinstance(event, (events.InputEvent, events.Paste, events.AppFocus, events.AppBlur))
        if not typed or event.is_forwarded:
            return False
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False  # on another thread, which the app itself handles
        if self.closed:
            return True
        self._held.append(event)
        if len(self._held) == LIMIT:
            self.room.clear()
        if self._delivery is None:
            self._delivery = loop.create_task(self._deliver_all())
        return True

    def close(self) -> None:
        """Drop all input, waiting or yet to come: the app is ending."""
        self.closed = True
        self._held.clear()
        self.room.set()
        if self._delivery is not None:
            self._delivery.cancel()
            self._delivery = None

    async def _deliver_all(self) -> None:
        try:
            if not self._started:
                self._started = True
                await self._rest()  # keys typed while the app was starting
            while self._held:
                if self._depends_on_layout(self._held[0]):
                    await self._rest(painted=True)
                if self._deliver_run():
                    await self._rest()
        finally:
            self._delivery = None

    def _depends_on_layout(self, event: Message) -> bool:
        """Whether the effect of `event` depends on the layout while that is out of date."""
        if not (screens := self._app.screen_stack):
            return False
        if isinstance(event, _Pressed):
            return True  # the mouse points at what is on the screen
        # Editing a line of text does not depend on its place, though each letter causes a new layout.
        edits = isinstance(screens[-1].focused, Input) and not (
            isinstance(event, events.Key) and event.key in ("pageup", "pagedown")
        )
        # Private, so Textual is pinned: nothing public says that a layout is due.
        return screens[-1]._layout_required and not edits  # pyright: ignore[reportPrivateUsage]

    def _deliver_run(self) -> bool:
        """Deliver what may go together; return whether the next event has to wait for it."""
        focused = self._app.focused if self._app.screen_stack else None
        for _ in range(RUN):
            event = self._held.popleft()
            if len(self._held) < LIMIT:
                self.room.set()
            self.deliver(event)
            if not self._held:
                break
            if isinstance(event, events.MouseMove):
                if not isinstance(self._held[0], events.MouseMove):
                    return False
            elif focused is None or not all(
                isinstance(key, events.Key) and focused.check_consume_key(key.key, key.character)
                for key in (event, self._held[0])
            ):
                break
        return True

    async def _rest(self, *, painted: bool = False) -> None:
        """Wait until the app has settled, but not for a handler that hangs."""
        resting = asyncio.ensure_future(self._come_to_rest(painted))
        try:
            await asyncio.wait([resting], timeout=PATIENCE)
            for _ in range(TURNS):
                if resting.done():
                    return
                await asyncio.sleep(0)
        finally:
            resting.cancel()

    async def _come_to_rest(self, painted: bool) -> None:
        calm = 0
        while calm < _CALM and self._app.is_running:
            screens = self._app.screen_stack
            if await self._pass(pump for pump in self._pumps(screens) if pump.message_queue_size):
                calm = 0
            elif screens and await self._finish(screens[-1]):
                calm = 0
            elif screens and painted:
                await self._paint(screens[-1])
                painted = False
                calm = 0
            else:
                # All queues are empty, but one of these may still be handling its last message.
                focused = screens[-1].focused if screens else None
                await self._pass(pump for pump in (self._app, *screens[-1:], focused) if pump is not None)
                calm += 1

    def _pumps(self, screens: Iterable[Screen[Any]]) -> Iterator[MessagePump]:
        yield self._app
        for screen in screens:
            yield from screen.walk_children(with_self=True)

    async def _pass(self, pumps: Iterable[MessagePump]) -> bool:
        """Wait until each has handled all its messages; return whether there were any to wait for."""
        passed = asyncio.Event()
        waiting: set[MessagePump] = set()

        def note(pump: MessagePump) -> None:
            self._stuck.discard(pump)
            waiting.discard(pump)
            if not waiting:
                passed.set()

        for pump in pumps:
            # One that is closing takes no more messages; whoever closes it waits for its end.
            if pump not in self._stuck and pump.call_later(note, pump):
                waiting.add(pump)
        if not waiting:
            return False
        try:
            await passed.wait()
        except asyncio.CancelledError:
            self._stuck.update(waiting)
            raise
        return True

    async def _finish(self, screen: Screen[Any]) -> bool:
        """Wait for a screen's own workers, such as a search; the app's may be waiting for the operator."""
        workers = [
            worker
            for worker in self._app.workers
            if not worker.is_finished and worker.node is not self._app and worker.node.screen is screen
        ]
        for worker in workers:
            # Shielded, so that giving up the wait does not cancel the worker.
            await asyncio.shield(asyncio.ensure_future(_end_of(worker)))
        return bool(workers)

    async def _paint(self, screen: Screen[Any]) -> None:
        painted = asyncio.Event()
        if screen.call_after_refresh(painted.set):
            await painted.wait()


async def _end_of(worker: Worker[Any]) -> None:
    with suppress(WorkerError):
        await worker.wait()


class KeyByKeyApp(App[None]):
    """An app in which keys typed ahead have the same effect as keys typed one by one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.driver: Driver | None = None
        """The terminal's driver, if it has registered itself."""
        self.type_ahead = TypeAhead(self, super().post_message)

    def on_unmount(self) -> None:
        """Drop what is still waiting."""
        self.type_ahead.close()

    def post_message(self, message: Message) -> bool:
        """Take a message; the operator's input waits for its turn."""
        return self.type_ahead.take(message) or super().post_message(message)

    def simulate_key(self, key: str) -> None:
        """Press a key at once, as a click on the footer does."""
        self.type_ahead.deliver(events.Key(key, None))
