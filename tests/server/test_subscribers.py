"""Subscribers: each gets every event in one order, whatever another one does."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
from support.chat_clients import open_chat
from support.recording import Loop

from chat_console.server.room.events import (
    Event,
    Failed,
    LeaveReason,
    Left,
    Messaged,
    OperatorMessaged,
    OperatorSaid,
    Replied,
    Said,
    Silenced,
)
from chat_console.server.subscribers import EVERY_SESSION, Subscribers, described


def said(text: str) -> OperatorSaid:
    return OperatorSaid(7.0, "Operator", text)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class TestSubscribing:
    def test_gets_every_event_from_then_on(self) -> None:
        subscribers = Subscribers()
        told: list[Event] = []
        subscribers.tell(said("before"))
        subscribers.add(told.append)
        subscribers.tell(said("one"))
        subscribers.tell(said("two"))
        assert told == [said("one"), said("two")]

    def test_is_undone_for_that_one_alone_and_once_for_all(self) -> None:
        subscribers = Subscribers()
        told: list[Event] = []
        take = told.append
        undos = [subscribers.add(take) for _ in range(3)]
        undos[1]()
        subscribers.tell(said("one"))
        assert told == [said("one")] * 2
        undos[1]()
        subscribers.tell(said("two"))
        assert told[2:] == [said("two")] * 2
        again = subscribers.add(take)
        for undo in undos:
            undo()
        subscribers.tell(said("three"))
        assert told[4:] == [said("three")]
        again()
        subscribers.tell(said("four"))
        assert len(told) == 5

    @pytest.mark.parametrize("victim", range(4))
    @pytest.mark.parametrize("culprit", range(4))
    def test_may_be_undone_while_an_event_is_told(self, culprit: int, victim: int) -> None:
        subscribers = Subscribers()
        told: list[tuple[int, Event]] = []
        undos: list[Callable[[], None]] = []

        def take(number: int, event: Event) -> None:
            told.append((number, event))
            if number == culprit:
                undos[victim]()

        def subscriber(number: int) -> Callable[[Event], None]:
            return lambda event: take(number, event)

        undos += [subscribers.add(subscriber(number)) for number in range(4)]
        subscribers.tell(said("one"))
        # Who is to come hears of it no more; who has had its turn has heard it already.
        first = [number for number in range(4) if number != victim or victim <= culprit]
        assert told == [(number, said("one")) for number in first]
        told.clear()
        subscribers.tell(said("two"))
        assert [number for number, _ in told] == [number for number in range(4) if number != victim]

    def test_while_an_event_is_told_begins_with_the_next(self) -> None:
        subscribers = Subscribers()
        told: list[Event] = []
        undos: list[Callable[[], None]] = []
        undos.append(subscribers.add(lambda _: (undos.pop()(), subscribers.add(told.append))[0]))
        subscribers.tell(said("one"))
        assert told == []
        subscribers.tell(said("two"))
        assert told == [said("two")]

    def test_refuses_what_would_have_to_be_awaited(self) -> None:
        async def take(_: Event) -> None: ...

        class Taker:
            async def __call__(self, _: Event) -> None: ...

        for subscriber in take, functools.partial(take), Taker():
            with pytest.raises(TypeError, match="not awaited"):
                Subscribers().add(subscriber)  # type: ignore[arg-type]

    def test_refuses_what_cannot_be_called(self) -> None:
        with pytest.raises(TypeError, match="must be callable, not None"):
            Subscribers().add(None)  # type: ignore[arg-type]


class TestWhoHears:
    """Each event is for everybody, or for operators' sessions alone, or for one of them."""

    MESSAGED = Messaged(7.0, 1, "Ann", "psst")

    @pytest.mark.parametrize(
        ("event", "hearers"),
        [
            (said("hello"), ["anybody", "1", "2", "every"]),
            (Failed(7.0, "Ann", "oops"), ["anybody", "1", "2", "every"]),
            (MESSAGED, ["1", "2", "every"]),
            (Silenced(7.0, 1, "Ann", ("hello",)), ["1", "2", "every"]),
            (Replied(7.0, None, "for all sessions"), ["1", "2", "every"]),
            (Replied(7.0, 2, "for one"), ["2", "every"]),
            (Replied(7.0, 3, "for one that is gone"), ["every"]),
            (OperatorMessaged(7.0, 1, "Operator", "Ann", "psst", (1,)), ["1", "2", "every"]),
        ],
    )
    def test_is_decided_by_what_it_is(self, event: Event, hearers: list[str]) -> None:
        subscribers = Subscribers(Loop().time)
        heard: list[tuple[str, Event]] = []

        def hearing(name: str) -> Callable[[Event], None]:
            return lambda event: heard.append((name, event))

        subscribers.add(hearing("anybody"))
        undos = [subscribers.add(hearing(str(number)), number) for number in (1, 2)]
        undos.append(subscribers.add(hearing("every"), EVERY_SESSION))
        subscribers.tell(event)
        assert heard == [(name, event) for name in hearers]
        for undo in undos:
            undo()
        heard.clear()
        subscribers.tell(event)
        assert heard == [("anybody", event)] * ("anybody" in hearers)

    def test_keeps_its_place_in_the_order(self) -> None:
        subscribers = Subscribers(Loop().time)
        told: list[Event] = []
        subscribers.add(lambda event: subscribers.tell(self.MESSAGED) if event == said("one") else None)
        subscribers.add(told.append, 1)
        subscribers.tell(said("one"))
        subscribers.tell(said("two"))
        assert told == [said("one"), self.MESSAGED, said("two")]


class TestOrder:
    def test_is_one_for_all_also_where_a_subscriber_makes_events(self) -> None:
        subscribers = Subscribers()
        told: list[list[Event]] = [[], []]

        def answer(event: Event) -> None:
            if isinstance(event, Said):
                subscribers.tell(said("answer"))
                subscribers.tell(said("and another"))

        subscribers.add(told[0].append)
        subscribers.add(answer)
        subscribers.add(told[1].append)
        question = Said(7.0, 1, "Ann", ("hello",))
        subscribers.tell(question)
        assert told[0] == told[1] == [question, said("answer"), said("and another")]

    def test_of_events_without_end_is_cut_off_and_is_as_long_the_next_time(self) -> None:
        subscribers = Subscribers(Loop().time)
        told: list[Event] = []
        subscribers.add(told.append)
        subscribers.add(lambda event: None if isinstance(event, Failed) else subscribers.tell(event))
        subscribers.tell(said("again"))
        chain = told.count(said("again"))
        assert 8 <= chain <= 100
        (failed,) = [event for event in told if isinstance(event, Failed)]
        assert failed.error.startswith("RecursionError: ")
        subscribers.tell(said("again"))
        assert told.count(said("again")) == 2 * chain


class TestFailure:
    ERRORS = (ValueError("oops"), asyncio.CancelledError("oops"), GeneratorExit("oops"))

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
    @pytest.mark.parametrize("position", range(3))
    def test_leaves_the_event_to_the_others_who_are_told(self, position: int, error: BaseException) -> None:
        subscribers = Subscribers(Loop().time)
        told: list[list[Event]] = []

        def fail(event: Event) -> None:
            raise error

        for number in range(3):
            if number == position:
                subscribers.add(fail)
            else:
                told.append([])
                subscribers.add(told[-1].append)
        subscribers.tell(said("one"))
        where = f"the subscriber {fail.__qualname__}"
        expected = [said("one"), Failed(7.0, where, f"{type(error).__name__}: oops")]
        assert told == [expected, expected]

    def test_is_told_once_a_minute_with_the_number_of_those_before(self) -> None:
        clock = Loop()
        subscribers = Subscribers(clock.time)
        told: list[Event] = []
        subscribers.add(told.append)
        subscribers.add({}.__getitem__)  # type: ignore[arg-type]

        def errors() -> list[str]:
            errors = [event.error for event in told if isinstance(event, Failed)]
            told.clear()
            return errors

        for _ in range(1000):
            subscribers.tell(said("one"))
        (error,) = errors()
        assert error.startswith("KeyError: OperatorSaid(")
        clock.advance(59.9)
        subscribers.tell(said("two"))
        assert errors() == []
        clock.advance(0.1)
        subscribers.tell(said("three"))
        (error,) = errors()
        assert error.endswith(" (1001 failures)")

    def test_of_all_of_them_is_bounded_and_no_chain(self) -> None:
        subscribers = Subscribers(Loop().time)
        told: list[Event] = []

        class Failing:
            def __call__(self, event: Event) -> None:
                told.append(event)
                raise ValueError(event)

        for _ in range(5):
            subscribers.add(Failing())
        for _ in range(100):
            subscribers.tell(said("one"))
        assert told.count(said("one")) == 500
        failed = [event for event in told if isinstance(event, Failed)]
        assert len(failed) == 5 * 4
        assert {event.where for event in failed} == {"the subscriber Failing"}

    async def test_of_the_only_one_goes_to_the_loops_exception_handler(self) -> None:
        contexts: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
        clock = Loop()
        subscribers = Subscribers(clock.time)
        error = ValueError("oops")

        def fail(event: Event) -> None:
            raise error

        subscribers.add(fail)
        for _ in range(10):
            subscribers.tell(said("one"))
        (context,) = contexts
        assert context["exception"] is error
        assert fail.__qualname__ in context["message"]

    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
    def test_that_ends_the_program_ends_it_and_the_next_event_is_told(
        self, error: type[BaseException]
    ) -> None:
        subscribers = Subscribers(Loop().time)
        told: list[Event] = []

        def end(event: Event) -> None:
            undo()
            raise error

        undo = subscribers.add(end)
        subscribers.add(told.append)
        with pytest.raises(error):
            subscribers.tell(said("one"))
        subscribers.tell(said("two"))
        assert told == [said("two")]

    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (ValueError("two\nlines\r\n"), "ValueError: two lines"),
            (ValueError(), "ValueError: "),
            (Unprintable(), "Unprintable: its text cannot be shown"),
            (ValueError("x" * 10_000), "ValueError: " + "x" * 500),
        ],
    )
    def test_is_described_in_one_line_of_bounded_length(self, error: Exception, text: str) -> None:
        assert described(error) == text


async def test_a_subscriber_that_raises_costs_the_chat_nothing() -> None:
    async with open_chat() as chat:

        def fail(event: Event) -> None:
            raise ValueError("oops")

        undo = chat.server.subscribe(fail)
        ann, bob = await chat.gather("Ann", "Bob")
        ann.send("hello", "/msg Bob psst", "/nick Eve")
        assert await bob.until("Ann is now Eve") == ["Ann: hello", "Ann(private): psst ", "Ann is now Eve"]
        chat.operator.operate("/mute Bob 10m")
        assert await bob.line() == "You are muted"
        chat.operator.operate("/kick Eve")
        assert (await ann.rest())[-1] == "You have left the server"
        assert (await chat.event(Left)).reason is LeaveReason.KICKED
        undo()
        bob.send("/quit")
        assert await bob.until("You have left the server")
        assert (await chat.event(Left)).reason is LeaveReason.QUIT
    failed = [event for event in chat.events if isinstance(event, Failed)]
    assert failed == []  # it was told before `gather` forgot what had happened, and not again within a minute
