"""The inbox: which private lines wait for an answer, and when the bell rings for one."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chat_console.app.inbox import BELL_INTERVAL, Bell, Inbox

MEMBERS = st.integers(1, 5)


class AnyEvening(RuleBasedStateMachine):
    """Lines, answers, departures and looks in any order, beside the plainest inbox that there can be."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox = Inbox()
        self.lines: list[tuple[int, int]] = []
        self.gone: set[int] = set()
        self.serial = 0

    @rule(member=MEMBERS)
    def arrives(self, member: int) -> None:
        if member not in self.gone:
            self.serial += 1
            self.inbox.arrived(member, self.serial)
            self.lines.append((member, self.serial))

    @rule(member=MEMBERS)
    def is_answered(self, member: int) -> None:
        self.inbox.answered(member)
        self.lines = [line for line in self.lines if line[0] != member]

    @rule(member=MEMBERS)
    def leaves(self, member: int) -> None:
        self.inbox.left(member)
        self.gone.add(member)

    @rule(member=MEMBERS)
    def is_seen(self, member: int) -> None:
        self.inbox.seen(member)
        if member in self.gone:
            self.lines = [line for line in self.lines if line[0] != member]

    @invariant()
    def it_says_what_waits(self) -> None:
        members = [member for member, _ in self.lines]
        assert self.inbox.count == len(self.lines)
        assert self.inbox.by_member == {member: members.count(member) for member in members}
        assert [self.inbox.pending(member) for member in range(7)] == [members.count(m) for m in range(7)]
        assert self.inbox.oldest() == (self.lines[0] if self.lines else None)

    @invariant()
    def going_on_comes_to_everybody_and_back(self) -> None:
        waiting = dict(reversed(self.lines))  # each one's first line
        found: list[tuple[int, int]] = []
        while (line := self.inbox.after(found[-1][0] if found else None)) and line not in found:
            found.append(line)
        assert found == sorted(waiting.items(), key=lambda line: line[1])
        assert line == self.inbox.oldest()
        assert self.inbox.after(None) == self.inbox.after(99) == self.inbox.oldest()


TestAnyEvening = AnyEvening.TestCase


def test_somebody_who_writes_again_after_an_answer_waits_from_then_on() -> None:
    inbox = Inbox()
    inbox.arrived(1, 10)
    inbox.arrived(2, 11)
    inbox.answered(1)
    inbox.arrived(1, 12)
    assert (inbox.oldest(), inbox.count) == ((2, 11), 2)


def test_of_too_many_those_who_left_are_forgotten_first_and_then_the_oldest() -> None:
    inbox = Inbox(limit=3)
    for member, serial in ((1, 10), (2, 11), (2, 12), (3, 13)):
        inbox.arrived(member, serial)
    inbox.left(2)
    inbox.arrived(4, 14)
    assert inbox.by_member == {1: 1, 3: 1, 4: 1}
    inbox.arrived(5, 15)
    assert (inbox.by_member, inbox.count) == ({3: 1, 4: 1, 5: 1}, 3)
    assert inbox.oldest() == (3, 13)


def test_one_who_floods_pushes_nobody_out() -> None:
    inbox = Inbox(limit=3)
    inbox.arrived(1, 0)
    for serial in range(1, 10_000):
        inbox.arrived(2, serial)
    assert (inbox.oldest(), inbox.count) == ((1, 0), 10_000)


def test_the_bell_rings_for_what_goes_unseen_and_not_again_for_a_while() -> None:
    bell = Bell()
    assert not bell.rings(0.0, False)
    assert bell.rings(0.0, True)
    assert not bell.rings(BELL_INTERVAL - 0.1, True)
    assert not bell.rings(BELL_INTERVAL, False)
    assert bell.rings(BELL_INTERVAL + 1, True)
    assert not bell.rings(2 * BELL_INTERVAL, True)
