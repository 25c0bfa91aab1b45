"""What is typed ahead: each key takes effect when the one before has had its whole effect.

Textual hands a printable key to the focused widget at once, and a bound one to its action some messages
later. Keys that arrive together would overtake each other: the Enter of `hello⏎/msg bob secret⏎` would come
last. So the input waits here until the app has come to rest after what was typed before.
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
"""How long a key may take before the next one is no longer kept waiting, in seconds."""

TURNS = 200
"""How many turns of the event loop it has in any case: a loop that is held up is no handler that hangs."""

RUN = 16
"""How many characters for the same line go together: so many take less than a frame."""

LIMIT = 512
"""How many may wait before no more is read from the terminal."""

_CALM = 2

_Pressed = (events.MouseDown, events.MouseUp, events.MouseScrollDown, events.MouseScrollUp)


class TypeAhead:
    """Holds keys, pastes and what the mouse does until they may take effect, in the order of their arrival.

    Args:
        app: the app that they are for.
        deliver: hands one to the app.
    """

    def __init__(self, app: App[Any], deliver: Callable[[Message], object]) -> None:
        self.deliver = deliver
        self.room = threading.Event()
        """Set while there is room for more, for the thread that reads them."""
        self.room.set()
        self.closed = False
        """Whether what comes is dropped: the app ends."""
        self._app = app
        self._held: deque[Message] = deque()
        self._delivery: asyncio.Task[None] | None = None
        self._started = False
        self._stuck: WeakSet[MessagePump] = WeakSet()

    @property
    def busy(self) -> bool:
        """Whether anything waits, or has not had its whole effect."""
        return self._delivery is not None

    @property
    def waiting(self) -> int:
        """How many keys and the like wait for those before them."""
        return len(self._held)

    def take(self, event: Message) -> bool:
        """Take `event` if it is the operator's input; tell whether it was."""
        typed = isinstance(event, (events.InputEvent, events.Paste, events.AppFocus, events.AppBlur))
        if not typed or event.is_forwarded:
            return False
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False  # another thread's, which the app itself knows to take
        if self.closed:
            return True
        self._held.append(event)
        if len(self._held) == LIMIT:
            self.room.clear()
        if self._delivery is None:
            self._delivery = loop.create_task(self._deliver_all())
        return True

    def close(self) -> None:
        """Drop what waits and what comes: the app ends."""
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
                await self._rest()  # keys that were typed while the app started
            while self._held:
                if self._depends_on_layout(self._held[0]):
                    await self._rest(painted=True)
                if self._deliver_run():
                    await self._rest()
        finally:
            self._delivery = None

    def _depends_on_layout(self, event: Message) -> bool:
        """Whether what `event` does depends on the layout, and that is not up to date."""
        if not (screens := self._app.screen_stack):
            return False
        if isinstance(event, _Pressed):
            return True  # the mouse means what is on the screen
        # A line of text is edited wherever it is; it is laid out anew with each letter.
        edits = isinstance(screens[-1].focused, Input) and not (
            isinstance(event, events.Key) and event.key in ("pageup", "pagedown")
        )
        # Private, so Textual is pinned: nothing public tells that a layout is due.
        return screens[-1]._layout_required and not edits  # pyright: ignore[reportPrivateUsage]

    def _deliver_run(self) -> bool:
        """Deliver what may go together; tell whether what comes next has to wait for it."""
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
        """Wait until the app has come to rest, though not for a handler that hangs."""
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
                # Nobody has anything to do, unless one of these is still at its last message.
                focused = screens[-1].focused if screens else None
                await self._pass(pump for pump in (self._app, *screens[-1:], focused) if pump is not None)
                calm += 1

    def _pumps(self, screens: Iterable[Screen[Any]]) -> Iterator[MessagePump]:
        yield self._app
        for screen in screens:
            yield from screen.walk_children(with_self=True)

    async def _pass(self, pumps: Iterable[MessagePump]) -> bool:
        """Wait until each has handled all its messages; tell whether there was any to wait for."""
        passed = asyncio.Event()
        waiting: set[MessagePump] = set()

        def note(pump: MessagePump) -> None:
            self._stuck.discard(pump)
            waiting.discard(pump)
            if not waiting:
                passed.set()

        for pump in pumps:
            # One that is being closed takes no more; who closes it waits for its end.
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
        """Wait for the work that is a screen's own, such as a search; the app's may wait for the operator."""
        workers = [
            worker
            for worker in self._app.workers
            if not worker.is_finished and worker.node is not self._app and worker.node.screen is screen
        ]
        for worker in workers:
            # Shielded: to stop waiting for it is not to cancel it.
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
    """An app in which keys that are typed ahead do what they do one by one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.driver: Driver | None = None
        """The terminal's driver, if it is one that has said so."""
        self.type_ahead = TypeAhead(self, super().post_message)

    def on_unmount(self) -> None:
        """Drop what has been typed since."""
        self.type_ahead.close()

    def post_message(self, message: Message) -> bool:
        """Take a message; what the operator types waits for its turn."""
        return self.type_ahead.take(message) or super().post_message(message)

    def simulate_key(self, key: str) -> None:
        """Press a key at once, as a click on it in the footer does."""
        self.type_ahead.deliver(events.Key(key, None))
