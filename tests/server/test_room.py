"""The room: who sees what, and every rule about names, targets and commands."""

from __future__ import annotations

import pytest
from recording import NOW, Scene

from chat_console.server import notices
from chat_console.server.commands import Role
from chat_console.server.events import (
    Joined,
    LeaveReason,
    Left,
    MessagedOperator,
    OperatorMessaged,
    OperatorSaid,
    QuitRequested,
    Renamed,
    Replied,
    Said,
)
from chat_console.server.framing import TooLong
from chat_console.server.room import Member
from chat_console.server.settings import Settings


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def shared() -> Scene:
    """A room in which nicknames may be shared."""
    return Scene(Settings(shared_nicks=True))


def replied(text: str) -> Replied:
    return Replied(NOW, text)


class TestWhoSeesWhat:
    """One test for each row of the protocol's table; who is not named in an answer has seen nothing."""

    def test_a_client_connects(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        new = scene.join()
        welcome = f"Welcome {new.address} to the server!"
        assert scene.seen() == {ann: [welcome], new: [welcome]}
        assert scene.told() == [Joined(NOW, new.id, new.address)]

    def test_nick(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        new = scene.join()
        scene.forget()
        scene.send(new, "/nick Malcolm")
        renamed = f"{new.address} is now Malcolm"
        assert scene.seen() == {new: ["You are now Malcolm"], ann: [renamed], bob: [renamed]}
        assert scene.told() == [Renamed(NOW, new.id, new.address, "Malcolm")]
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
        assert scene.told() == [Said(NOW, new.id, new.address, ("hello",))]

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
        assert scene.told() == [MessagedOperator(NOW, ann.id, "Ann", "text")]

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
        assert scene.fanout.closed == [ann]

    @pytest.mark.parametrize("reason", LeaveReason)
    def test_end_of_input_or_a_lost_connection(self, scene: Scene, reason: LeaveReason) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.room.leave(ann, reason)
        assert scene.seen() == {ann: ["You have left the server"], bob: ["Ann has left the server."]}
        assert scene.told() == [Left(NOW, ann.id, "Ann", reason)]
        assert scene.fanout.closed == [ann]

    def test_the_operator_types_text(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operate("Hello users!")
        assert scene.seen() == {ann: ["Operator: Hello users!"], bob: ["Operator: Hello users!"]}
        assert scene.told() == [OperatorSaid(NOW, "Hello users!")]

    def test_msg_from_the_operator(self, scene: Scene) -> None:
        _, bob = scene.gather("Ann", "Bob")
        scene.operate("/msg Bob text")
        assert scene.seen() == {bob: ["Operator (private): text "]}
        assert scene.told() == [OperatorMessaged(NOW, "Bob", "text", 1)]

    def test_kick(self, scene: Scene) -> None:
        ann, bob, cid = scene.gather("Ann", "Bob", "Cid")
        scene.operate("/kick Bob")
        left = "Bob has left the server."
        assert scene.seen() == {bob: ["You have left the server"], ann: [left], cid: [left]}
        assert scene.told() == [Left(NOW, bob.id, "Bob", LeaveReason.KICKED), replied("Kicked 1 people.")]
        assert scene.fanout.closed == [bob]
        assert scene.room.members == (ann, cid)

    def test_list_of_the_operator(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operate("/list")
        assert scene.seen() == {}
        assert scene.told() == [replied(f"{ann.address} as Ann\n{bob.address} as Bob")]

    def test_list_of_the_operator_when_nobody_is_there(self, scene: Scene) -> None:
        scene.operate("/list")
        assert scene.told() == [replied("No users connected")]

    def test_quit_of_the_operator_asks_whoever_runs_the_server_to_stop_it(self, scene: Scene) -> None:
        scene.gather("Ann")
        scene.operate("/quit")
        assert scene.seen() == {}
        assert scene.told() == [QuitRequested(NOW)]

    def test_the_server_stops(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.room.shut_down()
        goodbye = ["Server is shutting down", "You have left the server"]
        assert scene.seen() == {ann: goodbye, bob: goodbye}
        assert scene.fanout.closed == [ann, bob]
        assert scene.room.members == ()


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


class TestLines:
    def test_of_one_read_go_out_in_order_and_once(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "one", "two", "/nick Eve", "three", "/msg Bob four", "five")
        assert scene.seen() == {
            bob: ["Ann: one", "Ann: two", "Ann is now Eve", "Eve: three", "Eve(private): four ", "Eve: five"],
            ann: ["You are now Eve", "Message sent to 1 users of name Bob"],
        }
        assert scene.told() == [
            Said(NOW, ann.id, "Ann", ("one", "two")),
            Renamed(NOW, ann.id, "Ann", "Eve"),
            Said(NOW, ann.id, "Eve", ("three",)),
            Said(NOW, ann.id, "Eve", ("five",)),
        ]

    def test_that_are_too_long_are_told_to_their_sender_alone_and_in_their_place(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "one", TooLong(2048), "two")
        assert scene.seen() == {ann: ["Message too long (max 2048 bytes)"], bob: ["Ann: one", "Ann: two"]}

    def test_behind_quit_are_ignored(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "one", "/quit", "two", TooLong(2048), "/list")
        assert scene.seen() == {
            ann: ["You have left the server"],
            bob: ["Ann: one", "Ann has left the server."],
        }

    def test_of_one_who_has_left_are_ignored(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.operate("/kick Ann")
        scene.forget()
        scene.send(ann, "one", "/msg Bob two")
        assert scene.seen() == {}
        assert scene.told() == []

    def test_of_the_operator_are_cleaned(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate("\x1b[31mred\ttext\n")
        assert scene.seen() == {ann: ["Operator: red text"]}

    @pytest.mark.parametrize("line", ["", "  ", "\t", "\x1b[31m"])
    def test_of_the_operator_that_are_blank_are_ignored(self, scene: Scene, line: str) -> None:
        scene.gather("Ann")
        scene.operate(line)
        assert scene.seen() == {}
        assert scene.told() == []

    @pytest.mark.parametrize("line", ["é" * 1024 + "x", TooLong(2048)], ids=["typed", "piped"])
    def test_of_the_operator_are_bounded_too(self, scene: Scene, line: str | TooLong) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate("é" * 1024)
        assert scene.seen() == {ann: ["Operator: " + "é" * 1024]}
        scene.told()
        scene.operate(line)
        assert scene.seen() == {}
        assert scene.told() == [replied("Message too long (max 2048 bytes)")]


class TestNames:
    @pytest.mark.parametrize("name", ["x" * 21, "Bob Smith", "é", "a|b", "/nick", "10.0.0.1|4001"])
    def test_of_another_form_are_invalid(self, scene: Scene, name: str) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, f"/nick {name}")
        assert scene.seen() == {ann: ["Invalid nickname: use 1-20 letters, digits, _ - ."]}
        assert scene.told() == []
        assert ann.name == "Ann"

    @pytest.mark.parametrize("name", ["Operator", "SERVER", "r00t", "Adm1n", "admln"])
    def test_of_the_house_and_their_look_alikes_are_reserved(self, scene: Scene, name: str) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, f"/nick {name}")
        assert scene.seen() == {ann: [f"Nickname {name} is reserved"]}
        assert scene.told() == []

    @pytest.mark.parametrize("name", ["Bob", "bob", "BOB"])
    def test_that_another_user_has_are_in_use_whatever_the_case(self, scene: Scene, name: str) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, f"/nick {name}")
        assert scene.seen() == {ann: [f"Nickname {name} is already in use"]}
        assert scene.told() == []

    def test_of_those_who_have_left_or_renamed_themselves_are_free(self, scene: Scene) -> None:
        ann, bob, cid = scene.gather("Ann", "Bob", "Cid")
        scene.send(bob, "/quit")
        scene.send(cid, "/nick Dan")
        scene.seen()
        scene.send(ann, "/nick bob", "/nick cid")
        assert scene.seen()[ann] == ["You are now bob", "You are now cid"]

    def test_that_one_has_already_are_confirmed_and_nobody_is_told(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/nick Ann")
        assert scene.seen() == {ann: ["You are now Ann"]}
        assert scene.told() == []

    def test_that_differ_in_case_alone_are_a_rename(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "/nick ANN")
        assert scene.seen() == {ann: ["You are now ANN"], bob: ["Ann is now ANN"]}
        assert scene.told() == [Renamed(NOW, ann.id, "Ann", "ANN")]

    def test_may_be_shared_where_the_settings_say_so(self, shared: Scene) -> None:
        one, two, ann = shared.gather("Bob", "Bob", "Ann")
        shared.send(ann, "/msg Bob hi")
        assert shared.seen() == {
            ann: ["Message sent to 2 users of name Bob"],
            one: ["Ann(private): hi "],
            two: ["Ann(private): hi "],
        }
        shared.operate("/msg Bob hi", "/kick Bob")
        assert shared.told() == [
            OperatorMessaged(NOW, "Bob", "hi", 2),
            Left(NOW, one.id, "Bob", LeaveReason.KICKED),
            Left(NOW, two.id, "Bob", LeaveReason.KICKED),
            replied("Kicked 2 people."),
        ]
        assert shared.seen() == {
            one: ["Operator (private): hi ", "You have left the server"],
            two: ["Operator (private): hi ", "Bob has left the server.", "You have left the server"],
            ann: ["Bob has left the server."] * 2,
        }

    def test_of_the_house_are_reserved_also_where_names_are_shared(self, shared: Scene) -> None:
        (ann,) = shared.gather("Ann")
        shared.send(ann, "/nick Operator")
        assert shared.seen() == {ann: ["Nickname Operator is reserved"]}


class TestTargets:
    def counts(self, scene: Scene, target: str) -> dict[Member, str]:
        """Who gets a message of the operator to `target`."""
        scene.operate(f"/msg {target} hi")
        return {member: line for member, (line,) in scene.seen().items()}

    def test_match_without_regard_to_case(self, scene: Scene) -> None:
        _, bob = scene.gather("Ann", "Bob")
        assert list(self.counts(scene, "bOB")) == [bob]
        assert scene.told() == [OperatorMessaged(NOW, "bOB", "hi", 1)]

    def test_match_exactly_first(self, shared: Scene) -> None:
        upper, lower, other = shared.gather("BOB", "bob", "Bob")
        assert list(self.counts(shared, "bob")) == [lower]
        assert list(self.counts(shared, "BOB")) == [upper]
        assert list(self.counts(shared, "bOb")) == [upper, lower, other]

    def test_that_several_bear_are_met_in_order_of_joining(self, shared: Scene) -> None:
        one, two = shared.gather("Ann", "Bob")
        shared.send(one, "/nick Bob")
        shared.told()
        shared.operate("/kick bob")
        left = [event.member_id for event in shared.told() if isinstance(event, Left)]
        assert left == [one.id, two.id]

    def test_that_are_an_address_name_one_connection_also_after_it_took_a_nickname(
        self, shared: Scene
    ) -> None:
        one, two = shared.gather("Bob", "Bob")
        new = shared.join()
        shared.seen()
        assert list(self.counts(shared, two.address)) == [two]
        assert list(self.counts(shared, new.address)) == [new]
        shared.operate(f"/kick {one.address}")
        assert shared.room.members == (two, new)

    def test_that_are_an_ipv6_address_match_without_regard_to_case(self, scene: Scene) -> None:
        member = scene.join("fd00::a|4001")
        scene.forget()
        assert list(self.counts(scene, "FD00::A|4001")) == [member]

    def test_that_match_nobody_are_a_count(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, "/msg Bob hi")
        scene.operate("/msg Bob hi", "/kick Bob")
        assert scene.seen() == {ann: ["Message sent to 0 users of name Bob"]}
        assert scene.told() == [OperatorMessaged(NOW, "Bob", "hi", 0), replied("Kicked 0 people.")]

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
        scene.room.shut_down()
        scene.operate(f"/kick {gone}")
        assert scene.told() == [replied("Kicked 0 people.")]

    def test_may_be_a_member_whom_the_operator_has_picked(self, shared: Scene) -> None:
        one, two = shared.gather("Bob", "Bob")
        shared.room.message(two, "hi")
        assert shared.seen() == {two: ["Operator (private): hi "]}
        assert shared.told() == [OperatorMessaged(NOW, "Bob", "hi", 1)]
        shared.room.kick([one])
        assert shared.told() == [Left(NOW, one.id, "Bob", LeaveReason.KICKED), replied("Kicked 1 people.")]

    def test_may_be_oneself(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, "/msg Ann note to self")
        assert scene.seen() == {ann: ["Ann(private): note to self ", "Message sent to 1 users of name Ann"]}


class TestCommands:
    @pytest.mark.parametrize(
        ("line", "text"), [("//text", "/text"), ("// text", "/ text"), (" /list", " /list"), ("///", "//")]
    )
    def test_are_text_behind_a_second_slash_or_a_blank(self, scene: Scene, line: str, text: str) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, line)
        scene.operate(line)
        assert scene.seen() == {bob: [f"Ann: {text}", f"Operator: {text}"], ann: [f"Operator: {text}"]}

    @pytest.mark.parametrize("line", ["/LIST", "/List"])
    def test_are_matched_without_regard_to_case(self, scene: Scene, line: str) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, line)
        assert scene.seen() == {ann: ["No other users connected"]}

    @pytest.mark.parametrize(
        ("line", "usage"),
        [
            ("/msg", "Usage: /msg <recipient> <message>"),
            ("/msg Bob", "Usage: /msg <recipient> <message>"),
            ("/nick", "Usage: /nick <name>"),
            ("/list me", "Usage: /list"),
            ("/help me", "Usage: /help"),
            ("/quit now", "Usage: /quit"),
        ],
    )
    def test_with_missing_or_surplus_arguments_are_answered_with_the_usage(
        self, scene: Scene, line: str, usage: str
    ) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, line)
        assert scene.seen() == {ann: [usage]}
        assert scene.told() == []

    @pytest.mark.parametrize(
        ("line", "answer"),
        [
            ("/kick", "Usage: /kick <recipient>"),
            ("/kick Ann Bob", "Usage: /kick <recipient>"),
            ("/msg Ann", "Usage: /msg <recipient> <message>"),
            ("/foo bar", "Unknown command /foo. Type /help."),
            ("/nick Ann", "Unknown command /nick. Type /help."),
        ],
    )
    def test_of_the_operator_that_cannot_be_done_are_answered_to_it_alone(
        self, scene: Scene, line: str, answer: str
    ) -> None:
        scene.gather("Ann", "Bob")
        scene.operate(line)
        assert scene.seen() == {}
        assert scene.told() == [replied(answer)]

    @pytest.mark.parametrize("line", ["/foo", "/FOO my password", "/kick Bob", "/"])
    def test_that_do_not_exist_for_a_client_are_never_sent_to_the_room(self, scene: Scene, line: str) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, line)
        assert scene.seen() == {ann: [f"Unknown command {line.split()[0]}. Type /help."]}
        assert scene.told() == []
        assert bob in scene.room.members

    def test_keep_the_inner_blanks_of_a_message(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "/msg  Bob   two  blanks ")
        scene.operate("/msg  Bob   two  blanks ")
        assert scene.seen()[bob] == ["Ann(private): two  blanks  ", "Operator (private): two  blanks  "]

    def test_are_shown_by_help_to_the_issuer_alone(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/help")
        assert scene.seen() == {ann: notices.help_lines(Role.CLIENT).split("\n")}
        assert scene.told() == []
        scene.operate("/help")
        assert scene.seen() == {}
        assert scene.told() == [replied(notices.help_lines(Role.OPERATOR))]


class TestEnds:
    def test_happen_once(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/quit")
        scene.forget()
        scene.room.leave(ann, LeaveReason.LOST)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_leave_no_member_behind(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        assert scene.room.members == (ann, bob)
        assert scene.room.member(ann.id) is ann
        scene.operate("/kick Ann")
        assert scene.room.members == (bob,)
        assert scene.room.member(ann.id) is None

    @pytest.mark.parametrize("first", [0, 1])
    def test_of_two_who_share_an_address_are_told_apart(self, scene: Scene, first: int) -> None:
        twins = [scene.join("10.0.0.1|4001"), scene.join("10.0.0.1|4001")]
        scene.forget()
        for twin in (twins[first], twins[1 - first]):
            scene.room.leave(twin, LeaveReason.LOST)
            (left,) = scene.told()
            assert isinstance(left, Left)
            assert left.member_id == twin.id
        assert scene.room.members == ()

    def test_may_come_while_the_server_stops(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        closed = scene.fanout.close

        def close(member: Member) -> None:
            closed(member)
            scene.room.leave(ann, LeaveReason.SLOW)

        monkeypatch.setattr(scene.fanout, "close", close)
        scene.room.shut_down()
        goodbye = ["Server is shutting down", "You have left the server"]
        assert scene.seen() == {ann: goodbye, bob: goodbye}
