"""The operator: what each of its lines does to the room, and what it is answered."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.recording import NOW, Scene, replied

from chat_console.server.addresses import network_of
from chat_console.server.gate.bans_file import BansFile
from chat_console.server.room.commands import Role, help_for
from chat_console.server.room.entries import NOTHING, Kick, Line, Message, TooLong
from chat_console.server.room.events import (
    Banned,
    Event,
    LeaveReason,
    Left,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    Replied,
    Silenced,
    Unbanned,
)
from chat_console.server.room.room import Room
from chat_console.server.settings import Settings
from chat_console.server.wire.outbox import Outbox
from chat_console.server.wire.tls import CertificateError


def said(text: str) -> OperatorSaid:
    return OperatorSaid(NOW, "Operator", text)


def messaged(recipient: str, text: str, member_ids: tuple[int, ...]) -> list[Event]:
    """What the operator is told of a private message of its own."""
    return [
        OperatorMessaged(NOW, 1, "Operator", recipient, text, member_ids),
        replied(f"Message sent to {len(member_ids)} users of name {recipient}"),
    ]


class Certificate:
    """One whose reading fails with `error`, if there is one."""

    def __init__(self, error: CertificateError | None = None) -> None:
        self.error = error
        self.reloads = 0

    def reload(self) -> None:
        self.reloads += 1
        if self.error:
            raise self.error


def answer(scene: Scene, line: str) -> str:
    """What the operator is answered to `line`, where that is all that happens."""
    scene.operate(line)
    (event,) = [event for event in scene.told() if not isinstance(event, Banned | Unbanned)]
    assert isinstance(event, Replied)
    assert scene.seen() == {}
    return event.text


class TestLine:
    def test_without_a_slash_is_text_for_everybody(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operate("Hello users!")
        assert scene.seen() == {ann: ["Operator: Hello users!"], bob: ["Operator: Hello users!"]}
        assert scene.told() == [said("Hello users!")]

    @pytest.mark.parametrize(
        ("line", "text"), [("//text", "/text"), ("// text", "/ text"), (" //list", "/list"), ("///", "//")]
    )
    def test_is_text_behind_a_second_slash(self, scene: Scene, line: str, text: str) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate(line)
        assert scene.seen() == {ann: [f"Operator: {text}"]}

    def test_is_cleaned(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate("\x1b[31mred\ttext\n")
        assert scene.seen() == {ann: ["Operator: red text"]}

    @pytest.mark.parametrize(
        "before", ["\x1bOP", " ", "\ufffd", "\u200b", "\x1b", "\x07\t", "\ufeff", "\x1b(B\x1b[m"]
    )
    @pytest.mark.parametrize("slash", "/\uff0f")
    def test_is_a_command_also_behind_what_cannot_be_seen(
        self, scene: Scene, before: str, slash: str
    ) -> None:
        if before == "\x1b" and slash != "/":
            return
        ann, bob = scene.gather("Ann", "Bob")
        scene.operate(f"{before}{slash}msg Bob psst")
        assert scene.seen() == {bob: ["Operator (private): psst "]}
        assert scene.told() == messaged("Bob", "psst", (bob.id,))
        assert ann in scene.present

    @pytest.mark.parametrize("line", ["\x1b[31m", "\x07", " \u200b ", NOTHING], ids=ascii)
    def test_of_which_nothing_is_left_is_told_to_the_operator_alone(self, scene: Scene, line: Line) -> None:
        scene.gather("Ann")
        scene.operate(line)
        assert scene.seen() == {}
        assert scene.told() == [replied("Nothing of that line could be shown")]

    def test_reaches_both_who_came_from_one_port_to_two_addresses(self, scene: Scene) -> None:
        twins = [scene.join("10.0.0.1|4001"), scene.join("10.0.0.1|4001")]
        scene.forget()
        scene.operate("/msg 10.0.0.1|4001 hi", "/mute 10.0.0.1|4001")
        assert scene.seen() == {twin: ["Operator (private): hi ", "You are muted"] for twin in twins}
        scene.operate("/unmute 10.0.0.1|4001", "/kick 10.0.0.1|4001")
        assert scene.closed == twins
        twins = [scene.join("10.0.0.1|4001"), scene.join("10.0.0.1|4001")]
        scene.operate("/ban 10.0.0.1|4001", "/ban 10.0.0.1|4001")
        assert scene.present == []
        assert scene.closed[2:] == twins

    @pytest.mark.parametrize("line", ["", "  ", "\t", "\u2800 \x0b"])
    def test_that_is_blank_is_ignored(self, scene: Scene, line: str) -> None:
        scene.gather("Ann")
        scene.operate(line)
        assert scene.seen() == {}
        assert scene.told() == []

    @pytest.mark.parametrize("line", ["é" * 1024 + "x", TooLong(2048)], ids=["typed", "piped"])
    def test_is_bounded_as_those_of_clients_are(self, scene: Scene, line: Line) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate("é" * 1024)
        assert scene.seen() == {ann: ["Operator: " + "é" * 1024]}
        scene.told()
        scene.operate(line)
        assert scene.seen() == {}
        assert scene.told() == [replied("Message too long (max 2048 bytes)")]

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            ("/kick", "Usage: /kick <recipient> [reason]"),
            ("/msg Ann", "Usage: /msg <recipient> <message>"),
            ("/mute Ann 10min", "Usage: /mute <recipient> [10m] [reason]"),
            ("/ban Ann 2hours", "Usage: /ban <recipient|address|network> [2h] [reason] [--force]"),
            ("/unban", "Usage: /unban <address|network>"),
            ("/foo bar", "Unknown command /foo. Type /help."),
            ("/nick Ann", "Unknown command /nick. Type /help."),
        ],
    )
    def test_that_cannot_be_done_is_answered_to_the_operator_alone(
        self, scene: Scene, line: str, complaint: str
    ) -> None:
        scene.gather("Ann", "Bob")
        assert answer(scene, line) == complaint


class TestMsg:
    def test_reaches_the_recipient_alone(self, scene: Scene) -> None:
        _, bob = scene.gather("Ann", "Bob")
        scene.operate("/msg  Bob   two  blanks ")
        assert scene.seen() == {bob: ["Operator (private): two  blanks  "]}
        assert scene.told() == messaged("Bob", "two  blanks ", (bob.id,))

    def test_reaches_all_who_bear_the_name(self, shared: Scene) -> None:
        one, two, _ = shared.gather("Bob", "Bob", "Ann")
        shared.operate("/msg bob hi")
        assert shared.seen() == {one: ["Operator (private): hi "], two: ["Operator (private): hi "]}
        assert shared.told() == messaged("bob", "hi", (one.id, two.id))

    def test_reaches_one_connection_by_its_address(self, shared: Scene) -> None:
        _, two = shared.gather("Bob", "Bob")
        shared.operate(f"/msg {two.address} hi")
        assert shared.seen() == {two: ["Operator (private): hi "]}

    def test_that_reaches_nobody_is_a_count(self, scene: Scene) -> None:
        scene.gather("Ann")
        scene.operate("/msg Bob hi")
        assert scene.seen() == {}
        assert scene.told() == messaged("Bob", "hi", ())


class TestKick:
    def test_disconnects_and_tells_the_others(self, scene: Scene) -> None:
        ann, bob, cid = scene.gather("Ann", "Bob", "Cid")
        scene.operate("/kick Bob")
        left = "Bob has left the server."
        assert scene.seen() == {bob: ["You have left the server"], ann: [left], cid: [left]}
        assert scene.told() == [Left(NOW, bob.id, "Bob", LeaveReason.KICKED), replied("Kicked 1 people.")]
        assert scene.closed == [bob]
        assert scene.present == [ann, cid]

    def test_keeps_the_reason_for_the_log_and_off_the_wire(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operate("/kick Bob  said  it  too often ")
        assert scene.seen() == {bob: ["You have left the server"], ann: ["Bob has left the server."]}
        assert scene.told() == [
            Left(NOW, bob.id, "Bob", LeaveReason.KICKED, "said  it  too often"),
            replied("Kicked 1 people."),
        ]

    def test_reaches_all_who_bear_the_name(self, shared: Scene) -> None:
        one, two, ann = shared.gather("Bob", "Bob", "Ann")
        shared.operate("/kick Bob")
        assert shared.told() == [
            Left(NOW, one.id, "Bob", LeaveReason.KICKED),
            Left(NOW, two.id, "Bob", LeaveReason.KICKED),
            replied("Kicked 2 people."),
        ]
        assert shared.seen() == {
            one: ["You have left the server"],
            two: ["You have left the server"],  # they leave at one moment
            ann: ["Bob has left the server."] * 2,
        }

    def test_reaches_one_connection_by_its_address(self, shared: Scene) -> None:
        one, two = shared.gather("Bob", "Bob")
        shared.operate(f"/kick {one.address}")
        assert shared.present == [two]

    def test_of_nobody_is_a_count(self, scene: Scene) -> None:
        scene.gather("Ann")
        assert answer(scene, "/kick Bob") == "Kicked 0 people."


class TestMute:
    def test_tells_the_muted_and_nobody_else(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.operate("/mute Ann")
        assert scene.seen() == {ann: ["You are muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", True), replied("Muted 1 people.")]
        scene.send(ann, "hello")
        assert scene.seen() == {ann: ["You are muted"]}
        assert scene.told() == [Silenced(NOW, ann.id, "Ann", ("hello",))]

    def test_tells_its_time_and_its_reason_to_the_operators_alone(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.operate("/mute Ann 10m too  loud")
        assert scene.told()[0] == Muted(NOW, ann.id, "Ann", True, 600, "too loud")
        assert scene.seen() == {ann: ["You are muted"]}

    def test_has_an_end_only_while_it_lasts(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate("/mute Ann 10m")
        assert ann.muted_until == NOW + 600
        scene.operate("/unmute Ann")
        assert ann.muted_until is None

    def test_lasts_for_the_time_that_is_given(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operate("/mute Ann 10m")
        scene.loop.advance(10 * 60 - 1)
        scene.forget()
        scene.send(ann, "hello")
        assert scene.seen() == {ann: ["You are muted"]}
        scene.loop.advance(1)
        scene.forget()
        scene.send(ann, "hello")
        assert scene.seen() == {bob: ["Ann: hello"]}

    def test_without_a_time_lasts(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operate("/mute Ann")
        scene.loop.advance(1e9)
        assert ann.muted

    def test_ends_with_unmute(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.operate("/mute Ann")
        scene.forget()
        scene.operate("/unmute Ann")
        assert scene.seen() == {ann: ["You are no longer muted"]}
        assert scene.told() == [Muted(NOW, ann.id, "Ann", False), replied("Unmuted 1 people.")]

    def test_of_nobody_is_a_count(self, scene: Scene) -> None:
        scene.gather("Ann")
        assert answer(scene, "/mute Bob") == "Muted 0 people."

    def test_unmute_counts_those_who_were_muted(self, shared: Scene) -> None:
        one, _ = shared.gather("Bob", "Bob")
        shared.operate(f"/mute {one.address}")
        shared.forget()
        shared.operate("/unmute Bob")
        assert shared.seen() == {one: ["You are no longer muted"]}
        assert shared.told()[-1] == replied("Unmuted 1 people.")


class TestBan:
    def banned(self, scene: Scene) -> list[tuple[str, float | None]]:
        return [(str(ban.network), ban.seconds) for ban in scene.bans.all()]

    @pytest.mark.parametrize(
        ("target", "network", "shown"),
        [
            ("192.0.2.7", "192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7/24", "192.0.2.0/24", "192.0.2.0/24"),
            ("2001:DB8::7", "2001:db8::7/128", "2001:db8::7"),
            ("2001:db8::/32", "2001:db8::/32", "2001:db8::/32"),
        ],
    )
    def test_of_an_address_or_a_network_that_hits_nobody_is_done_at_once(
        self, scene: Scene, target: str, network: str, shown: str
    ) -> None:
        scene.gather("Ann")
        assert answer(scene, f"/ban {target}") == f"Banned {shown} until unbanned."
        assert self.banned(scene) == [(network, None)]

    def test_lasts_for_the_time_that_is_given(self, scene: Scene) -> None:
        assert answer(scene, "/ban 192.0.2.7 2h") == "Banned 192.0.2.7 for 2h."
        scene.loop.advance(2 * 3600 - 1)
        assert scene.bans.covers("192.0.2.7")
        scene.loop.advance(1)
        assert not scene.bans.covers("192.0.2.7")

    def test_tells_which_bans_it_replaces(self, scene: Scene) -> None:
        network = network_of("192.0.2.7")
        for replaced in ((), (network,)):
            scene.forget()
            scene.operate("/ban 192.0.2.7")
            assert scene.told()[0] == Banned(NOW, (network,), replaced=replaced)

    def test_that_hits_somebody_names_them_and_is_done_when_it_is_typed_again(self, scene: Scene) -> None:
        ann = scene.join("192.0.2.7|4001")
        bob = scene.join("192.0.2.9|4002")
        cid = scene.join("198.51.100.1|4003")
        scene.send(ann, "/nick Ann")
        scene.forget()
        assert answer(scene, "/ban 192.0.2.0/24") == (
            "Banning 192.0.2.0/24 drops Ann, 192.0.2.9|4002. Repeat the command to confirm."
        )
        assert self.banned(scene) == []
        assert scene.present == [ann, bob, cid]
        scene.operate("/ban 192.0.2.0/24")
        assert self.banned(scene) == [("192.0.2.0/24", None)]
        assert scene.told() == [
            Left(NOW, ann.id, "Ann", LeaveReason.BANNED),
            Left(NOW, bob.id, str(bob.address), LeaveReason.BANNED),
            Banned(NOW, (network_of("192.0.2.0/24"),)),
            replied("Banned 192.0.2.0/24 until unbanned."),
        ]
        assert scene.seen() == {
            ann: ["You have left the server"],
            bob: ["You have left the server"],
            cid: ["Ann has left the server.", f"{bob.address} has left the server."],
        }
        assert scene.closed == [ann, bob]

    def test_tells_its_reason_to_the_operators_alone(self, scene: Scene) -> None:
        ann, bob = scene.join("192.0.2.7|4001"), scene.join("198.51.100.1|4002")
        for _ in range(2):
            scene.forget()
            scene.operate("/ban 192.0.2.7 2h too loud")
        assert scene.told()[:2] == [
            Left(NOW, ann.id, str(ann.address), LeaveReason.BANNED, "too loud"),
            Banned(NOW, (network_of("192.0.2.7"),), 7200, "too loud"),
        ]
        assert scene.seen() == {
            ann: ["You have left the server"],
            bob: [f"{ann.address} has left the server."],
        }

    @pytest.mark.parametrize("between", ["/list", "hello", "/ban 192.0.2.7 1h", "/foo", "/kick Nobody"])
    def test_asks_again_when_something_else_was_typed_in_between(self, scene: Scene, between: str) -> None:
        ann = scene.join("192.0.2.7|4001")
        scene.operate("/ban 192.0.2.7", between)
        scene.forget()
        assert answer(scene, "/ban 192.0.2.7").startswith("Banning 192.0.2.7 drops ")
        assert scene.present == [ann]

    def test_asks_again_when_it_would_hit_somebody_else_too(self, scene: Scene) -> None:
        ann = scene.join("192.0.2.7|4001")
        scene.operate("/ban 192.0.2.7")
        bob = scene.join("192.0.2.7|4002")
        scene.forget()
        asked = answer(scene, "/ban 192.0.2.7")
        assert str(ann.address) in asked
        assert str(bob.address) in asked
        assert self.banned(scene) == []
        scene.operate("/ban 192.0.2.7")
        assert scene.present == []

    def test_is_done_at_once_when_those_it_would_hit_have_left(self, scene: Scene) -> None:
        ann = scene.join("192.0.2.7|4001")
        scene.operate("/ban 192.0.2.7")
        scene.send(ann, "/quit")
        scene.forget()
        assert answer(scene, "/ban 192.0.2.7") == "Banned 192.0.2.7 until unbanned."

    @pytest.mark.parametrize("target", ["Bob", "bob", "192.0.2.7|4002"])
    def test_of_a_name_takes_its_address_and_drops_everybody_from_there(
        self, scene: Scene, target: str
    ) -> None:
        ann = scene.join("192.0.2.7|4001")
        bob = scene.join("192.0.2.7|4002")
        cid = scene.join("192.0.2.8|4003")
        scene.send(bob, "/nick Bob")
        scene.forget()
        assert answer(scene, f"/ban {target} 1d") == (
            f"Banning 192.0.2.7 drops {ann.address}, Bob. Repeat the command to confirm."
        )
        scene.operate(f"/ban {target} 1d")
        assert self.banned(scene) == [("192.0.2.7/32", 86_400)]
        assert scene.present == [cid]
        assert scene.told()[-1] == replied("Banned 192.0.2.7 for 1d.")

    def test_of_a_shared_name_takes_each_address_once(self, shared: Scene) -> None:
        members = [shared.join(f"192.0.2.{host}|{4000 + at}") for at, host in enumerate((7, 8, 7))]
        for member in members:
            shared.send(member, "/nick Bob")
        shared.operate("/ban Bob", "/ban Bob")
        assert self.banned(shared) == [("192.0.2.7/32", None), ("192.0.2.8/32", None)]
        assert shared.present == []
        assert shared.told()[-1] == replied("Banned 192.0.2.7, 192.0.2.8 until unbanned.")

    def test_of_somebody_from_ipv6_takes_the_network_it_is_counted_with(self, scene: Scene) -> None:
        ann, bob = scene.join("2001:db8::1|4001"), scene.join("2001:db8::ffff:2|4002")
        cid = scene.join("2001:db8:0:1::1|4003")
        scene.send(ann, "/nick Ann")
        scene.forget()
        assert answer(scene, "/ban Ann") == (
            f"Banning 2001:db8::/64 drops Ann, {bob.address}. Repeat the command to confirm."
        )
        scene.operate("/ban Ann")
        assert self.banned(scene) == [("2001:db8::/64", None)]
        assert scene.present == [cid]
        assert scene.bans.covers("2001:db8::3")

    @pytest.mark.parametrize("target", ["::ffff:192.0.2.7", "::ffff:c000:207", "::FFFF:192.0.2.7/128"])
    def test_of_ipv4_in_ipv6_is_of_the_ipv4_address(self, scene: Scene, target: str) -> None:
        ann = scene.join("192.0.2.7|4001")
        scene.operate(f"/ban {target}")
        assert scene.told()[-1] == replied(
            f"Banning 192.0.2.7 drops {ann.address}. Repeat the command to confirm."
        )
        scene.operate(f"/ban {target}")
        assert self.banned(scene) == [("192.0.2.7/32", None)]
        scene.forget()
        assert answer(scene, f"/unban {target}") == "Lifted the ban on 192.0.2.7."

    def test_is_done_when_some_of_those_it_would_hit_have_left(self, scene: Scene) -> None:
        ann, bob = scene.join("192.0.2.7|4001"), scene.join("192.0.2.7|4002")
        scene.operate("/ban 192.0.2.7")
        scene.send(ann, "/quit")
        scene.operate("/ban 192.0.2.7")
        assert bob not in scene.present
        assert self.banned(scene) == [("192.0.2.7/32", None)]

    def test_is_done_when_only_others_have_come(self, scene: Scene) -> None:
        ann = scene.join("192.0.2.7|4001")
        scene.operate("/ban 192.0.2.7")
        bob = scene.join("192.0.2.8|4002")
        scene.operate("/ban 192.0.2.7")
        assert scene.present == [bob]
        assert ann.id not in {member.id for member in scene.present}

    @pytest.mark.parametrize("way", ["/quit", "/nick Innocent"])
    def test_of_a_name_is_done_when_it_was_given_up_meanwhile(self, scene: Scene, way: str) -> None:
        (bob,) = scene.gather("Bob")
        scene.operate("/ban Bob")
        scene.send(bob, way)
        scene.operate("/ban Bob")
        assert self.banned(scene) == [(f"{bob.address.host}/32", None)]
        assert scene.present == []

    def test_of_a_name_is_done_when_its_bearer_has_come_again(self, scene: Scene) -> None:
        bob = scene.join("192.0.2.7|4001")
        scene.send(bob, "/nick Bob")
        scene.operate("/ban Bob")
        scene.send(bob, "/quit")
        again = scene.join("192.0.2.7|4002")
        scene.send(again, "/nick Bob")
        scene.operate("/ban Bob")
        assert scene.present == []
        assert self.banned(scene) == [("192.0.2.7/32", None)]

    def test_of_a_name_asks_again_when_somebody_else_has_taken_it(self, scene: Scene) -> None:
        bob = scene.join("192.0.2.7|4001")
        scene.send(bob, "/nick Bob")
        scene.operate("/ban Bob")
        scene.send(bob, "/quit")
        other = scene.join("198.51.100.1|4002")
        scene.send(other, "/nick Bob")
        scene.forget()
        assert answer(scene, "/ban Bob") == (
            "Banning 192.0.2.7, 198.51.100.1 drops Bob. Repeat the command to confirm."
        )
        assert scene.present == [other]

    def test_of_a_name_that_thousands_share_is_one_pass_and_one_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "bans"
        scene = Scene(Settings(shared_nicks=True), bans_file=file)
        bobs = [scene.join() for _ in range(600)]
        scene.join("192.0.2.1|4000")
        for bob in bobs:
            scene.room.roster.rename(bob, "Bob")
        scene.forget()
        counts: Counter[str] = Counter()

        def count(owner: type, name: str) -> None:
            call = getattr(owner, name)
            monkeypatch.setattr(owner, name, lambda *args: counts.update([name]) or call(*args))

        count(Room, "hit_by")
        count(BansFile, "write")
        count(Outbox, "dismiss")
        assert answer(scene, "/ban Bob").endswith(" and 595 more. Repeat the command to confirm.")
        scene.operate("/ban Bob")
        # Once each time that the ban is asked for, and once when it is done.
        assert counts == {"hit_by": 3, "write": 1, "dismiss": 1}
        assert len(file.read_text().splitlines()) == len(bobs)
        *left, banned, done = scene.told()
        assert isinstance(banned, Banned)
        assert left == [Left(NOW, bob.id, "Bob", LeaveReason.BANNED) for bob in bobs]
        assert done == replied(
            "Banned 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5 and 595 more until unbanned."
        )

    def test_of_a_link_local_address_leaves_the_interface_out(self, scene: Scene) -> None:
        member = scene.join("fe80::1%eth0|4001")
        scene.forget()
        assert "drops fe80::1%eth0|4001" in answer(scene, "/ban fe80::1%eth0")
        scene.operate("/ban fe80::1%eth0")
        assert self.banned(scene) == [("fe80::1/128", None)]
        assert member not in scene.present

    @pytest.mark.parametrize("target", ["Nobody", "192.0.2", "192.0.2.7/33", "300.0.0.1", "7"])
    def test_of_neither_a_user_nor_an_address_is_refused(self, scene: Scene, target: str) -> None:
        scene.gather("Ann")
        assert answer(scene, f"/ban {target}") == (
            f"{target} is not a user here, an IP address or a network such as 192.0.2.0/24"
        )
        assert self.banned(scene) == []

    @pytest.mark.parametrize(
        ("target", "network"),
        [
            ("127.0.0.1", "127.0.0.1/32"),
            ("127.0.0.0/8", "127.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
            ("Root7", "127.0.0.1/32"),
        ],
    )
    def test_of_loopback_needs_force_and_asks_all_the_same(
        self, scene: Scene, target: str, network: str
    ) -> None:
        ann = scene.join("127.0.0.1|4001")
        scene.join("::1|4002")
        scene.send(ann, "/nick Root7")
        scene.forget()
        for _ in range(2):
            assert answer(scene, f"/ban {target}") == (
                f"{network.removesuffix('/32').removesuffix('/128')} is this machine itself; "
                f"to ban it anyway, type: /ban {target} --force"
            )
        assert answer(scene, f"/ban {target} 2h").endswith(f"type: /ban {target} 2h --force")
        assert self.banned(scene) == []
        assert len(scene.present) == 2
        assert "Repeat the command to confirm." in answer(scene, f"/ban {target} --force")
        scene.operate(f"/ban {target} --force")
        assert self.banned(scene) == [(network, None)]
        assert len(scene.present) == 1

    def test_by_hand_tells_before_who_would_be_hit(self, scene: Scene) -> None:
        ann, bob = scene.join("2001:db8::1|4001"), scene.join("2001:db8::2|4002")
        cid = scene.join("2001:db8:0:1::1|4003")
        scene.forget()
        assert scene.operator.network_of(bob.id) == network_of("2001:db8::/64")
        assert scene.operator.hit_by_ban(bob.id) == [ann, bob]
        assert scene.operator.ban(bob.id)
        assert scene.present == [cid]
        assert self.banned(scene) == [("2001:db8::/64", None)]
        assert scene.told()[-1] == replied("Banned 2001:db8::/64 until unbanned.")

    def test_by_hand_of_one_who_is_gone_does_nothing(self, scene: Scene) -> None:
        ann = scene.join("192.0.2.7|4001")
        scene.send(ann, "/quit")
        scene.forget()
        assert scene.operator.network_of(ann.id) is None
        assert scene.operator.hit_by_ban(ann.id) == []
        assert not scene.operator.ban(ann.id)
        assert self.banned(scene) == []
        assert scene.told() == []


class TestUnban:
    def test_lifts_a_ban(self, scene: Scene) -> None:
        scene.operate("/ban 192.0.2.7", "/ban 192.0.2.0/24")
        scene.forget()
        assert answer(scene, "/unban 192.0.2.7/32") == "Lifted the ban on 192.0.2.7."
        assert [str(ban.network) for ban in scene.bans.all()] == ["192.0.2.0/24"]
        assert answer(scene, "/unban 192.0.2.0/24") == "Lifted the ban on 192.0.2.0/24."
        assert scene.bans.all() == []

    def test_of_what_is_covered_but_not_banned_itself_says_so(self, scene: Scene) -> None:
        scene.operate("/ban 192.0.2.0/24")
        scene.forget()
        assert answer(scene, "/unban 192.0.2.7") == "There is no ban on 192.0.2.7. Type /bans."
        assert scene.bans.covers("192.0.2.7")

    def test_takes_no_name(self, scene: Scene) -> None:
        scene.gather("Ann")
        assert answer(scene, "/unban Ann").startswith("Ann is not a user here, an IP address")


class TestBans:
    def test_are_listed_with_the_time_that_is_left(self, scene: Scene) -> None:
        scene.operate("/ban 2001:db8::7", "/ban 192.0.2.7 10m", "/ban 192.0.2.0/24 1d")
        scene.loop.advance(5 * 60)
        scene.forget()
        assert answer(scene, "/bans").split("\n") == [
            "192.0.2.0/24 for 24h",
            "192.0.2.7 for 5m",
            "2001:db8::7 until unbanned",
        ]

    def test_that_there_are_none_is_said(self, scene: Scene) -> None:
        assert answer(scene, "/bans") == "Nobody is banned"


class TestReload:
    def test_says_so_where_there_is_nothing_to_read(self, scene: Scene) -> None:
        assert answer(scene, "/reload") == ("Nothing to reload: no TLS certificate and no bans file.")
        scene.chat.reload_certificate(scene.operator.id)
        assert scene.told() == [replied("This server does not use TLS: there is no certificate to reload.")]

    def test_reads_the_certificate_again(self) -> None:
        certificate = Certificate()
        scene = Scene(certificate=certificate)
        assert answer(scene, "/reload") == "Reloaded the TLS certificate: new connections use it."
        assert certificate.reloads == 1

    def test_of_one_that_cannot_be_used_says_why(self) -> None:
        certificate = Certificate(CertificateError("cert.pem: certificate has expired"))
        assert answer(Scene(certificate=certificate), "/reload") == (
            "The TLS certificate is unchanged: cert.pem: certificate has expired"
        )

    def test_reads_the_bans_again_and_drops_whom_they_hit(self, tmp_path: Path) -> None:
        file = tmp_path / "bans"
        scene = Scene(bans_file=file, certificate=Certificate())
        ann, bob, cid = scene.join("192.0.2.7|4001"), scene.join("192.0.2.8|4002"), scene.join("::1|4003")
        scene.forget()
        file.write_text("192.0.2.7 -\n::1 -\n198.51.100.1 -\n")
        scene.operate("/reload")
        assert scene.told() == [
            replied("Reloaded the TLS certificate: new connections use it."),
            Left(NOW, ann.id, str(ann.address), LeaveReason.BANNED),
            Left(NOW, cid.id, str(cid.address), LeaveReason.BANNED),
            replied("Reloaded the bans file: 3 bans in force. Dropped 2 people."),
        ]
        assert scene.present == [bob]
        scene.forget()
        assert answer(scene, "/unban 198.51.100.1") == "Lifted the ban on 198.51.100.1."

    @pytest.mark.parametrize("content", ["nobody -\n", None])
    def test_of_bans_that_cannot_be_read_changes_nothing_and_says_why(
        self, tmp_path: Path, content: str | None
    ) -> None:
        file = tmp_path / "bans"
        scene = Scene(bans_file=file)
        scene.operate("/ban 192.0.2.7")
        scene.forget()
        file.unlink() if content is None else file.write_text(content)
        assert answer(scene, "/reload").startswith(f"The bans are unchanged: {file}")
        assert scene.bans.covers("192.0.2.7")


class TestLineToOneMember:
    def test_is_for_that_member_alone_unless_it_is_a_command(self, scene: Scene) -> None:
        ann, bob = scene.gather("Ann", "Bob")
        scene.operator.operate("hi", bob.id)
        assert scene.seen() == {bob: ["Operator (private): hi "]}
        scene.operator.operate("//hi", bob.id)
        assert scene.seen() == {bob: ["Operator (private): /hi "]}
        scene.operator.operate("/msg Ann psst", bob.id)
        assert scene.seen() == {ann: ["Operator (private): psst "]}

    def test_is_never_for_anybody_else(self, scene: Scene) -> None:
        _, bob = scene.gather("Ann", "Bob")
        scene.send(bob, "/quit")
        scene.forget()
        scene.operator.operate("hi", bob.id)
        assert scene.seen() == {}
        (reply,) = scene.told()
        assert reply == replied("this user has already left")


class TestAnswer:
    """What a console with room for one line shows of an answer, and whether anything was done."""

    @pytest.mark.parametrize(
        ("line", "outcome", "brief"),
        [
            ("/msg karim hi", Outcome.DONE, "sent to Karim"),
            ("/mute Karim 10m insults", Outcome.DONE, "Karim is muted for 10m (insults)"),
            ("/kick Karim", Outcome.DONE, "Karim was kicked"),
            ("/unmute Karim", Outcome.REFUSED, "Karim was not muted"),
            ("/kick Karm", Outcome.REFUSED, "nobody here is called Karm (Karim?)"),
            ("/msg Karimm hi", Outcome.REFUSED, "nobody here is called Karimm (Karim?)"),
            ("/mute Kairm", Outcome.REFUSED, "nobody here is called Kairm (Karim?)"),
            ("/unmute Quentin", Outcome.REFUSED, "nobody here is called Quentin"),
            (f"/kick {'K' * 2000}", Outcome.REFUSED, f"nobody here is called {'K' * 2000}"),
            ("/unban 192.0.2.7", Outcome.REFUSED, ""),
            ("/nick me", Outcome.REFUSED, ""),
            ("/kick", Outcome.REFUSED, ""),
            ("/bans", Outcome.ANSWERED, ""),
            ("/ban 192.0.2.250 2h spam", Outcome.DONE, "192.0.2.250 is banned for 2h (spam)"),
        ],
    )
    def test_says_in_plain_words_what_became_of_a_command(
        self, scene: Scene, line: str, outcome: Outcome, brief: str
    ) -> None:
        scene.gather("Karim")
        scene.operate(line)
        (reply,) = [event for event in scene.told() if isinstance(event, Replied)]
        assert (reply.outcome, reply.brief) == (outcome, brief)

    def test_names_all_that_were_meant(self, shared: Scene) -> None:
        shared.gather("Bob", "Bob")
        shared.operate("/mute Bob", "/unmute Bob")
        briefs = [event.brief for event in shared.told() if isinstance(event, Replied)]
        assert briefs == ["Bob, Bob is muted", "Bob, Bob is no longer muted"]


class TestMember:
    def test_that_the_operator_has_picked_is_meant_alone_whoever_shares_its_name(self, shared: Scene) -> None:
        one, two, three = shared.gather("Bob", "Bob", "Bob")
        assert shared.operator.message(two.id, "hi")
        assert shared.operator.mute(three.id)
        assert shared.seen() == {two: ["Operator (private): hi "], three: ["You are muted"]}
        assert shared.told() == [
            *messaged("Bob", "hi", (two.id,)),
            Muted(NOW, three.id, "Bob", True),
            replied("Muted 1 people."),
        ]
        assert shared.operator.unmute(three.id)
        assert shared.seen() == {three: ["You are no longer muted"]}
        assert shared.told() == [Muted(NOW, three.id, "Bob", False), replied("Unmuted 1 people.")]
        assert shared.operator.kick(one.id, "why")
        assert shared.told() == [
            Left(NOW, one.id, "Bob", LeaveReason.KICKED, "why"),
            replied("Kicked 1 people."),
        ]
        assert shared.present == [two, three]

    def test_that_is_gone_is_not_found_and_nothing_happens(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/quit")
        scene.forget()
        assert not scene.operator.message(ann.id, "hi")
        assert not scene.operator.kick(ann.id, "why")
        assert not scene.operator.mute(ann.id, 60)
        assert not scene.operator.unmute(ann.id)
        assert scene.seen() == {}
        assert scene.told() == []

    def test_that_leaves_before_the_turn_of_what_was_asked_is_a_count(self, scene: Scene) -> None:
        ann, _ = scene.gather("Ann", "Bob")
        scene.send(ann, "/quit")
        scene.forget()
        scene.submit(Message(NOW, 1, "Operator", ann.id, "hi"))
        scene.submit(Kick(NOW, 1, ann.id))
        assert scene.seen() == {}
        assert scene.told() == [*messaged("", "hi", ()), replied("Kicked 0 people.")]

    def test_gets_any_text_cleaned(self, scene: Scene) -> None:
        (ann,) = scene.gather("Ann")
        scene.operator.message(ann.id, "\x1b[1mpsst\n")
        scene.operator.message("Ann", "/kick Ann")
        for text in ("hello", "/kick Ann", "//", " /list", "\0/kick Ann", "\x1b[m/kick Ann"):
            scene.operator.say(text)
        assert scene.seen() == {
            ann: [
                "Operator (private): psst ",
                "Operator (private): /kick Ann ",
                "Operator: hello",
                "Operator: /kick Ann",
                "Operator: //",
                "Operator:  /list",
                "Operator: /kick Ann",
                "Operator: /kick Ann",
            ]
        }
        assert scene.present == [ann]


class TestListHelpAndQuit:
    def test_list_shows_everybody_in_order_of_joining(self, scene: Scene) -> None:
        ann, bob = scene.gather("Zoe", "Bob")
        assert answer(scene, "/LIST") == f"{ann.address} as Zoe\n{bob.address} as Bob"

    def test_list_when_nobody_is_there_says_so(self, scene: Scene) -> None:
        assert answer(scene, "/list") == "No users connected"

    @pytest.mark.parametrize(
        "settings",
        [Settings(), Settings(tls_cert=Path("c.pem"), tls_key=Path("k.pem"))],
        ids=["plain", "TLS"],
    )
    def test_help_shows_the_operators_commands(self, settings: Settings) -> None:
        assert answer(Scene(settings), "/help") == help_for(Role.OPERATOR, encrypted=settings.encrypted)

    def test_quit_asks_whoever_runs_the_server_to_stop_it(self, scene: Scene) -> None:
        scene.gather("Ann")
        scene.operate("/quit")
        assert scene.seen() == {}
        assert scene.told() == []
        assert scene.quits == 1
        assert len(scene.present) == 1
