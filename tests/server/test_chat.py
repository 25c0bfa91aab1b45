"""The chat without its sockets: several sessions, who is told what, and what a late console can know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.recording import NOW, Loop, Receiver, Scene, at_once

from chat_console.server.addresses import Address, Endpoint
from chat_console.server.chat import Chat, Present, Snapshot
from chat_console.server.gate.bans_file import BansFile
from chat_console.server.room.entries import Entry, Join, ShutDown
from chat_console.server.room.events import (
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    PublicEvent,
    Renamed,
    Replied,
    Said,
    Started,
)
from chat_console.server.room.operator import OperatorSession
from chat_console.server.settings import Settings
from chat_console.server.wire.tls import CertificateError

STARTED = Started(NOW - 60, (Endpoint("192.0.2.1", 1234),))


class Console:
    """One more operator, and what its session is told."""

    def __init__(self, scene: Scene, name: str = "Operator") -> None:
        self._events: list[Event] = []
        self.quits = 0
        self.session: OperatorSession = scene.chat.operator(self._events.append, self._quit, name)

    def _quit(self) -> None:
        self.quits += 1

    def told(self) -> list[Event]:
        """The new events."""
        told = self._events.copy()
        self._events.clear()
        return told

    def replies(self) -> list[str]:
        """The texts of the answers among the new events."""
        return [event.text for event in self.told() if isinstance(event, Replied)]


class Certificate:
    def __init__(self, error: CertificateError | None = None) -> None:
        self.error = error

    def reload(self) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def scene() -> Scene:
    return Scene()


class TestSessions:
    """Two consoles: that of the scene and another."""

    def test_are_told_apart(self, scene: Scene) -> None:
        other = Console(scene)
        assert scene.operator.id != other.session.id

    @pytest.mark.parametrize(
        ("line", "answer"),
        [
            ("/kick Bob", "Kicked 0 people."),
            ("/mute Ann", "Muted 1 people."),
            ("/unmute Ann", "Unmuted 0 people."),
            ("/ban 192.0.2.7", "Banned 192.0.2.7 until unbanned."),
            ("/ban Nobody", "Nobody is not a user here, an IP address or a network such as 192.0.2.0/24"),
            ("/unban 192.0.2.7", "There is no ban on 192.0.2.7. Type /bans."),
            ("/bans", "Nobody is banned"),
            ("/reload", "Nothing to reload: no TLS certificate and no bans file."),
            ("/list", "10.0.0.1|4001 as Ann"),
            ("/kick", "Usage: /kick <recipient> [reason]"),
            ("/foo", "Unknown command /foo. Type /help."),
            ("x" * 2049, "Message too long (max 2048 bytes)"),
            ("\x07", "Nothing of that line could be shown"),
            ("/msg Ann psst", "Message sent to 1 users of name Ann"),
        ],
    )
    def test_get_the_answers_to_their_own_lines_and_to_no_others(
        self, scene: Scene, line: str, answer: str
    ) -> None:
        scene.gather("Ann")
        consoles = [Console(scene) for _ in range(2)]
        for asking, silent in (consoles, consoles[::-1]):
            asking.session.operate("/unmute Ann")
            asking.session.operate("/unban 192.0.2.7")
            for one in (asking, silent, scene):
                one.told()
            asking.session.operate(line)
            (reply,) = [event for event in asking.told() if isinstance(event, Replied)]
            assert (reply.session_id, reply.text) == (asking.session.id, answer)
            assert silent.replies() == []
            assert [event for event in scene.told() if isinstance(event, Replied)] == []

    def test_are_all_told_what_is_public(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        other = Console(scene, "Night shift")
        scene.send(ann, "hello")
        other.session.operate("good night")
        other.session.operate("/mute Ann")
        other.session.operate("/kick Bob too loud")
        public = [
            Said(NOW, ann.id, "Ann", ("hello",)),
            OperatorSaid(NOW, "Night shift", "good night"),
            Muted(NOW, ann.id, "Ann", True),
            Left(NOW, bob.id, "Bob", LeaveReason.KICKED, "too loud"),
        ]
        assert scene.told() == public
        assert [event for event in other.told() if not isinstance(event, Replied)] == public
        assert scene.seen()[ann] == ["Night shift: good night", "You are muted", "Bob has left the server."]

    def test_are_all_told_what_members_say_to_the_operators(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        other = Console(scene)
        scene.send(ann, "/msg Operator help")
        assert scene.told() == other.told() == [Messaged(NOW, ann.id, "Ann", "help")]

    def test_know_of_each_other_whom_they_have_answered(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        other = Console(scene, "Night shift")
        other.session.operate("/msg Ann psst")
        assert scene.seen() == {ann: ["Night shift (private): psst "]}
        answered = OperatorMessaged(NOW, other.session.id, "Night shift", "Ann", "psst", (ann.id,))
        assert scene.told() == [answered]
        assert other.told() == [
            answered,
            Replied(
                NOW, other.session.id, "Message sent to 1 users of name Ann", Outcome.DONE, "sent to Ann"
            ),
        ]

    def test_have_each_a_question_of_their_own_about_a_ban(self, scene: Scene) -> None:
        one, other = Console(scene), Console(scene)
        scene.join("192.0.2.7|4001")
        asked = "Banning 192.0.2.7 drops 192.0.2.7|4001. Repeat the command to confirm."
        one.session.operate("/ban 192.0.2.7")
        other.session.operate("/ban 192.0.2.7")
        assert (one.replies(), other.replies()) == ([asked], [asked])
        other.session.operate("/list")  # the question of this one is off, that of the other is not
        other.session.operate("/ban 192.0.2.7")
        assert other.replies()[1:] == [asked]
        assert len(scene.present) == 1
        one.session.operate("/ban 192.0.2.7")
        assert one.replies() == ["Banned 192.0.2.7 until unbanned."]
        assert scene.present == []

    def test_end_the_server_by_their_own_means(self, scene: Scene) -> None:
        one, other = Console(scene), Console(scene)
        one.session.operate("/quit")
        assert (one.quits, other.quits, scene.quits) == (1, 0, 0)
        assert one.told() == other.told() == []

    def test_are_told_nothing_once_closed(self, scene: Scene) -> None:
        one, other = Console(scene), Console(scene)
        one.session.close()
        one.session.close()
        other.session.say("hello")
        one.session.operate("/list")
        assert one.told() == []
        assert other.told() == [OperatorSaid(NOW, "Operator", "hello")]


class TestSubscribers:
    def test_without_a_session_are_told_what_is_public_and_no_private_line(self, scene: Scene) -> None:
        told: list[PublicEvent] = []
        undo = scene.chat.subscribe(told.append)
        ann = scene.join()
        scene.send(ann, "/nick Ann", "hello", "/msg Operator for you alone", "/msg Ann note to self")
        scene.operate("hello", "/msg Ann psst", "/list", "/kick Ann")
        scene.chat.reply(None, "to all operators")
        scene.chat.failed("Bob", KeyError(1))
        assert told == [
            Joined(NOW, ann.id, ann.address),
            Renamed(NOW, ann.id, str(ann.address), "Ann"),
            Said(NOW, ann.id, "Ann", ("hello",)),
            OperatorSaid(NOW, "Operator", "hello"),
            Left(NOW, ann.id, "Ann", LeaveReason.KICKED),
            Failed(NOW, "Bob", "KeyError: 1"),
        ]
        undo()
        scene.join()
        assert len(told) == 6

    def test_get_a_flood_of_leavings_in_parts_and_in_order(self, scene: Scene) -> None:
        members = [scene.join() for _ in range(1000)]
        scene.forget()
        told: list[PublicEvent] = []
        scene.chat.subscribe(told.append)
        scene.leave(*members)
        scene.operator.say("hello")
        assert 0 < len(told) < 1000
        scene.loop.settle()
        assert [event.member_id for event in told if isinstance(event, Left)] == [one.id for one in members]
        assert told[1000:] == [OperatorSaid(NOW, "Operator", "hello")]


class TestSnapshot:
    def test_of_a_chat_that_has_not_started_is_empty(self, scene: Scene) -> None:
        assert scene.chat.snapshot() == Snapshot(NOW, None, ())

    def test_has_the_start_and_the_members_in_order_of_joining(self, scene: Scene) -> None:
        scene.chat.started(STARTED)
        assert scene.told() == [STARTED]
        zoe, _, ann = scene.gather("Zoe", "Bob", "Ann")
        new = scene.join()
        scene.operate("/mute Ann 10m", "/kick Bob")
        assert scene.chat.snapshot() == Snapshot(
            NOW,
            STARTED,
            (
                Present(zoe.id, zoe.address, "Zoe", False),
                Present(ann.id, ann.address, "Ann", True, NOW + 600),
                Present(new.id, new.address, str(new.address), False),
            ),
        )

    def test_stays_as_it_is(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        before = scene.chat.snapshot()
        scene.send(ann, "/nick Eve")
        scene.operate("/mute Eve")
        scene.send(ann, "/quit")
        assert before.members == (Present(ann.id, ann.address, "Ann", False),)
        assert scene.chat.snapshot().members == ()


class TestReload:
    """What nobody's session has asked for is told to all of them."""

    def test_is_answered_to_the_session_that_has_asked(self, tmp_path: Path) -> None:
        scene = Scene(certificate=Certificate(), bans_file=tmp_path / "bans")
        (tmp_path / "bans").touch()
        other = Console(scene)
        other.session.operate("/reload")
        assert other.replies() == [
            "Reloaded the TLS certificate: new connections use it.",
            "Reloaded the bans file: 0 bans in force.",
        ]
        assert scene.told() == []

    def test_that_no_session_has_asked_for_is_answered_to_all(self, tmp_path: Path) -> None:
        scene = Scene(certificate=Certificate(CertificateError("gone")), bans_file=tmp_path / "bans")
        other = Console(scene)
        (tmp_path / "bans").write_text("nobody -\n")
        scene.chat.reload()
        told = scene.told()
        assert told == other.told()
        assert [event.session_id for event in told if isinstance(event, Replied)] == [None, None]
        first, second = (event.text for event in told if isinstance(event, Replied))
        assert first == "The TLS certificate is unchanged: gone"
        assert second.startswith("The bans are unchanged: ")

    def test_of_a_chat_without_files_says_so(self, scene: Scene) -> None:
        scene.chat.reload()
        assert scene.told() == [Replied(NOW, None, "Nothing to reload: no TLS certificate and no bans file.")]
        scene.chat.reload_certificate()
        assert scene.told() == [
            Replied(NOW, None, "This server does not use TLS: there is no certificate to reload.")
        ]

    def test_drops_those_that_the_file_bans_at_one_moment(self, tmp_path: Path) -> None:
        scene = Scene(bans_file=tmp_path / "bans")
        ann, bob = scene.join("192.0.2.7|4001"), scene.join("192.0.2.8|4002")
        (tmp_path / "bans").write_text("192.0.2.7 -\n")
        scene.forget()
        scene.chat.reload()
        assert scene.told() == [
            Left(NOW, ann.id, str(ann.address), LeaveReason.BANNED),
            Replied(NOW, None, "Reloaded the bans file: 1 bans in force. Dropped 1 people."),
        ]
        assert scene.present == [bob]

    def test_of_the_certificate_alone_leaves_the_bans(self, tmp_path: Path) -> None:
        scene = Scene(certificate=Certificate(), bans_file=tmp_path / "bans")
        (tmp_path / "bans").write_text("192.0.2.7 -\n")
        scene.chat.reload_certificate()
        assert [event.text for event in scene.told() if isinstance(event, Replied)] == [
            "Reloaded the TLS certificate: new connections use it."
        ]
        assert not scene.bans.covers("192.0.2.7")


@pytest.mark.parametrize(
    ("error", "why"), [(OSError(28, "Disk full"), "Disk full"), (OSError("no number"), "no number")]
)
def test_a_bans_file_that_cannot_be_written_is_told_to_all_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, why: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    scene = Scene(bans_file=tmp_path / "bans")
    other = Console(scene)
    monkeypatch.setattr(BansFile, "write", fail)
    scene.operate("/ban 192.0.2.7")
    lost = Replied(
        NOW, None, f"Could not write the bans file ({why}): this change lasts only until the server stops."
    )
    assert lost in scene.told()
    assert lost in other.told()
    assert scene.bans.covers("192.0.2.7")


class TestEntries:
    """All that changes the room goes through the order."""

    def test_are_made_for_who_joins_and_for_the_end(self) -> None:
        log: list[Entry] = []

        class Late:
            """An order that applies nothing before it is told to."""

            is_full = False

            def __init__(self, chat: Chat) -> None:
                pass

            def submit(self, entry: Entry) -> None:
                log.append(entry)

            def when_done(self, call: Callable[[], object]) -> None:
                raise NotImplementedError

            def when_free(self, call: Callable[[], object]) -> None:
                raise NotImplementedError

        loop, receiver = Loop(), Receiver()
        chat = Chat(Settings(), loop, at_once, order=Late, now=lambda: NOW)
        chat.join(7, Address("192.0.2.7", 4001), receiver)
        chat.shut_down()
        loop.settle()
        assert log == [Join(NOW, 7, Address("192.0.2.7", 4001)), ShutDown(NOW)]
        assert receiver.data == b""
        for entry in log:
            chat.room.apply(entry)
        loop.settle()
        assert receiver.data.decode().split("\n") == [
            "Welcome 192.0.2.7|4001 to the server!",
            "Server is shutting down",
            "You have left the server",
            "",
        ]
        assert receiver.finished

    def test_of_a_mute_come_when_its_time_is_up(self, scene: Scene) -> None:
        scene.gather("Ann")
        scene.operate("/mute Ann 10m")
        before = len(scene.log)
        scene.loop.advance(600)
        assert [type(entry).__name__ for entry in scene.log[before:]] == ["MuteExpired"]

    def test_of_a_minute_in_a_crowd_come_when_it_is_over(self) -> None:
        scene = Scene(Settings(notices_up_to=1))
        scene.gather("Ann", "Bob", "Cid")
        before = len(scene.log)
        scene.loop.advance(60)
        assert [type(entry).__name__ for entry in scene.log[before:]] == ["MinutePassed"]
        assert scene.loop.waiting == 1
        scene.chat.shut_down()
        assert scene.loop.waiting == 0

    def test_of_a_minute_come_for_those_who_left_a_crowd_together(self) -> None:
        scene = Scene(Settings(notices_up_to=2))
        members = scene.gather("Ann", "Bob", "Cid", "Dan")
        scene.room.tally.take()
        scene.loop.advance(60)
        assert scene.loop.waiting == 0
        scene.leave(*members[:3])
        assert scene.loop.waiting == 1

    def test_of_those_who_leave_together_end_their_mutes(self, scene: Scene) -> None:
        members = scene.gather("Ann", "Bob", "Cid")
        scene.operate("/mute Ann 10m", "/mute Bob 10m", "/mute Cid 10m")
        scene.leave(*members[:2])
        assert scene.loop.waiting == 1
        scene.chat.shut_down()
        assert scene.loop.waiting == 0

    def test_come_at_once_and_with_the_wall_clock_where_nothing_else_is_asked_for(self) -> None:
        loop, receiver = Loop(), Receiver()
        chat = Chat(Settings(), loop, at_once)
        chat.join(7, Address("192.0.2.7", 4001), receiver)
        assert [member.id for member in chat.snapshot().members] == [7]
        assert chat.snapshot().time > NOW
        loop.settle()
        assert receiver.data == b"Welcome 192.0.2.7|4001 to the server!\n"


def test_a_chat_is_whole_before_anything_listens(scene: Scene) -> None:
    scene.operate("hello", "/list")
    assert scene.told() == [
        OperatorSaid(NOW, "Operator", "hello"),
        Replied(NOW, scene.operator.id, "No users connected"),
    ]


def test_an_error_is_told_in_one_line(scene: Scene) -> None:
    scene.chat.failed("new connections", OSError(24, "Too many\nopen files"))
    assert scene.told() == [Failed(NOW, "new connections", "OSError: [Errno 24] Too many open files")]
