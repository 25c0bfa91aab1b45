"""The room: who sees what, and every rule about names, targets and commands."""

from __future__ import annotations

import pytest
from support.recording import NOW, Scene

from chat_console.server.room import notices, room
from chat_console.server.room.commands import Role
from chat_console.server.room.events import (
    Joined,
    LeaveReason,
    Left,
    MessagedOperator,
    Muted,
    Renamed,
    Said,
)
from chat_console.server.room.names import skeleton
from chat_console.server.room.room import Member
from chat_console.server.settings import Settings
from chat_console.server.wire.framing import NOTHING, TooLong


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def shared() -> Scene:
    """A room in which nicknames may be shared."""
    return Scene(Settings(shared_nicks=True))


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

    def test_of_which_nothing_is_left_are_told_to_their_author_alone_and_in_their_place(
        self, scene: Scene
    ) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "one", NOTHING, "/list", "two", NOTHING)
        assert scene.seen() == {
            ann: [
                "Nothing of that line could be shown",
                f"{bob.address} as Bob",
                "Nothing of that line could be shown",
            ],
            bob: ["Ann: one", "Ann: two"],
        }

    def test_behind_quit_are_ignored(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "one", "/quit", "two", TooLong(2048), "/list")
        assert scene.seen() == {
            ann: ["You have left the server"],
            bob: ["Ann: one", "Ann has left the server."],
        }

    def test_of_one_who_has_left_are_ignored(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.room.leave(ann, LeaveReason.KICKED)
        scene.forget()
        scene.send(ann, "one", "/msg Bob two")
        assert scene.seen() == {}
        assert scene.told() == []


class TestNames:
    @pytest.mark.parametrize(
        "name", ["x" * 21, "Bob Smith", "é", "a|b", "/nick", "10.0.0.1|4001", "-a", ".a", "127.0.0.1", "10.1"]
    )
    def test_of_another_form_are_invalid(self, scene: Scene, name: str) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, f"/nick {name}")
        assert scene.seen() == {ann: ["Invalid nickname: use 1-20 of A-Z a-z 0-9 _ - ."]}
        assert scene.told() == []
        assert ann.name == "Ann"

    @pytest.mark.parametrize(
        "name", ["Operator", "SERVER", "r00t", "Adm1n", "admln", "Op", "H-e-l-p", "Err0r"]
    )
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

    @pytest.mark.parametrize(
        ("borne", "alike"),
        [
            *(("Alice", "AIice"), ("Alice", "A1ice"), ("Alice", "A_l-i.ce"), ("Bob", "B0b"), ("Sam", "5am")),
            *(("Burn", "Bum"), ("Vivvi", "Viwi"), ("BILL", "Bill"), ("Bob", "bob"), ("_", "__")),
        ],
    )
    def test_that_look_like_the_one_another_user_has_are_in_use(
        self, scene: Scene, borne: str, alike: str
    ) -> None:
        for first, second in ((borne, alike), (alike, borne)):
            ann, bob = scene.gather("Ann", first)
            scene.send(ann, f"/nick {second}")
            assert scene.seen() == {ann: [f"Nickname {second} is already in use"]}
            assert scene.told() == []
            scene.send(bob, f"/nick {second}", "/nick Zed")
            scene.forget()
            scene.send(ann, f"/nick {second}", f"/nick {first}", "/quit")
            assert scene.seen()[ann][:2] == [f"You are now {second}", f"You are now {first}"]
            scene.send(bob, "/quit")
            scene.forget()

    @pytest.mark.parametrize(
        ("borne", "other"), [("Al", "Ai"), ("Bob", "Bobby"), ("Ed", "3d"), ("Ana", "An4")]
    )
    def test_that_look_different_are_free(self, scene: Scene, borne: str, other: str) -> None:
        ann, _ = scene.gather("Ann", borne)
        scene.send(ann, f"/nick {other}")
        assert scene.seen()[ann] == [f"You are now {other}"]

    def test_are_compared_without_a_look_at_everybody(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (ann, *_) = scene.gather("Ann", *(f"user{number:03}x" for number in range(100)))
        compared: list[str] = []

        def counted(name: str) -> str:
            compared.append(name)
            return skeleton(name)

        monkeypatch.setattr(room, "skeleton", counted)
        scene.send(ann, "/nick user001x", "/nick Eve", "/nick EVE")
        assert set(compared) == {"user001x", "Ann", "Eve", "EVE"}

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

    def test_that_look_alike_may_be_borne_where_names_are_shared(self, shared: Scene) -> None:
        ann, bob = shared.gather("Alice", "Bob")
        shared.send(bob, "/nick AIice")
        assert shared.seen() == {bob: ["You are now AIice"], ann: ["Bob is now AIice"]}

    def test_of_one_who_is_muted_stay_as_they_are(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.room.mute(ann, None)
        scene.forget()
        scene.send(ann, "/nick I-am-not-heard", "/nick Ann", "/nick -", "/nick Operator", "/nick")
        assert scene.seen() == {ann: ["You are muted"] * 4 + ["Usage: /nick <name>"]}
        assert scene.told() == []
        assert ann.name == "Ann"

    def test_of_the_house_are_reserved_also_where_names_are_shared(self, shared: Scene) -> None:
        (ann,) = shared.gather("Ann")
        shared.send(ann, "/nick Operator")
        assert shared.seen() == {ann: ["Nickname Operator is reserved"]}


class TestTargets:
    def test_match_without_regard_to_case(self, scene: Scene) -> None:
        _, bob = scene.gather("Ann", "Bob")
        assert scene.room.find("bOB") == [bob]

    def test_match_exactly_first(self, shared: Scene) -> None:
        upper, lower, other = shared.gather("BOB", "bob", "Bob")
        assert shared.room.find("bob") == [lower]
        assert shared.room.find("BOB") == [upper]
        assert shared.room.find("bOb") == [upper, lower, other]

    def test_that_several_bear_are_met_in_order_of_joining(self, shared: Scene) -> None:
        one, two = shared.gather("Ann", "Bob")
        shared.send(one, "/nick Bob")
        assert shared.room.find("bob") == [one, two]

    def test_that_are_an_address_name_one_connection_also_after_it_took_a_nickname(
        self, shared: Scene
    ) -> None:
        one, two = shared.gather("Bob", "Bob")
        new = shared.join()
        for member in (one, two, new):
            assert shared.room.find(member.address) == [member]

    def test_that_are_an_address_name_all_who_came_from_there(self, scene: Scene) -> None:
        """One port can reach two addresses of the server."""
        twins = [scene.join("10.0.0.1|4001"), scene.join("10.0.0.1|4001")]
        (ann,) = scene.gather("Ann")
        assert scene.room.find("10.0.0.1|4001") == twins
        scene.send(ann, "/msg 10.0.0.1|4001 hi")
        assert scene.seen() == {
            twins[0]: ["Ann(private): hi "],
            twins[1]: ["Ann(private): hi "],
            ann: ["Message sent to 2 users of name 10.0.0.1|4001"],
        }
        scene.room.leave(twins[0], LeaveReason.LOST)
        assert scene.room.find("10.0.0.1|4001") == twins[1:]
        scene.room.leave(twins[1], LeaveReason.LOST)
        assert scene.room.find("10.0.0.1|4001") == []

    def test_that_are_an_ipv6_address_match_without_regard_to_case(self, scene: Scene) -> None:
        member = scene.join("fd00::a|4001")
        assert scene.room.find("FD00::A|4001") == [member]

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
        scene.room.shut_down()
        assert scene.room.find(gone) == []

    def test_may_be_oneself(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.send(ann, "/msg Ann note to self")
        assert scene.seen() == {ann: ["Ann(private): note to self ", "Message sent to 1 users of name Ann"]}


class TestCommands:
    @pytest.mark.parametrize(
        ("line", "text"), [("//text", "/text"), ("// text", "/ text"), (" //list", "/list"), ("///", "//")]
    )
    def test_are_text_behind_a_second_slash(self, scene: Scene, line: str, text: str) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, line)
        assert scene.seen() == {bob: [f"Ann: {text}"]}

    @pytest.mark.parametrize(
        "line", [" /msg Bob psst", "\ufffd/msg Bob psst", "\uff0fmsg Bob psst", "\u0301/msg Bob psst"]
    )
    def test_are_never_said_whatever_stands_before_the_slash(self, scene: Scene, line: str) -> None:
        ann, bob, cid = scene.gather("Ann", "Bob", "Cid")
        scene.send(ann, "one", line, "two")
        assert scene.seen() == {
            ann: ["Message sent to 1 users of name Bob"],
            bob: ["Ann: one", "Ann(private): psst ", "Ann: two"],
            cid: ["Ann: one", "Ann: two"],
        }

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
        assert scene.seen()[bob] == ["Ann(private): two  blanks  "]

    def test_are_shown_by_help_to_the_issuer_alone(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/help")
        assert scene.seen() == {ann: notices.help_lines(Role.CLIENT, encrypted=False).split("\n")}
        assert scene.told() == []


class TestMute:
    def test_lets_lines_go_nowhere_and_tells_their_author(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.room.mute(ann, None)
        assert scene.seen() == {ann: ["You are muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", True)]
        scene.send(
            ann, "one", "two", "//three", f"/msg {bob.name} four", "/msg Operator five", "/msg Ann six"
        )
        assert scene.seen() == {ann: ["You are muted"] * 4}
        assert scene.told() == []
        assert ann.lines == 0

    def test_leaves_everything_else_as_it_is(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.room.mute(ann, None)
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
        scene.room.mute(ann, None)
        scene.forget()
        assert scene.room.unmute(ann)
        assert scene.told() == [Muted(NOW, ann.id, "Ann", False)]
        scene.send(ann, "hello")
        assert scene.seen() == {ann: ["You are no longer muted"], bob: ["Ann: hello"]}

    def test_ends_after_its_time(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.room.mute(ann, 600)
        assert scene.told() == [Muted(NOW, ann.id, "Ann", True, 600)]
        scene.clock.advance(599)
        assert ann.muted
        scene.forget()
        scene.clock.advance(1)
        assert not ann.muted
        assert scene.seen() == {ann: ["You are no longer muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", False)]

    @pytest.mark.parametrize("seconds", [None, 1000])
    def test_again_counts_from_then(self, scene: Scene, seconds: float | None) -> None:
        (ann,) = scene.gather("Ann")
        scene.room.mute(ann, 600)
        scene.room.mute(ann, seconds)
        scene.clock.advance(999)
        assert ann.muted

    def test_that_was_ended_by_hand_does_not_end_a_later_one(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.room.mute(ann, 600)
        scene.room.unmute(ann)
        scene.room.mute(ann, None)
        scene.clock.advance(600)
        assert ann.muted

    def test_of_one_who_is_not_muted_is_not_ended(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        assert not scene.room.unmute(ann)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_leaves_no_timer_behind(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.room.mute(ann, 600)
        scene.room.mute(bob, 600)
        scene.send(ann, "/quit")
        assert scene.clock.waiting == 1
        scene.room.shut_down()
        assert scene.clock.waiting == 0


def test_what_a_member_says_is_counted_whomever_it_is_for(scene: Scene) -> None:
    ann, bob = scene.gather("Ann", "Bob")
    scene.send(ann, "one", "two", "/msg Bob three", "/msg Operator four", "/list", TooLong(2048))
    assert (ann.lines, bob.lines) == (4, 0)


class TestEnds:
    def test_happen_once(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/quit")
        scene.forget()
        scene.room.leave(ann, LeaveReason.LOST)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_of_several_at_one_moment_are_told_to_those_who_stay(self, scene: Scene) -> None:
        ann, bob, cid, dan = scene.gather("Ann", "Bob", "Cid", "Dan")
        scene.room.mute(bob, 600)
        scene.send(dan, "/quit")
        scene.forget()
        scene.room.leave_together([ann, bob, dan], LeaveReason.KICKED, "why")
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
        assert scene.room.members == (cid,)
        assert scene.clock.waiting == 0
        scene.room.leave_together([ann, bob], LeaveReason.KICKED)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_leave_no_member_behind(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        assert scene.room.members == (ann, bob)
        assert scene.room.member(ann.id) is ann
        scene.room.leave(ann, LeaveReason.KICKED)
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
