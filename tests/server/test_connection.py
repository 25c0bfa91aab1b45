"""One client and its connection, with real sockets: lines in, lines out, and every way it can end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from chat_clients import BOUND, Chat, ipv6, open_chat

from chat_console.server.connection import _address
from chat_console.server.events import Event, Failed, Joined, LeaveReason, Left, Said

GOODBYE = "You have left the server"
IAC_DO_TIMING_MARK, IAC_WONT_TIMING_MARK = b"\xff\xfd\x06", b"\xff\xfc\x06"


class TestTalking:
    async def test_a_client_is_welcomed_by_its_address(self) -> None:
        async with open_chat() as chat:
            ann = await chat.connect()
            assert await ann.line() == f"Welcome {ann.address} to the server!"

    async def test_two_clients_talk_and_their_own_lines_are_not_echoed(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.send("hello")
            assert await bob.line() == "Ann: hello"
            bob.send("hi", "how are you?")
            assert [await ann.line(), await ann.line()] == ["Bob: hi", "Bob: how are you?"]
            ann.send("/quit")
            assert await bob.until("Ann has left the server.") == ["Ann has left the server."]
            assert await ann.rest() == [GOODBYE]

    async def test_a_line_may_arrive_in_pieces(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            for piece in (b"Gr\xc3", b"\xbc", b"\xc3\x9fe\nand", b" more\n"):
                ann.writer.write(piece)
                bob.send("tick")  # each piece is a read of its own
                await ann.until("Bob: tick")
            assert await bob.until("Ann: and more") == ["Ann: Grüße", "Ann: and more"]

    async def test_a_line_that_is_too_long_costs_nothing_but_itself(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.send("x" * 100_000, "next")
            assert await ann.line() == "Message too long (max 2048 bytes)"
            assert await bob.line() == "Ann: next"


class TestTelnet:
    @pytest.mark.parametrize("sign", [b"hi\r\n", b"\xff\xfd\x01hi\n"], ids=["CR LF", "a command"])
    async def test_gets_cr_lf(self, sign: bytes) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.writer.write(sign)
            assert await bob.raw() == b"Ann: hi\n"
            bob.send("hello")
            assert await ann.raw() == b"Bob: hello\r\n"
            chat.server.say("both")
            assert await ann.raw() == b"Operator: both\r\n"
            assert await bob.raw() == b"Operator: both\n"

    async def test_is_answered_each_timing_mark_and_nothing_else(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            ann.writer.write(b"\xff\xfb\x1f" + IAC_DO_TIMING_MARK * 2 + b"/list\r\n")
            assert await ann.raw() == IAC_WONT_TIMING_MARK * 2 + b"No other users connected\r\n"
            ann.writer.write(IAC_DO_TIMING_MARK + b"/list\r\n")
            assert await ann.raw() == IAC_WONT_TIMING_MARK + b"No other users connected\r\n"


class TestLeaving:
    async def left(self, chat: Chat, name: str, reason: LeaveReason) -> None:
        """`name` leaves for this reason, and once."""
        event = await chat.event(Left)
        assert (event.name, event.reason) == (name, reason)
        assert not [event for event in chat.events if isinstance(event, Left)]

    async def test_by_quit_gets_the_goodbye_and_the_end(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.send("last words", "/quit", "never said")
            assert await ann.rest() == [GOODBYE]
            assert await bob.until("Ann has left the server.") == [
                "Ann: last words",
                "Ann has left the server.",
            ]
            await self.left(chat, "Ann", LeaveReason.QUIT)

    @pytest.mark.parametrize("last", [b"/list\n", b"/list"], ids=["complete", "unfinished"])
    async def test_by_end_of_input_runs_the_last_line_first(self, last: bytes) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.writer.write(last)
            ann.end()
            assert await ann.rest() == [f"{bob.address} as Bob", GOODBYE]
            assert await bob.line() == "Ann has left the server."
            await self.left(chat, "Ann", LeaveReason.END_OF_INPUT)

    async def test_by_end_of_input_closes_the_connection_at_once(self) -> None:
        async with open_chat(close_grace=60.0, stop_grace=60.0) as chat:
            (ann,) = await chat.gather("Ann")
            ann.end()
            assert await ann.rest() == [GOODBYE]
            await asyncio.wait_for(chat.server.stop(), BOUND)

    async def test_by_end_of_input_behind_a_quit_leaves_once(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.writer.write(b"/quit")
            ann.end()
            assert await ann.rest() == [GOODBYE]
            assert await bob.line() == "Ann has left the server."
            await self.left(chat, "Ann", LeaveReason.QUIT)

    async def test_by_a_lost_connection_is_told_to_the_others(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.reset()
            assert await bob.line() == "Ann has left the server."
            await self.left(chat, "Ann", LeaveReason.LOST)

    async def test_by_quit_and_closing_at_once_is_a_quit(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.send("/quit")
            ann.close()
            assert await bob.line() == "Ann has left the server."
            await self.left(chat, "Ann", LeaveReason.QUIT)

    async def test_by_a_kick_is_immediate_even_if_the_client_reads_nothing(self) -> None:
        async with open_chat(close_grace=60.0) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.stop_reading()
            chat.server.operate("/kick Ann")
            assert [member.name for member in chat.server.members] == ["Bob"]
            await self.left(chat, "Ann", LeaveReason.KICKED)
            ann.send("never said")
            bob.send("/list")
            assert await bob.until("No other users connected") == [
                "Ann has left the server.",
                "No other users connected",
            ]

    async def test_by_a_kick_always_gets_the_last_line_though_unread_input_waits(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            for _ in range(20):
                ann.writer.write(b"x" * 2000 + b"\n")
                ann.writer.write(b"x" * 200_000)
            await bob.line()
            chat.server.operate("/kick Ann")
            ann.writer.write(b"x" * 2_000_000)
            lines = await ann.rest()
            assert lines[-1] == GOODBYE
            assert set(lines) <= {"Message too long (max 2048 bytes)", GOODBYE}

    async def test_does_not_wait_longer_than_the_grace_for_a_client_that_never_closes(self) -> None:
        async with open_chat(close_grace=0.05) as chat:
            (ann,) = await chat.gather("Ann")
            ann.send("/quit")
            assert await ann.rest() == [GOODBYE]
            await ann.cut_off()

    async def test_is_cut_when_the_client_does_not_take_what_is_left_for_it(self) -> None:
        async with open_chat(close_grace=0.05, max_backlog=1 << 24) as chat:
            ann = await chat.connect(receive_buffer=4096)
            ann.stop_reading()
            await chat.event(Joined)
            for _ in range(4000):  # more than the system holds back for anybody
                chat.server.say("x" * 2000)
            chat.server.operate(f"/kick {ann.address}")
            await self.left(chat, ann.address, LeaveReason.KICKED)
            await ann.cut_off()


async def test_a_reader_that_pauses_within_its_backlog_loses_nothing() -> None:
    async with open_chat(max_backlog=1 << 24) as chat:
        ann, bob = await chat.gather("Ann", "Bob")
        ann.stop_reading()
        texts = [f"{number} " + "x" * 2000 for number in range(4000)]  # more than the system holds back
        for text in texts:
            chat.server.say(text)
        assert (await bob.until(f"Operator: {texts[-1]}"))[0] == f"Operator: {texts[0]}"
        ann.go_on_reading()
        assert await ann.until(f"Operator: {texts[-1]}") == [f"Operator: {text}" for text in texts]


async def test_a_slow_reader_is_dropped_and_the_rest_do_not_notice() -> None:
    async with open_chat(max_backlog=100_000) as chat:
        slow = await chat.connect(receive_buffer=4096)
        slow.stop_reading()
        await chat.event(Joined)
        ann, bob = await chat.gather("Ann", "Bob")
        said: list[str] = []
        heard: list[str] = []
        async with asyncio.timeout(BOUND):
            while not any(isinstance(event, Left) for event in chat.events):
                lines = [f"{len(said) + more} " + "x" * 2000 for more in range(10)]
                said += [f"Bob: {line}" for line in lines]
                bob.send(*lines)
                heard += await ann.until(said[-1])
        left = await chat.event(Left)
        assert (left.name, left.reason) == (slow.address, LeaveReason.SLOW)
        bob.send("and on")
        heard += await ann.until("Bob: and on")
        notice = f"{slow.address} has left the server."
        heard.remove(notice)
        assert heard == [*said, "Bob: and on"]
        assert await bob.line() == notice


class TestFailing:
    async def test_costs_the_one_client_and_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with open_chat() as chat:
            ann, bob, cid = await chat.gather("Ann", "Bob", "Cid")
            receive = chat.server.room.receive

            def fail(member: Any, lines: Any) -> None:
                if "boom" in lines:
                    raise RuntimeError("this cannot be")
                receive(member, lines)

            monkeypatch.setattr(chat.server.room, "receive", fail)
            ann.send("boom")
            assert await bob.line() == "Ann has left the server."
            failed = await chat.event(Failed)
            assert (failed.where, failed.error) == ("Ann", "RuntimeError: this cannot be")
            assert (await chat.event(Left)).reason is LeaveReason.FAILED
            assert await ann.rest() == []
            bob.send("hello")
            assert await cid.until("Bob: hello") == ["Ann has left the server.", "Bob: hello"]

    async def test_costs_the_one_client_also_at_the_end_of_its_input(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            monkeypatch.setattr(chat.server.room, "receive", None)
            ann.end()
            assert await bob.line() == "Ann has left the server."
            assert (await chat.event(Failed)).where == "Ann"
            assert (await chat.event(Left)).reason is LeaveReason.FAILED

    async def test_to_tell_of_a_lost_connection_is_reported_and_the_connection_is_gone(self) -> None:
        async with open_chat(stop_grace=60.0) as chat:
            (ann,) = await chat.gather("Ann")

            def fail(event: Event) -> None:
                if isinstance(event, Left):
                    raise RuntimeError("this cannot be")

            chat.server.subscribe(fail)
            ann.reset()
            assert (await chat.event(Failed)).where == "Ann"
            await asyncio.wait_for(chat.server.stop(), BOUND)

    async def test_costs_the_one_client_also_when_it_joins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            with monkeypatch.context() as patch:
                patch.setattr(chat.server.room, "join", None)
                bob = await chat.connect()
                assert (await chat.event(Failed)).where == bob.address
            ann.send("/list")
            assert await ann.line() == "No other users connected"


class FakeTransport(asyncio.Transport):
    def __init__(self, peername: tuple[Any, ...]) -> None:
        super().__init__({"peername": peername})


class TestAddress:
    @pytest.mark.parametrize(
        ("peername", "address"),
        [
            (("127.0.0.1", 41050), "127.0.0.1|41050"),
            (("::1", 41050, 0, 0), "::1|41050"),
            (("::ffff:127.0.0.1", 41050, 0, 0), "127.0.0.1|41050"),
            (("::ffff:0:0", 41050, 0, 0), "::ffff:0:0|41050"),
            (("fe80::1%eth0", 41050, 0, 2), "fe80::1%eth0|41050"),
        ],
    )
    def test_is_ip_and_port_with_mapped_ipv4_shown_as_ipv4(
        self, peername: tuple[Any, ...], address: str
    ) -> None:
        assert _address(FakeTransport(peername)) == address

    @pytest.mark.skipif(not ipv6, reason="no IPv6 here")
    async def test_of_either_kind_reaches_a_server_that_listens_on_all(self) -> None:
        async with open_chat(hosts=("::",)) as chat:
            four = await chat.connect("127.0.0.1")
            assert await four.line() == f"Welcome {four.address} to the server!"
            assert four.address.startswith("127.0.0.1|")
            six = await chat.connect("::1")
            assert await six.line() == f"Welcome {six.address} to the server!"
            assert six.address.startswith("::1|")


async def test_what_a_client_says_reaches_the_operators_side() -> None:
    async with open_chat() as chat:
        (ann,) = await chat.gather("Ann")
        ann.send("one", "two")
        said = await chat.event(Said)
        assert (said.name, said.texts) == ("Ann", ("one", "two"))
