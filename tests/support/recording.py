"""A chat without sockets or a running loop: who got which lines, and what the events were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from chat_console.server.addresses import Address
from chat_console.server.chat import Certificate, Chat
from chat_console.server.gate.bans_file import BansFile
from chat_console.server.order import LocalOrder
from chat_console.server.room.entries import Entry, Join, Leave, Line, Lines
from chat_console.server.room.events import Event, LeaveReason, Replied
from chat_console.server.room.member import Member
from chat_console.server.settings import Settings
from chat_console.server.wire.codec import LF, Codec

NOW = 1_700_000_000.0
"""What the chat's wall clock shows, always."""

T = TypeVar("T")


class _Reply:
    """Equals an answer to the one operator there is, whatever its outcome and its brief form."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Replied):
            return NotImplemented
        return (other.time, other.session_id, other.text) == (NOW, 1, self.text)

    def __repr__(self) -> str:
        return f"Replied({NOW}, 1, {self.text!r}, ...)"


def replied(text: str) -> Any:
    """Stands for the `Replied` with which the one operator there is was answered."""
    return _Reply(text)


def at_once(work: Callable[[], T], done: Callable[[T], object]) -> None:
    """What a server does aside, done on the spot."""
    done(work())


class Alarm:
    """A call that comes when the clock has reached `due`."""

    def __init__(self, due: float, call: Callable[[], object]) -> None:
        self.due = due
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """An event loop whose turns and clock only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._soon: list[Callable[[], object]] = []
        self._alarms: list[Alarm] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, call: Callable[[], object]) -> None:
        self._soon.append(call)

    def call_later(self, seconds: float, call: Callable[[], object]) -> Alarm:
        alarm = Alarm(self.now + seconds, call)
        self._alarms.append(alarm)
        return alarm

    @property
    def waiting(self) -> int:
        """How many timers are still to come."""
        return sum(not alarm.cancelled for alarm in self._alarms)

    @property
    def due(self) -> int:
        """How many calls the next turn makes."""
        return len(self._soon)

    def turn(self) -> bool:
        """Make the calls of one turn; whether there were any."""
        calls, self._soon = self._soon, []
        for call in calls:
            call()
        return bool(calls)

    def settle(self) -> None:
        """Let turns pass until nothing is left to do."""
        while self.turn():
            pass

    def advance(self, seconds: float) -> None:
        """Let time pass, and make the calls that are due, the first first."""
        self.now += seconds
        due = [alarm for alarm in self._alarms if alarm.due <= self.now]
        self._alarms = [alarm for alarm in self._alarms if alarm.due > self.now]
        for alarm in sorted(due, key=lambda alarm: alarm.due):
            if not alarm.cancelled:
                alarm.call()


class Receiver:
    """The sending end of a connection that keeps what is sent."""

    def __init__(self, codec: Codec = LF) -> None:
        self.codec = codec
        self.data = bytearray()
        self.finished = False
        self.answers = 0
        """How many searches have been answered."""

    def write(self, data: bytes) -> None:
        assert data
        assert not self.finished
        self.data += data

    def write_all(self, pieces: Sequence[bytes]) -> None:
        self.write(b"".join(pieces))

    def finish(self) -> None:
        self.finished = True

    def answered(self) -> None:
        self.answers += 1


class Scene:
    """A chat with one operator, and what everybody in it has seen since one last looked."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        certificate: Certificate | None = None,
        bans_file: Path | None = None,
    ) -> None:
        self.loop = Loop()
        self.log: list[Entry] = []
        """The entries, in the order in which they were applied."""
        self.chat = Chat(settings or Settings(), self.loop, at_once, order=self._order, now=lambda: NOW)
        self.chat.certificate = certificate
        self.chat.bans.keep_in(BansFile(bans_file) if bans_file else None)
        self.submit = self.chat.submit
        self.room = self.chat.room
        self.bans = self.chat.bans
        self.quits = 0
        """How often the operator has asked to end the server."""
        self._events: list[Event] = []
        self.operator = self.chat.operator(self._events.append, self._quit)
        self.members: dict[int, Member] = {}
        """All who have ever joined, by id."""
        self.receivers: dict[Member, Receiver] = {}

    def _order(self, chat: Chat) -> LocalOrder:
        def keep_and_apply(entry: Entry) -> None:
            self.log.append(entry)
            chat.room.apply(entry)

        return LocalOrder(keep_and_apply)

    def _quit(self) -> None:
        self.quits += 1

    def join(self, address: str | None = None) -> Member:
        """One more client, at an address (`{ip}|{port}`) of its own where none is given."""
        number = len(self.members) + 1
        host, _, port = (address or f"10.0.{number >> 8}.{number & 255}|{4000 + number}").rpartition("|")
        receiver = Receiver()
        self.chat.outbox.expect(number, receiver)
        self.submit(Join(NOW, number, Address(host, int(port))))
        member = self.room.roster.get(number)
        assert member is not None
        self.members[number] = member
        self.receivers[member] = receiver
        return member

    def gather(self, *names: str) -> list[Member]:
        """One client for each name, which it bears; what was said meanwhile is forgotten."""
        members = [self.join() for _ in names]
        for member, name in zip(members, names, strict=True):
            self.send(member, f"/nick {name}")
        self.forget()
        return members

    def send(self, member: Member, *lines: Line) -> None:
        """Let `lines` of `member` arrive together."""
        self.submit(Lines(NOW, member.id, lines))

    def leave(self, *members: Member, reason: LeaveReason = LeaveReason.LOST, remark: str = "") -> None:
        """Let `members` go at one moment."""
        self.submit(Leave(NOW, tuple(member.id for member in members), reason, remark))

    def shut_down(self) -> None:
        self.chat.shut_down()

    def operate(self, *lines: Line) -> None:
        for line in lines:
            self.operator.operate(line)

    @property
    def present(self) -> list[Member]:
        """Who is here, in order of joining."""
        return list(self.room.roster.members)

    def seen(self) -> dict[Member, list[str]]:
        """The new lines of each member that got any."""
        self.loop.settle()
        seen = {
            member: receiver.data.decode().removesuffix("\n").split("\n")
            for member, receiver in self.receivers.items()
            if receiver.data
        }
        for receiver in self.receivers.values():
            receiver.data.clear()
        return seen

    def told(self) -> list[Event]:
        """The new events."""
        self.loop.settle()
        told = self._events.copy()
        self._events.clear()
        return told

    @property
    def closed(self) -> list[Member]:
        """Whose connections have been ended, in order of joining."""
        self.loop.settle()
        return [member for member, receiver in self.receivers.items() if receiver.finished]

    def forget(self) -> None:
        """Look at nothing that has happened so far."""
        self.seen()
        self.told()
