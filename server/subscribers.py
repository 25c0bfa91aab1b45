"""Who is told what happens: each event goes to every subscriber, whatever one of them does."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import deque
from collections.abc import Callable

from .room.events import Event, Failed

Subscriber = Callable[[Event], None]

_FAILURES_TOLD_EVERY = 60.0  # seconds
_LONGEST_CHAIN = 16  # events, each made by a subscriber that was told the one before
_LONGEST_ERROR = 500  # characters


class _Subscription:
    """One call of `Subscribers.add`."""

    __slots__ = ("call", "ended", "failures", "told_at")

    def __init__(self, call: Subscriber) -> None:
        self.call = call
        self.ended = False
        self.failures = 0  # that nobody has been told of
        self.told_at: float | None = None


class Subscribers:
    """Tells events, all in the same order to everybody.

    What a subscriber does may make further events: those are told behind the one that is being told. One that
    answers every event with another, also with those that it has just made, gets a `RecursionError`.

    A subscriber that raises harms nobody. The others are told, by a `Failed` event for each subscriber and
    minute; where there is no other, the event loop's exception handler is.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: tuple[_Subscription, ...] = ()  # anew with each change, since some may run through it
        self._waiting: deque[tuple[Event, int, _Subscription | None]] = deque()
        self._telling = False
        self._links = 0  # how many events led to the one that is being told

    def add(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with each event from now on.

        Returns:
            What undoes it, at once, also from inside a subscriber. Undoing it again does nothing.

        Raises:
            TypeError: if it cannot be called, or is a coroutine function, whose calls nobody would await.
        """
        if not callable(subscriber):
            raise TypeError(f"a subscriber is called: it cannot be {subscriber!r}")
        # An object is called by its class.
        if inspect.iscoroutinefunction(subscriber) or inspect.iscoroutinefunction(type(subscriber).__call__):
            raise TypeError("a subscriber is called and not awaited: it cannot be a coroutine function")
        subscription = _Subscription(subscriber)
        self._all = (*self._all, subscription)

        def undo() -> None:
            subscription.ended = True
            self._all = tuple(each for each in self._all if each is not subscription)

        return undo

    def tell(self, event: Event) -> None:
        """Tell everybody `event`; behind the event that is being told, if there is one.

        Raises:
            RecursionError: if a chain of events that subscribers made of each other has no end.
        """
        if self._links >= _LONGEST_CHAIN:
            raise RecursionError("a subscriber answers events with events without end")
        self._waiting.append((event, self._links + 1, None))
        if self._telling:
            return
        self._telling = True
        try:
            while self._waiting:
                event, self._links, author = self._waiting.popleft()
                for subscription in self._all:
                    if subscription is not author and not subscription.ended:
                        self._tell(subscription, event)
        finally:
            self._telling = False
            self._links = 0

    def _tell(self, subscription: _Subscription, event: Event) -> None:
        try:
            subscription.call(event)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # also the CancelledError of some future that it looked at
            self._failed(subscription, event, error)

    def _failed(self, subscription: _Subscription, event: Event, error: BaseException) -> None:
        now = self._clock()
        subscription.failures += 1
        if subscription.told_at is not None and now - subscription.told_at < _FAILURES_TOLD_EVERY:
            return
        failures, subscription.failures = subscription.failures, 0
        subscription.told_at = now
        name = getattr(subscription.call, "__qualname__", type(subscription.call).__name__)
        where = f"the subscriber {name}"
        if all(each is subscription for each in self._all):
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{where} of a chat server failed", "exception": error}
            )
            return
        text = described(error) + (f" ({failures} failures)" if failures > 1 else "")
        self._waiting.append((Failed(event.time, where, text), self._links, subscription))


def described(error: BaseException) -> str:
    """`error` in one line of bounded length, also where it cannot be shown."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "its text cannot be shown"
    return f"{type(error).__name__}: {text[:_LONGEST_ERROR]}"
