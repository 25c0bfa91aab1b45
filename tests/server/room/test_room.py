"""The room: who sees what, whom a target means, and what is left of those who are gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.recording import NOW, Scene, replied

from chat_console.server.room.entries import NOTHING, MuteExpired, Nick
from chat_console.server.room.events import (
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    Renamed,
    Said,
    Silenced,
)
from chat_console.server.settings import Settings


class TestWhoSeesWhat:
    """One test for each row of the protocol that no operator causes; who is not named has seen nothing."""

    def test_a_client_connects(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        new = scene.join()
        welcome = f"Welcome {new.address} to the server!"
        assert scene.seen() == {ann: [welcome], new: [welcome]}
        assert scene.told() == [Joined(NOW, new.id, new.address)]

    def test_a_client_connects_where_the_house_has_a_welcome_of_its_own(self) -> None:
        scene = Scene(Settings(welcome="Be kind.\r\n\n\x1b[31mType\t/help.\x07"))
        ann = scene.join()
        scene.forget()
        new = scene.join()
        welcome = f"Welcome {new.address} to the server!"
        assert scene.seen() == {ann: [welcome], new: [welcome, "Be kind.", "", "Type /help."]}
        assert scene.told() == [Joined(NOW, new.id, new.address)]

    def test_nick(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        new = scene.join()
        scene.forget()
        scene.send(new, "/nick Malcolm")
        renamed = f"{new.address} is now Malcolm"
        assert scene.seen() == {new: ["You are now Malcolm"], ann: [renamed], bob: [renamed]}
        assert scene.told() == [Renamed(NOW, new.id, str(new.address), "Malcolm")]
        scene.send(new, "/nick Mal")
        renamed = "Malcolm is now Mal"
        assert scene.seen() == {new: ["You are now Mal"], ann: [renamed], bob: [renamed]}
        assert scene.told() == [Renamed(NOW, new.id, "Malcolm", "Mal")]

    def test_a_line_of_text(self, scene: Scene) -> None:
        ann, bob, cid = scene.gather("Ann", "Bob", "Cid")
        scene.send(ann, "hello")
        assert scene.seen() == {bob: ["Ann: hello"], cid: ["Ann: hello"]}
        assert scene.told() == [Said(NOW, ann.id, "Ann", ("hello",))]

    def test_a_line_of_text_of_a_client_without_a_nickname(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        new = scene.join()
        scene.forget()
        scene.send(new, "hello")
        assert scene.seen() == {ann: [f"{new.address}: hello"]}
        assert scene.told() == [Said(NOW, new.id, str(new.address), ("hello",))]

    def test_msg_from_a_client(self, scene: Scene) -> None:
        ann, bob, _ = scene.gather("Ann", "Bob", "Cid")
        scene.send(ann, "/msg Bob text")
        assert scene.seen() == {ann: ["Message sent to 1 users of name Bob"], bob: ["Ann(private): text "]}
        assert scene.told() == []

    @pytest.mark.parametrize("name", ["Operator", "operator"])
    def test_msg_from_a_client_to_the_operator(self, scene: Scene, name: str) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, f"/msg {name} text")
        assert scene.seen() == {ann: [f"Message sent to 1 users of name {name}"]}
        assert scene.told() == [Messaged(NOW, ann.id, "Ann", "text")]

    def test_list_shows_every_other_client_in_order_of_joining(self, scene: Scene) -> None:
        ann, bob, cid = scene.gather("Zoe", "Bob", "Ann")
        new = scene.join()
        scene.forget()
        scene.send(bob, "/list")
        assert scene.seen() == {
            bob: [f"{ann.address} as Zoe", f"{cid.address} as Ann", f"{new.address} as {new.address}"]
        }
        assert scene.told() == []

    def test_list_of_one_who_is_alone(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, "/list")
        assert scene.seen() == {ann: ["No other users connected"]}

    def test_quit(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "/quit")
        assert scene.seen() == {ann: ["You have left the server"], bob: ["Ann has left the server."]}
        assert scene.told() == [Left(NOW, ann.id, "Ann", LeaveReason.QUIT)]
        assert scene.closed == [ann]

    @pytest.mark.parametrize("reason", LeaveReason)
    def test_end_of_input_or_a_lost_connection(self, scene: Scene, reason: LeaveReason) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.leave(ann, reason=reason)
        assert scene.seen() == {ann: ["You have left the server"], bob: ["Ann has left the server."]}
        assert scene.told() == [Left(NOW, ann.id, "Ann", reason)]
        assert scene.closed == [ann]

    def test_the_server_stops(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.shut_down()
        goodbye = ["Server is shutting down", "You have left the server"]
        assert scene.seen() == {ann: goodbye, bob: goodbye}
        assert scene.closed == [ann, bob]
        assert scene.present == []


def test_the_clients_of_the_reference_session_see_their_transcripts(scene: Scene) -> None:
    one = scene.join()
    two = scene.join()
    scene.send(one, "/nick Malcolm")
    scene.send(two, "/nick Sturgis")
    three = scene.join()
    scene.send(three, "/nick Jimmy")
    scene.send(three, "/msg Malcolm Hey, how's it going?")
    scene.send(two, "/list")
    scene.operate("Hello users!", "/msg Sturgis You're my favorite <3", "/kick Jimmy")
    scene.send(one, "/quit")
    scene.send(two, "/quit")
    assert scene.seen() == {
        one: [
            f"Welcome {one.address} to the server!",
            f"Welcome {two.address} to the server!",
            "You are now Malcolm",
            f"{two.address} is now Sturgis",
            f"Welcome {three.address} to the server!",
            f"{three.address} is now Jimmy",
            "Jimmy(private): Hey, how's it going? ",
            "Operator: Hello users!",
            "Jimmy has left the server.",
            "You have left the server",
        ],
        two: [
            f"Welcome {two.address} to the server!",
            f"{one.address} is now Malcolm",
            "You are now Sturgis",
            f"Welcome {three.address} to the server!",
            f"{three.address} is now Jimmy",
            f"{one.address} as Malcolm",
            f"{three.address} as Jimmy",
            "Operator: Hello users!",
            "Operator (private): You're my favorite <3 ",
            "Jimmy has left the server.",
            "Malcolm has left the server.",
            "You have left the server",
        ],
        three: [
            f"Welcome {three.address} to the server!",
            "You are now Jimmy",
            "Message sent to 1 users of name Malcolm",
            "Operator: Hello users!",
            "You have left the server",
        ],
    }


class TestTargets:
    def test_match_without_regard_to_case(self, scene: Scene) -> None:
        _, bob = scene.gather("Ann", "Bob")
        assert scene.room.roster.find("bOB") == [bob]

    def test_match_exactly_first(self, shared: Scene) -> None:
        upper, lower, other = shared.gather("BOB", "bob", "Bob")
        assert shared.room.roster.find("bob") == [lower]
        assert shared.room.roster.find("BOB") == [upper]
        assert shared.room.roster.find("bOb") == [upper, lower, other]

    def test_that_several_bear_are_met_in_order_of_joining(self, shared: Scene) -> None:
        one, two = shared.gather("Ann", "Bob")
        shared.send(one, "/nick Bob")
        assert shared.room.roster.find("bob") == [one, two]

    def test_that_are_an_address_name_one_connection_also_after_it_took_a_nickname(
        self, shared: Scene
    ) -> None:
        one, two = shared.gather("Bob", "Bob")
        new = shared.join()
        for member in (one, two, new):
            assert shared.room.roster.find(str(member.address)) == [member]

    def test_that_are_an_address_name_all_who_came_from_there(self, scene: Scene) -> None:
        """One port can reach two addresses of the server."""
        twins = [scene.join("10.0.0.1|4001"), scene.join("10.0.0.1|4001")]
        (ann,) = scene.gather("Ann")
        assert scene.room.roster.find("10.0.0.1|4001") == twins
        scene.send(ann, "/msg 10.0.0.1|4001 hi")
        assert scene.seen() == {
            twins[0]: ["Ann(private): hi "],
            twins[1]: ["Ann(private): hi "],
            ann: ["Message sent to 2 users of name 10.0.0.1|4001"],
        }
        scene.leave(twins[0], reason=LeaveReason.LOST)
        assert scene.room.roster.find("10.0.0.1|4001") == twins[1:]
        scene.leave(twins[1], reason=LeaveReason.LOST)
        assert scene.room.roster.find("10.0.0.1|4001") == []

    def test_that_are_an_ipv6_address_match_without_regard_to_case(self, scene: Scene) -> None:
        member = scene.join("fd00::a|4001")
        assert scene.room.roster.find("FD00::A|4001") == [member]

    def test_that_match_nobody_are_a_count(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, "/msg Bob hi")
        assert scene.seen() == {ann: ["Message sent to 0 users of name Bob"]}

    @pytest.mark.parametrize("gone", ["Bob", "10.0.0.2|4002"])
    def test_that_have_left_match_nobody(self, scene: Scene, gone: str) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(bob, "/quit")
        scene.seen()
        scene.send(ann, f"/msg {gone} hi")
        assert scene.seen() == {ann: [f"Message sent to 0 users of name {gone}"]}

    @pytest.mark.parametrize("gone", ["Ann", "10.0.0.1|4001"])
    def test_match_nobody_once_the_server_stops(self, scene: Scene, gone: str) -> None:
        scene.gather("Ann")
        scene.shut_down()
        assert scene.room.roster.find(gone) == []

    def test_may_be_oneself(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, "/msg Ann note to self")
        assert scene.seen() == {ann: ["Ann(private): note to self ", "Message sent to 1 users of name Ann"]}


class TestMute:
    def test_lets_lines_go_nowhere_and_tells_their_author(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operator.mute(ann.id)
        assert scene.seen() == {ann: ["You are muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", True), replied("Muted 1 people.")]
        scene.send(
            ann, "one", "two", "//three", f"/msg {bob.name} four", "/msg Operator five", "/msg Ann six"
        )
        assert scene.seen() == {ann: ["You are muted"] * 4}
        assert scene.told() == [
            Silenced(NOW, ann.id, "Ann", ("one", "two", "/three")),
            Silenced(NOW, ann.id, "Ann", ("five",)),
        ]
        assert ann.lines == 0

    def test_leaves_everything_else_as_it_is(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operator.mute(ann.id)
        scene.forget()
        scene.send(bob, "hello", "/msg Ann psst")
        scene.send(ann, "/list", NOTHING, "/quit")
        assert scene.seen() == {
            ann: [
                "Bob: hello",
                "Bob(private): psst ",
                f"{bob.address} as Bob",
                "Nothing of that line could be shown",
                "You have left the server",
            ],
            bob: ["Message sent to 1 users of name Ann", "Ann has left the server."],
        }

    def test_ends_with_unmute(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operator.mute(ann.id)
        scene.forget()
        scene.operator.unmute(ann.id)
        assert scene.told() == [Muted(NOW, ann.id, "Ann", False), replied("Unmuted 1 people.")]
        scene.send(ann, "hello")
        assert scene.seen() == {ann: ["You are no longer muted"], bob: ["Ann: hello"]}

    def test_ends_after_its_time(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operator.mute(ann.id, 600)
        assert scene.told() == [Muted(NOW, ann.id, "Ann", True, 600), replied("Muted 1 people.")]
        scene.loop.advance(599)
        assert ann.muted
        scene.forget()
        scene.loop.advance(1)
        assert not ann.muted
        assert scene.seen() == {ann: ["You are no longer muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", False)]

    @pytest.mark.parametrize("seconds", [None, 1000])
    def test_again_counts_from_then(self, scene: Scene, seconds: float | None) -> None:
        (ann,) = scene.gather("Ann")
        scene.operator.mute(ann.id, 600)
        scene.operator.mute(ann.id, seconds)
        scene.loop.advance(999)
        assert ann.muted

    def test_that_was_ended_by_hand_does_not_end_a_later_one(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operator.mute(ann.id, 600)
        scene.operator.unmute(ann.id)
        scene.operator.mute(ann.id)
        scene.loop.advance(600)
        assert ann.muted

    def test_is_not_ended_by_the_end_of_one_before(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operator.mute(ann.id, 600)
        scene.forget()
        scene.submit(MuteExpired(NOW, ann.id, since=NOW - 1))
        assert ann.muted
        scene.submit(MuteExpired(NOW, ann.id, since=NOW))
        assert not ann.muted
        scene.submit(MuteExpired(NOW, ann.id, since=NOW))
        scene.submit(MuteExpired(NOW, 99, since=NOW))
        assert scene.seen() == {ann: ["You are no longer muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", False)]

    def test_of_one_who_is_not_muted_is_not_ended(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operator.unmute(ann.id)
        assert scene.seen() == {}
        assert scene.told() == [replied("Unmuted 0 people.")]

    def test_leaves_no_timer_behind(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operator.mute(ann.id, 600)
        scene.operator.mute(bob.id, 600)
        scene.send(ann, "/quit")
        assert scene.loop.waiting == 1
        scene.shut_down()
        assert scene.loop.waiting == 0


class TestEnds:
    def test_happen_once(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/quit")
        scene.forget()
        scene.leave(ann, reason=LeaveReason.LOST)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_of_several_at_one_moment_are_told_to_those_who_stay(self, scene: Scene) -> None:
        ann, bob, cid, dan = scene.gather("Ann", "Bob", "Cid", "Dan")
        scene.operator.mute(bob.id, 600)
        scene.send(dan, "/quit")
        scene.forget()
        scene.leave(ann, bob, dan, reason=LeaveReason.KICKED, remark="why")
        scene.send(ann, "never said")
        assert scene.seen() == {
            ann: ["You have left the server"],
            bob: ["You have left the server"],
            cid: ["Ann has left the server.", "Bob has left the server."],
        }
        assert scene.told() == [
            Left(NOW, ann.id, "Ann", LeaveReason.KICKED, "why"),
            Left(NOW, bob.id, "Bob", LeaveReason.KICKED, "why"),
        ]
        assert scene.present == [cid]
        assert scene.loop.waiting == 0
        scene.leave(ann, bob, reason=LeaveReason.KICKED)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_leave_no_member_behind(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        assert scene.present == [ann, bob]
        assert scene.room.roster.get(ann.id) is ann
        scene.leave(ann, reason=LeaveReason.KICKED)
        assert scene.present == [bob]
        assert scene.room.roster.get(ann.id) is None

    @pytest.mark.parametrize("first", [0, 1])
    def test_of_two_who_share_an_address_are_told_apart(self, scene: Scene, first: int) -> None:
        twins = [scene.join("10.0.0.1|4001"), scene.join("10.0.0.1|4001")]
        scene.forget()
        for twin in (twins[first], twins[1 - first]):
            scene.leave(twin, reason=LeaveReason.LOST)
            (left,) = scene.told()
            assert isinstance(left, Left)
            assert left.member_id == twin.id
        assert scene.present == []

    def test_may_come_while_the_server_stops(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        for receiver in scene.receivers.values():
            finished = receiver.finish

            def finish(finished: Callable[[], None] = finished) -> None:
                finished()
                scene.leave(ann, reason=LeaveReason.SLOW)

            monkeypatch.setattr(receiver, "finish", finish)
        scene.shut_down()
        goodbye = ["Server is shutting down", "You have left the server"]
        assert scene.seen() == {ann: goodbye, bob: goodbye}
        assert scene.told() == []

    def test_of_who_has_left_before_cost_no_work(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each connection that closes says so, most often after its member has left."""
        ann, _ = scene.gather("Ann", "Bob")
        scene.leave(ann)
        scene.forget()
        monkeypatch.setattr(scene.chat.outbox, "dismiss", None)
        scene.leave(ann)
        scene.leave()
        assert (scene.seen(), scene.told()) == ({}, [])


def test_what_was_asked_for_by_who_has_left_is_not_done(scene: Scene) -> None:
    ann, _ = scene.gather("Ann", "Bob")
    scene.leave(ann)
    scene.forget()
    scene.submit(Nick(NOW, ann.id, "Cid"))
    scene.submit(MuteExpired(NOW, ann.id, NOW))
    scene.send(ann, "hello")
    assert (scene.seen(), scene.told()) == ({}, [])
