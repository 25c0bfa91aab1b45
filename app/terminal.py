"""The terminal's driver: while the terminal does not read, frames are dropped and the chat goes on.

Textual's own driver hands what it paints to a thread through a short queue and, when that is full, waits on
the event loop. The loop is the chat's too: one terminal that stopped reading would stop everybody. So what is
painted goes to a thread of our own here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from threading import Event
from time import monotonic
from typing import Any

from textual import constants
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from ..widgets.cells import pinned
from .keyboard import Keyboard
from .process import in_foreground, is_hung_up, is_ignored, never_stop_for_the_terminal
from .terminal_io import POLL_INTERVAL, ExitEvent, Selector, TerminalOutput
from .typeahead import KeyByKeyApp

MAX_PENDING = 10
"""How many writes may wait for the terminal before frames are dropped.

What enters or leaves application mode is never dropped.
"""

EXIT_GRACE = 1.0
"""How long the terminal may take to read the last writes when the console ends, in seconds."""

LEAST_WIDTH = 10
"""How many columns the screen has at least; a narrower terminal clips it, where Textual would fail."""

HANGUP = 0
"""The exit code of a console whose terminal was closed: everybody gets the goodbye, the end is in order."""

_BACKGROUND_INTERVAL = 0.5
_READ_SIZE = 1 << 8

# Ends what was cut short: CAN a control sequence, ST a control string (ECMA-48, 8.3.143), and the last
# one a synchronised update.
_CANCEL = "\x18\x1b\\\x1b[?2026l"

# What others may have left: a sequence cut short, another character set (ECMA-35), colours, a scrolling
# region, autowrap, a cursor.
_CLEAR = "\x18\x1b\\\x0f\x1b(B\x1b[0m\x1b[r\x1b[?7l\x1b[?25l\x1b[2J"

# Ends what Textual asks of the mouse.
_MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"

# What Textual asks of the keyboard (1, 8, 16), and which key it is on a Latin layout (4):
# https://sw.kovidgoyal.net/kitty/keyboard-protocol/#progressive-enhancement
_KITTY_PUSH, _KITTY_POP = "\x1b[>29u", "\x1b[<u"


def driver_class() -> type[Driver] | None:
    """Return the driver for the terminal, or None where `TEXTUAL_DRIVER` names one, as textual-serve does."""
    return None if "TEXTUAL_DRIVER" in os.environ else NonBlockingDriver


def repaint(app: KeyByKeyApp) -> None:
    """Paint all that `app` shows anew, whatever its terminal shows."""
    if isinstance(app.driver, NonBlockingDriver):
        app.driver.repaint()
    else:
        app.screen.refresh()


class NonBlockingDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, made for a terminal that may stall or vanish.

    - While the terminal does not read, frames are dropped, each as a whole. Once it has taken what was
      waiting, the whole screen is painted anew.
    - On exit it has `EXIT_GRACE` seconds to read. If it does not, what is waiting is thrown away, and the
      sequences that restore it are left for it to read next.
    - When it is closed, the app exits with the code `HANGUP`. Where SIGHUP was ignored at the start, it
      goes on without a terminal.
    - In the background it waits for the foreground, whether it is started there or continued by `bg`.
    - While nothing is typed, nothing wakes up.
    """

    stalled = False
    """Whether frames are being dropped, so that preparing one is in vain."""

    _painting = False
    _away = _soiled = False
    _look: asyncio.TimerHandle | None = None  # at who has the terminal, which nothing tells

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)  # pyright: ignore[reportUnknownMemberType]
        self.app = app
        if isinstance(app, KeyByKeyApp):
            app.driver = self
        self.event_loop = asyncio.get_running_loop()
        self._output: TerminalOutput | None = None
        self.exit_event = self._exit_event = ExitEvent()
        self._input_ended = Event()
        self._input_ended.set()
        # Instead of Textual's handlers: these write, and what they interrupt may hold a lock.
        for number, handler in ((signal.SIGTSTP, self._suspend), (signal.SIGCONT, self._resume)):
            signal.signal(number, partial(self._on_signal, handler))

    def write(self, data: str) -> None:
        """Queue `data` for the terminal, or drop it while the terminal is stalled; never wait."""
        if self._away or self._output is None:
            return  # suspended, or in the background
        if not self._painting:
            self._output.farewell += data
        elif self.stalled:
            return
        elif self._output.pending >= MAX_PENDING:
            self.stalled = True
            # An empty write behind the flag: the writer will find its queue empty at least once more.
            data = ""
        self._output.put(pinned(data))

    def start_application_mode(self) -> None:
        """Enter application mode, now or as soon as the process is in the foreground."""
        if not in_foreground(self.fileno):
            self._away = True
            self._look = self.event_loop.call_later(_BACKGROUND_INTERVAL, self._resume)
            return
        assert sys.__stderr__ is not None
        self._output = TerminalOutput(sys.__stderr__, self._drained)
        self._exit_event.close()
        self.exit_event = self._exit_event = ExitEvent()
        self._input_ended.clear()
        super().start_application_mode()
        self._modes = _modes(self.fileno)
        if not constants.DISABLE_KITTY_KEY:
            self.write(_KITTY_PUSH)
        # Textual has let them stop the process again.
        never_stop_for_the_terminal()
        self._painting = True

    def repaint(self) -> None:
        """Paint everything anew, also over what others have written to the terminal and set in it."""
        if self._painting and not self._away:
            self.write(_CLEAR)
            self._soiled = self.stalled  # then that was dropped
            self.app.screen.refresh()

    def disable_input(self) -> None:
        """Read no more from the terminal."""
        if self._away:
            return
        if in_foreground(self.fileno):
            super().disable_input()
        else:
            # What is typed ahead is for another.
            self.write(_MOUSE_OFF)
            self._stop_reading()

    def stop_application_mode(self) -> None:
        """Leave application mode and restore the terminal."""
        self._painting = self.stalled = False
        if self._away or self._output is None:
            return  # it is another's
        self._output.farewell = _CANCEL
        if not constants.DISABLE_KITTY_KEY:
            self.write(_KITTY_POP)
        if not in_foreground(self.fileno) and self._modes != _modes(self.fileno):
            self.attrs_before = None  # the shell that took over has set its own
        super().stop_application_mode()
        self._output.give_up_at = monotonic() + EXIT_GRACE

    def close(self) -> None:
        """Wait for the last writes, and no longer than a terminal that does not read may take."""
        self._look_no_more()
        super().close()
        if self._output is not None:
            self._output.close(EXIT_GRACE + 2 * POLL_INTERVAL)
        self._exit_event.close()

    def _get_terminal_size(self) -> tuple[int, int]:
        # Private, so Textual is pinned: its own believes COLUMNS and LINES, exported for whatever size.
        for stream in filter(None, (sys.__stderr__, sys.__stdin__)):
            with suppress(ValueError, OSError):
                width, height = os.get_terminal_size(stream.fileno())
                if width and height:
                    return max(width, LEAST_WIDTH), height
        return super()._get_terminal_size()

    def run_input_thread(self) -> None:
        """Dispatch the terminal's input until the app stops or the terminal is closed.

        Textual's own asks ten times a second whether the app has stopped.
        """
        try:
            self._read_input()
        finally:
            self._input_ended.set()
        if not self._exit_event.is_set() and in_foreground(self.fileno):
            self._call(self._hang_up)

    def _read_input(self) -> None:
        assert sys.__stdin__ is not None
        keyboard = Keyboard(sys.__stdin__.encoding, constants.ESCAPE_DELAY)
        with (
            Selector() as selector,
            suppress(OSError, RuntimeError),
        ):  # the terminal is closed, or the loop
            selector.register(self._exit_event.woken, EVENT_READ)
            selector.register(self.fileno, EVENT_READ)
            while not self._exit_event.is_set():
                ready = selector.select(keyboard.patience)
                if not ready:
                    events = keyboard.give_up()
                elif self.fileno not in (key.fd for key, _ in ready):
                    continue
                else:
                    try:
                        data = os.read(self.fileno, _READ_SIZE)
                    except BlockingIOError:
                        continue  # another reader was faster
                    if not data:
                        break
                    events = keyboard.feed(data)
                for event in events:
                    self.process_message(event)
                self._wait_for_room()

    def _wait_for_room(self) -> None:
        """Read no more than the app keeps up with: a paste without brackets may be long."""
        if isinstance(self.app, KeyByKeyApp):
            taken = Event()
            self.event_loop.call_soon_threadsafe(taken.set)
            for event in (taken, self.app.type_ahead.room):
                while not self._exit_event.is_set() and not event.wait(POLL_INTERVAL):
                    pass

    def _on_signal(self, handler: Callable[[], None], *_: object) -> None:
        self.event_loop.call_soon_threadsafe(handler)

    def _suspend(self) -> None:
        if self._painting and not self._away:
            self.suspend_application_mode()
            self._away = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _resume(self) -> None:
        """Take the terminal back, whatever has stopped the program and whoever has had it meanwhile."""
        self._look_no_more()
        if is_hung_up(self.fileno):
            self._hang_up()
            return
        if not in_foreground(self.fileno):
            # `bg`: the terminal is another's, and the chat goes on.
            if self._painting and not self._away:
                # Stopped by SIGSTOP: the shell has got the terminal with the console on it.
                self.suspend_application_mode()
            self._away = True
            self._look = self.event_loop.call_later(_BACKGROUND_INTERVAL, self._resume)
            return
        self._away = False
        if self._painting:
            # Continued after SIGSTOP, of which no program is told.
            self.suspend_application_mode()
        self.resume_application_mode()
        self._call(self.repaint)

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _leave_alone(self) -> None:
        """Neither read from the terminal nor write to it."""
        if not self._away:
            self._stop_reading()
        self._away = True

    def _stop_reading(self) -> None:
        self._exit_event.set()
        self._input_ended.wait(EXIT_GRACE)
        self._exit_event.clear()

    def _drained(self) -> None:
        """The writer thread has written all that was queued."""
        if self.stalled:
            self._call(self._repaint)

    def _call(self, callback: Callable[[], None]) -> None:
        """Have the app call `callback`, from another thread and without waiting for it."""
        with suppress(RuntimeError):  # the loop may be closed by now
            self.event_loop.call_soon_threadsafe(self.app.call_later, callback)

    def _repaint(self) -> None:
        if self._painting:
            self.stalled = False
            if self._soiled:
                self.repaint()
            else:
                self.app.screen.refresh()

    def _hang_up(self) -> None:
        if is_ignored(signal.SIGHUP):
            self._leave_alone()
        elif self.app.return_code is None:
            self.app.exit(return_code=HANGUP)


def _modes(terminal: int) -> list[Any] | None:
    try:
        return termios.tcgetattr(terminal)
    except termios.error:
        return None  # it is closed
