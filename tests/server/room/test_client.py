"""A member's lines: what its text and its commands do, and every rule about nicknames."""

from __future__ import annotations

import pytest
from support.recording import NOW, Scene

from chat_console.server.room import commands, roster
from chat_console.server.room.commands import Role
from chat_console.server.room.entries import NOTHING, TooLong
from chat_console.server.room.events import LeaveReason, Renamed, Said
from chat_console.server.room.names import skeleton


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
        scene.leave(ann, reason=LeaveReason.KICKED)
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

        monkeypatch.setattr(roster, "skeleton", counted)
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
        scene.operator.mute(ann.id)
        scene.forget()
        scene.send(ann, "/nick I-am-not-heard", "/nick Ann", "/nick -", "/nick Operator", "/nick")
        assert scene.seen() == {ann: ["You are muted"] * 4 + ["Usage: /nick <name>"]}
        assert scene.told() == []
        assert ann.name == "Ann"

    def test_of_the_house_are_reserved_also_where_names_are_shared(self, shared: Scene) -> None:
        (ann,) = shared.gather("Ann")
        shared.send(ann, "/nick Operator")
        assert shared.seen() == {ann: ["Nickname Operator is reserved"]}


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
            ("/list two words", "Usage: /list [word]"),
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
        assert bob in scene.present

    def test_keep_the_inner_blanks_of_a_message(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "/msg  Bob   two  blanks ")
        assert scene.seen()[bob] == ["Ann(private): two  blanks  "]

    def test_are_shown_by_help_to_the_issuer_alone(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/help")
        assert scene.seen() == {ann: commands.help_for(Role.CLIENT, encrypted=False).split("\n")}
        assert scene.told() == []


def test_what_a_member_says_is_counted_whomever_it_is_for(scene: Scene) -> None:
    ann, bob = scene.gather("Ann", "Bob")
    scene.send(ann, "one", "two", "/msg Bob three", "/msg Operator four", "/list", TooLong(2048))
    assert (ann.lines, bob.lines) == (4, 0)
