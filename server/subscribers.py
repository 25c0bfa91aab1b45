"""Event subscribers: each event reaches every subscriber, whatever any one of them does."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import deque
from collections.abc import Callable
from typing import Any, overload

from .room.events import Addressed, Event, Failed, Messaged, OperatorMessaged, PublicEvent, Replied, Silenced

Subscriber = Callable[[PublicEvent], object]
"""Takes the public events."""

_FAILURES_TOLD_EVERY = 60.0  # seconds
_LONGEST_CHAIN = 16  # events, each emitted by a subscriber in response to the one before
_LONGEST_ERROR = 500  # characters
EVERY_SESSION = 0
"""The id of no session: who subscribes with it gets what is for any of them."""

_ADDRESSED = (Messaged, Silenced, OperatorMessaged, Replied)


class _Subscription:
    """One call of `Subscribers.add`."""

    __slots__ = ("call", "ended", "failures", "session_id", "told_at")

    def __init__(self, call: Callable[[Any], object], session_id: int | None) -> None:
        self.call = call
        self.session_id = session_id
        self.ended = False
        self.failures = 0  # not reported yet
        self.told_at: float | None = None

    def may_hear(self, event: Addressed) -> bool:
        """Whether `event` is for this subscriber."""
        if isinstance(event, (Messaged, Silenced, OperatorMessaged)):
            # What members write to the operators in private waits at each console until one of them answers.
            return self.session_id is not None
        if self.session_id is None:
            return False
        return self.session_id == EVERY_SESSION or event.session_id in (None, self.session_id)


class Subscribers:
    """Delivers events to all subscribers in the same order.

    A subscriber may cause further events; they are delivered after the current one. A subscriber that
    responds to every event with another, including its own, gets a `RecursionError`.

    A subscriber that raises harms nobody. The others get a `Failed` event, at most one a minute for each
    failing subscriber; if there are no others, the event loop's exception handler is called.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: tuple[_Subscription, ...] = ()  # never mutated: a loop may be running over it
        self._waiting: deque[tuple[Event, int, _Subscription | None]] = deque()
        self._telling = False
        self._links = 0  # how many events led to the current one

    @overload
    def add(self, subscriber: Subscriber) -> Callable[[], None]: ...
    @overload
    def add(self, subscriber: Callable[[Event], object], session_id: int) -> Callable[[], None]: ...
    def add(self, subscriber: Callable[[Any], object], session_id: int | None = None) -> Callable[[], None]:
        """Call `subscriber` with each public event from now on.

        Args:
            subscriber: takes the event. It should only record it, because the chat waits for it.
            session_id: if given, it also gets what is for that operator's session, or for all sessions; with
                `EVERY_SESSION` what is for any of them.

        Returns:
            A function that unsubscribes at once, even inside a subscriber; calling it again does nothing.

        Raises:
            TypeError: if it is not callable, or is a coroutine function, which nobody would await.
        """
        if not callable(subscriber):
            raise TypeError(f"a subscriber must be callable, not {subscriber!r}")
        # Calling an object calls its class's __call__.
        if inspect.iscoroutinefunction(subscriber) or inspect.iscoroutinefunction(type(subscriber).__call__):
            raise TypeError("a subscriber is called, not awaited: it cannot be a coroutine function")
        subscription = _Subscription(subscriber, session_id)
        self._all = (*self._all, subscription)

        def undo() -> None:
            subscription.ended = True
            self._all = tuple(each for each in self._all if each is not subscription)

        return undo

    def tell(self, event: Event) -> None:
        """Deliver `event` to those it is for, after the event being delivered, if there is one.

        Raises:
            RecursionError: if subscribers keep responding to each other's events.
        """
        if self._links >= _LONGEST_CHAIN:
            raise RecursionError("subscribers keep responding to each other's events")
        self._waiting.append((event, self._links + 1, None))
        if self._telling:
            return
        self._telling = True
        try:
            while self._waiting:
                event, self._links, author = self._waiting.popleft()
                addressed = event if isinstance(event, _ADDRESSED) else None
                for subscription in self._all:
                    if addressed is not None and not subscription.may_hear(addressed):
                        continue
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
        except BaseException as error:  # even a CancelledError, from a future that it looked at
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
    """`error` as one line of bounded length, even if its text cannot be produced."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "its text cannot be shown"
    return f"{type(error).__name__}: {text[:_LONGEST_ERROR]}"
