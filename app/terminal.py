"""The terminal's driver: while the terminal does not read, no frame is sent and the chat goes on.

Textual's own driver passes what it paints to a thread through a short queue and, when that is full, blocks
the event loop. The chat runs on the same loop, so a terminal that stopped reading would stop everybody. This
driver uses a writer thread of our own instead, and sends frames no faster than they are shown.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
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
from textual.events import Key
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from ..widgets.cells import pinned
from .frames import Frames
from .keyboard import Answered, HasSideMargins, Keyboard
from .painting import PaintingApp
from .pens import Pens
from .process import in_foreground, is_hung_up, is_ignored, never_stop_for_the_terminal
from .terminal_io import POLL_INTERVAL, ExitEvent, Questions, Selector, TerminalOutput, modes
from .typeahead import KeyByKeyApp

MAX_PENDING = 10
"""How many writes may wait for the terminal before others than frames, such as the bell, are dropped.

The sequences that enter and leave application mode are never dropped.
"""

EXIT_GRACE = 1.0
"""How long the terminal may take on exit to answer, and to read the last writes, in seconds."""

LEAST_WIDTH = 10
"""The screen's minimum width, in columns: a narrower terminal clips it, where Textual would fail."""

HANGUP = 0
"""The exit code after the terminal was closed: everybody got the goodbye, and the shutdown was clean."""

_BACKGROUND_INTERVAL = 0.5
_READ_SIZE = 1 << 8

# Ends whatever was cut short: CAN a control sequence, ST a control string (ECMA-48, 8.3.143), the last one a
# synchronised update.
_CANCEL = "\x18\x1b\\\x1b[?2026l"

# Resets what other programs may have left: an unfinished sequence, another character set (ECMA-35), colours,
# a scrolling region, autowrap, a cursor.
_CLEAR = "\x18\x1b\\\x0f\x1b(B\x1b[0m\x1b[r\x1b[?7l\x1b[?25l\x1b[2J"

# Turns off the mouse reports that Textual turns on.
_MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"

# The keyboard reports that Textual turns on (1, 8, 16), and the key's place on a Latin layout (4):
# https://sw.kovidgoyal.net/kitty/keyboard-protocol/#progressive-enhancement
_KITTY_PUSH, _KITTY_POP = "\x1b[>29u", "\x1b[<u"

# Asks whether there are side margins: DECRQM for DECLRMM. Apple's terminal would show the end of it.
_ASK_SIDE_MARGINS = "" if os.environ.get("TERM_PROGRAM") == "Apple_Terminal" else "\x1b[?69$p"
_NO_COLOURS = "\x1b[m"


def driver_class() -> type[Driver] | None:
    """Return the driver for the terminal, or None if `TEXTUAL_DRIVER` names one, as textual-serve does."""
    return None if "TEXTUAL_DRIVER" in os.environ else NonBlockingDriver


def repaint(app: KeyByKeyApp) -> None:
    """Redraw the whole screen of `app`, whatever its terminal shows."""
    if isinstance(app.driver, NonBlockingDriver):
        app.driver.repaint()
    else:
        app.screen.refresh()


class NonBlockingDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, adapted to a terminal that may stall or vanish.

    - While the terminal does not read, at most two frames wait. Once it reads, the newest is shown.
    - On exit the terminal has `EXIT_GRACE` seconds to answer what it was asked, so that the shell does not
      get the answers, and as long to read. If it does not, pending output is discarded, and the sequences
      that restore the terminal are what it reads next.
    - When the terminal is closed, the app exits with the code `HANGUP`. If SIGHUP was ignored at the start,
      it goes on without a terminal.
    - In the background, whether started there or continued by `bg`, it waits for the foreground.
    - While nothing is typed, no thread wakes up.
    """

    _painting = False
    _away = False
    _look: asyncio.TimerHandle | None = None  # polls for the foreground: no event says that we have it

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)  # pyright: ignore[reportUnknownMemberType]
        self.app = app
        self.event_loop = asyncio.get_running_loop()
        self.frames = Frames(Pens(app.console.color_system), self, self.event_loop)
        if isinstance(app, KeyByKeyApp):
            app.driver = self
        if isinstance(app, PaintingApp):
            app.paint_by(self.frames)
        self._output: TerminalOutput | None = None
        self._questions = Questions()
        self.exit_event = self._exit_event = ExitEvent()
        self._input_ended = Event()
        self._input_ended.set()
        # Textual's handlers write to the terminal, and the code they interrupt may be holding a lock.
        for number, handler in ((signal.SIGTSTP, self._suspend), (signal.SIGCONT, self._resume)):
            signal.signal(number, partial(self._on_signal, handler))

    @property
    def is_open(self) -> bool:
        """Whether the terminal is ours to paint on."""
        return self._painting and not self._away and self._output is not None

    @property
    def queued(self) -> int:
        """How many writes are waiting for the terminal."""
        return self._output.pending if self._output is not None else 0

    @property
    def stalled(self) -> bool:
        """Whether there is a newer frame than those that the terminal has been sent."""
        return self.frames.withheld

    def send(self, text: str) -> None:
        """Queue a frame, which ends with a question to the terminal; never wait."""
        assert self._output is not None
        self._questions.ask()
        self._output.put(text)

    def write(self, data: str) -> None:
        """Queue `data` for the terminal, or drop it while too much is waiting; never wait."""
        if self._away or self._output is None:
            return  # suspended, or in the background
        if not self._painting:
            self._output.farewell += data
        elif self._output.pending >= MAX_PENDING:
            return
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
        self._modes = modes(self.fileno)
        if not constants.DISABLE_KITTY_KEY:
            self.write(_KITTY_PUSH)
        # Textual has just reset these signals to stop the process.
        never_stop_for_the_terminal()
        self._painting = True
        self._questions = Questions()
        self.frames.begin()
        self.frames.shown.erases_in_colour = self._output.erases_in_colour
        self.write(_ASK_SIDE_MARGINS)

    def repaint(self) -> None:
        """Redraw everything, and undo what other programs have written to the terminal or changed in it."""
        if self.is_open:
            self.frames.repaint(_CLEAR)
            self.app.screen.refresh()

    def disable_input(self) -> None:
        """Stop reading from the terminal."""
        if self._away:
            return
        if in_foreground(self.fileno):
            super().disable_input()
            self._questions.take_rest(self.fileno, EXIT_GRACE)
        else:
            # Input that is already there belongs to another program: it is not flushed.
            self.write(_MOUSE_OFF)
            self._stop_reading()

    def stop_application_mode(self) -> None:
        """Leave application mode and restore the terminal."""
        self._painting = False
        self.frames.close()
        if self._away or self._output is None:
            return  # another program has it
        self._output.farewell = _CANCEL
        self.write(_NO_COLOURS)
        if not constants.DISABLE_KITTY_KEY:
            self.write(_KITTY_POP)
        if not in_foreground(self.fileno) and self._modes != modes(self.fileno):
            self.attrs_before = None  # the shell that took over has set its own modes
        super().stop_application_mode()
        self._output.give_up_at = monotonic() + EXIT_GRACE

    def close(self) -> None:
        """Wait for the last writes, but only as long as a terminal that does not read is given."""
        self._look_no_more()
        super().close()
        if self._output is not None:
            self._output.close(EXIT_GRACE + 2 * POLL_INTERVAL)
        self._exit_event.close()

    def _get_terminal_size(self) -> tuple[int, int]:
        # Private, so Textual is pinned. Its own prefers COLUMNS and LINES, which may be out of date.
        for stream in filter(None, (sys.__stderr__, sys.__stdin__)):
            with suppress(ValueError, OSError):
                width, height = os.get_terminal_size(stream.fileno())
                if width and height:
                    return max(width, LEAST_WIDTH), height
        return super()._get_terminal_size()

    def run_input_thread(self) -> None:
        """Dispatch the terminal's input until the app stops or the terminal is closed.

        Textual's own checks ten times a second whether the app has stopped.
        """
        try:
            self._read_input()
        finally:
            self._input_ended.set()
        if not self._exit_event.is_set() and in_foreground(self.fileno):
            self._call(self._hang_up)

    def _read_input(self) -> None:
        assert sys.__stdin__ is not None
        keyboard = Keyboard(sys.__stdin__.encoding, constants.ESCAPE_DELAY, lambda: self._questions.due > 0)
        with Selector() as selector, suppress(OSError, RuntimeError):  # the terminal or the loop is closed
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
                        continue  # another process read it first
                    if not data:
                        break
                    events = keyboard.feed(data)
                for event in events:
                    self._take(event)
                self._wait_for_room()

    def _take(self, event: Message) -> None:
        match event:
            case Answered():
                self._questions.hear()
                self.event_loop.call_soon_threadsafe(self.frames.answered)
            case HasSideMargins():
                self.frames.shown.side_margins = True
            case TerminalSupportsSynchronizedOutput():
                self.frames.synchronised = True
            case Key():
                self.event_loop.call_soon_threadsafe(self.frames.pacing.typed)
                self.process_message(event)
            case _:
                self.process_message(event)

    def _wait_for_room(self) -> None:
        """Wait until the app has caught up: a paste without bracketed paste mode may be long."""
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
        """Take the terminal back, however the program was stopped and whoever has used it since."""
        self._look_no_more()
        if is_hung_up(self.fileno):
            self._hang_up()
            return
        if not in_foreground(self.fileno):
            # After `bg` another program has the terminal, and the chat goes on.
            if self._painting and not self._away:
                # Stopped by SIGSTOP: the shell got the terminal with the console still on it.
                self.suspend_application_mode()
            self._away = True
            self._look = self.event_loop.call_later(_BACKGROUND_INTERVAL, self._resume)
            return
        self._away = False
        if self._painting:
            # Continued after SIGSTOP, which no program can catch.
            self.suspend_application_mode()
        self.resume_application_mode()
        self._call(self.repaint)

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _leave_alone(self) -> None:
        """Stop reading from the terminal and writing to it."""
        if not self._away:
            self._stop_reading()
        self._away = True

    def _stop_reading(self) -> None:
        self._exit_event.set()
        self._input_ended.wait(EXIT_GRACE)
        self._exit_event.clear()

    def _drained(self) -> None:
        """Handle that the writer thread has written everything in its queue."""
        if self.stalled:
            with suppress(RuntimeError):  # the loop may be closed by now
                self.event_loop.call_soon_threadsafe(self.frames.send)

    def _call(self, callback: Callable[[], None]) -> None:
        """Have the app call `callback`; for other threads, and without waiting for it."""
        with suppress(RuntimeError):  # the loop may be closed by now
            self.event_loop.call_soon_threadsafe(self.app.call_later, callback)

    def _hang_up(self) -> None:
        if is_ignored(signal.SIGHUP):
            self._leave_alone()
        elif self.app.return_code is None:
            self.app.exit(return_code=HANGUP)
