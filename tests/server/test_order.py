"""The order of entries on one machine: at once, one after the other, and never one amid another."""

from __future__ import annotations

from typing import Any

import pytest
from support.pure_room import PureRoom
from support.recording import NOW, Loop, Receiver, Scene, at_once

from chat_console.server.addresses import Address
from chat_console.server.chat import Chat
from chat_console.server.order import LocalOrder
from chat_console.server.room.entries import Entry, Say
from chat_console.server.room.events import Event, Failed, Joined, OperatorSaid, Said
from chat_console.server.settings import Settings


def say(text: str) -> Say:
    return Say(0.0, 1, "Operator", text)


class Applied:
    """What is applied; some entries have others submitted meanwhile, or fail."""

    def __init__(self, answers: dict[str, list[str]] | None = None) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.answers = answers or {}
        self.order = LocalOrder(self.apply)

    def apply(self, entry: Entry) -> None:
        assert isinstance(entry, Say)
        assert self.begun == self.done, "one amid another"
        self.begun.append(entry.text)
        try:
            for text in self.answers.get(entry.text, ()):
                self.order.submit(say(text))
            if entry.text == "fail":
                raise ZeroDivisionError
        finally:
            self.done.append(entry.text)


class TestLocalOrder:
    def test_applies_each_at_once(self) -> None:
        applied = Applied()
        for count, text in enumerate(("one", "two", "three"), 1):
            applied.order.submit(say(text))
            assert len(applied.done) == count
        assert applied.done == ["one", "two", "three"]

    def test_applies_what_comes_meanwhile_after_that_in_the_order_in_which_it_came(self) -> None:
        applied = Applied({"one": ["two", "three"], "two": ["four"], "three": ["five"]})
        applied.order.submit(say("one"))
        assert applied.done == ["one", "two", "three", "four", "five"]
        applied.order.submit(say("six"))
        assert applied.done[5:] == ["six"]

    def test_lets_no_other_wait_for_one_that_fails(self) -> None:
        applied = Applied({"one": ["fail", "two"], "fail": ["three"]})
        with pytest.raises(ZeroDivisionError):
            applied.order.submit(say("one"))
        assert applied.done == ["one", "fail", "two", "three"]
        applied.order.submit(say("four"))
        assert applied.done[4:] == ["four"]

    def test_tells_of_an_error_that_whoever_came_first_has_not_made(self) -> None:
        applied = Applied({"one": ["fail", "two"]})
        errors: list[Exception] = []
        applied.order = LocalOrder(applied.apply, errors.append)
        applied.order.submit(say("one"))
        assert applied.done == ["one", "fail", "two"]
        assert [type(error) for error in errors] == [ZeroDivisionError]
        with pytest.raises(ZeroDivisionError):
            applied.order.submit(say("fail"))
        assert len(errors) == 1

    def test_takes_many_answers_to_one(self) -> None:
        answers = [str(number) for number in range(1000)]
        applied = Applied({"one": answers})
        applied.order.submit(say("one"))
        assert applied.done == ["one", *answers]

    def test_is_never_full_and_always_done(self) -> None:
        order, calls = Applied().order, []
        assert not order.is_full
        order.when_free(lambda: calls.append("free"))
        order.when_done(lambda: calls.append("done"))
        assert calls == ["free", "done"]

    def test_cuts_off_a_chain_without_end_and_the_next_is_as_long(self) -> None:
        applied = Applied({"again": ["again"]})
        for _ in range(2):
            applied.begun.clear()
            applied.done.clear()
            with pytest.raises(RecursionError):
                applied.order.submit(say("again"))
            assert 8 <= len(applied.done) <= 100


class TestSubscriberThatActs:
    """It is told in the midst of an entry; what it does has its own place in the log."""

    def test_does_so_after_the_entry_that_it_was_told_of(self) -> None:
        scene = Scene()
        ann, bob = scene.gather("Ann", "Bob")

        def act(event: Event) -> None:
            if isinstance(event, Said):
                scene.operator.say(f"{event.name}!")
            elif isinstance(event, Joined):
                scene.operator.message(event.member_id, "read the rules")
                scene.operator.mute(event.member_id)

        scene.chat.subscribe(act)
        scene.send(ann, "one", "/nick Eve", "two")
        assert scene.seen() == {
            ann: ["You are now Eve", "Operator: Ann!", "Operator: Eve!"],
            bob: ["Ann: one", "Ann is now Eve", "Eve: two", "Operator: Ann!", "Operator: Eve!"],
        }
        new = scene.join()
        assert scene.seen()[new] == [
            f"Welcome {new.address} to the server!",
            "Operator (private): read the rules ",
            "You are muted",
        ]

    def test_leaves_a_log_of_which_the_same_room_comes(self) -> None:
        scene = Scene()

        def act(event: Event) -> None:
            if isinstance(event, Said):
                scene.operator.operate("/mute Bob")
                scene.operator.operate("/kick Cid")

        scene.chat.subscribe(act)
        ann, _, cid = (scene.join() for _ in range(3))
        scene.send(ann, "hello", "/nick Ann", "/list")
        scene.send(cid, "/nick Cid", "am I gone?", "/nick Bob", "not yet")
        events = scene.told()
        again = PureRoom()
        again.apply_all(scene.log)
        assert again.events == events
        assert [one.name for one in again.room.roster.members] == [one.name for one in scene.present]

    def test_without_end_is_cut_off_and_told(self) -> None:
        scene = Scene()
        scene.chat.subscribe(
            lambda event: scene.operator.say("again") if isinstance(event, OperatorSaid) else None
        )
        scene.operator.say("again")
        told = scene.told()
        assert 8 <= told.count(OperatorSaid(NOW, "Operator", "again")) <= 100
        (failed,) = [event for event in told if isinstance(event, Failed)]
        assert failed.error.startswith("RecursionError: ")

    def test_that_asks_without_end_is_cut_off_whatever_was_told_first(self) -> None:
        scene = Scene()
        ann, bob = scene.gather("Ann", "Bob")
        told: list[Event] = []

        def ask(event: Event) -> None:
            told.append(event)
            if len(told) < 1000:
                operator.list_users()

        operator = scene.chat.operator(ask, lambda: None)
        for act in (lambda: scene.send(ann, "hello"), lambda: scene.leave(bob)):
            told.clear()
            act()
            scene.forget()
            assert 8 <= len(told) <= 100

    def test_and_asks_for_what_cannot_be_costs_nobody_else_anything(self) -> None:
        chat = Chat(Settings(), Loop(), at_once)
        told: list[Event] = []
        seconds: Any = "ten"

        def act(event: Event) -> None:
            told.append(event)
            if isinstance(event, Joined):
                operator.mute(event.member_id, seconds)

        operator = chat.operator(act, lambda: None)
        chat.join(1, Address("10.0.0.1", 4001), Receiver())
        assert [type(event) for event in told] == [Joined, Failed]
        assert isinstance(told[1], Failed)
        assert told[1].where == "a subscriber's request"
