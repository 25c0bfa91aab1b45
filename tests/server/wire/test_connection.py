"""One client and its connection, with real sockets: lines in, lines out, and every way it can end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from support.certificates import Pair
from support.chat_clients import Chat, Client, Clock, open_chat
from support.waiting import BOUND

from chat_console.server.addresses import Address
from chat_console.server.room.entries import Entry, Join, Leave, Lines
from chat_console.server.room.events import Failed, Joined, LeaveReason, Left, Said
from chat_console.server.wire import searches

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
            ann.send("x" * 5000, "next")
            assert await ann.line() == "Message too long (max 2048 bytes)"
            assert await bob.line() == "Ann: next"

    @pytest.mark.parametrize(
        "separator",
        [
            b"\r",
            b"\r\0",
            b"\n",
            b"\0",
            b"\v",
            b"\f",
            b"\x1c",
            b"\x85",
            b"\xc2\x85",
            b"\xe2\x80\xa8",
            b"\x1b[1E",
        ],
    )
    async def test_a_line_cannot_pass_for_somebody_elses(self, separator: bytes) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.writer.write(b"hi" + separator + b"Operator: I am the owner\nend\n")
            data = b""
            while not data.endswith(b"Ann: end\n"):
                data += await bob.raw()
            text = data.decode()
            assert all(line.startswith("Ann: ") for line in text.splitlines())
            assert text.replace("\n", "").isprintable()


class TestTelnet:
    @pytest.mark.parametrize("sign", [b"hi\r\n", b"\xff\xfd\x01hi\n"], ids=["CR LF", "a command"])
    async def test_gets_cr_lf(self, sign: bytes) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.writer.write(sign)
            assert await bob.raw() == b"Ann: hi\n"
            bob.send("hello")
            assert await ann.raw() == b"Bob: hello\r\n"
            chat.operator.say("both")
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
            chat.operator.operate("/kick Ann")
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
            chat.operator.operate("/kick Ann")
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
                chat.operator.say("x" * 2000)
            chat.operator.operate(f"/kick {ann.address}")
            await self.left(chat, ann.address, LeaveReason.KICKED)
            await ann.cut_off()


async def test_a_reader_that_pauses_within_its_backlog_loses_nothing() -> None:
    async with open_chat(max_backlog=1 << 24) as chat:
        ann, bob = await chat.gather("Ann", "Bob")
        ann.stop_reading()
        texts = [f"{number} " + "x" * 2000 for number in range(4000)]  # more than the system holds back
        for text in texts:
            chat.operator.say(text)
        assert (await bob.until(f"Operator: {texts[-1]}"))[0] == f"Operator: {texts[0]}"
        ann.go_on_reading()
        assert await ann.until(f"Operator: {texts[-1]}") == [f"Operator: {text}" for text in texts]


async def test_a_slow_reader_is_dropped_and_the_rest_do_not_notice() -> None:
    async with open_chat(max_backlog=100_000, rate=0) as chat:
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


def waiting(chat: Chat) -> int:
    """How many bytes wait for the first who came."""
    details = chat.server.details(1)
    assert details
    assert details.waiting is not None
    return details.waiting


class TestLengthyAnswers:
    """A room of 300, each `/list` some 12 kB long, and a quarter of the backlog 25 kB."""

    async def chat_with_a_crowd(self, chat: Chat) -> Client:
        for number in range(300):  # who have no connection
            chat.server.chat.submit(Join(0.0, -number, Address("10.0.0.1", number)))
        return await chat.connect(receive_buffer=4096)

    async def test_wait_until_those_before_are_read_and_drop_nobody(self) -> None:
        async with open_chat(max_backlog=100_000, rate=0) as chat:
            ann = await self.chat_with_a_crowd(chat)
            ann.stop_reading()
            ann.send(*["/list"] * 1000, "done")
            await chat.until(lambda: waiting(chat) > 25_000)
            for _ in range(100):
                await asyncio.sleep(0)
            assert waiting(chat) < 50_000
            assert not any(isinstance(event, Said) for event in chat.events)
            ann.go_on_reading()
            lines = (await ann.until("10.0.0.1|299 as 10.0.0.1|299"))[-300:]
            assert lines[0] == "10.0.0.1|0 as 10.0.0.1|0"
            listing = "".join(f"{line}\n" for line in lines).encode()
            async with asyncio.timeout(BOUND):
                for _ in range(999):
                    assert await ann.reader.readexactly(len(listing)) == listing
            assert (await chat.event(Said)).texts == ("done",)

    async def test_keep_no_line_from_being_heard_of_one_who_is_gone_and_read_nothing(self) -> None:
        async with open_chat(max_backlog=100_000, rate=0) as chat:
            ann = await self.chat_with_a_crowd(chat)
            ann.stop_reading()
            ann.send(*["/list"] * 1000, "done")
            await chat.until(lambda: waiting(chat) > 25_000)
            ann.reset()
            assert (await chat.event(Said)).texts == ("done",)
            assert (await chat.event(Left)).reason is LeaveReason.LOST


class TestSearches:
    """In a room of 1,300, in which a search takes at least twenty turns."""

    @pytest.fixture(autouse=True)
    def short_slices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searches, "SLICE", -1.0)

    FOUND = "10.0.0.1|1299 as 10.0.0.1|1299"

    async def one_in_a_crowd(self, chat: Chat) -> Client:
        for number in range(1300):  # who have no connection
            chat.server.chat.submit(Join(0.0, -number, Address("10.0.0.1", number)))
        ann = await chat.connect()
        await ann.line()
        return ann

    async def test_are_answered_in_order(self) -> None:
        async with open_chat(rate=0) as chat:
            ann = await self.one_in_a_crowd(chat)
            ann.send("/list |1299", "/nick Ann", "/list nobody", "hello", "/help me")
            lines = [await ann.line() for _ in range(4)]
            assert lines == [self.FOUND, "You are now Ann", "No other users with nobody", "Usage: /help"]
            assert (await chat.event(Said)).texts == ("hello",)

    @pytest.mark.parametrize("line", [b"/list |1299\n", b"/list |1299"])
    async def test_are_answered_before_their_author_leaves(self, line: bytes) -> None:
        async with open_chat() as chat:
            ann = await self.one_in_a_crowd(chat)
            ann.writer.write(line)
            ann.writer.write_eof()
            assert await ann.rest() == [self.FOUND, GOODBYE]

    async def test_hold_nobody_else_up(self) -> None:
        async with open_chat() as chat:
            ann = await self.one_in_a_crowd(chat)
            bob = await chat.connect()
            ann.send("/list |1299")
            bob.send("hello")
            lines = await ann.until(self.FOUND)
            assert lines[0] == f"Welcome {bob.address} to the server!"

    async def test_hold_up_what_follows_while_they_wait_for_their_turn(self) -> None:
        async with open_chat(rate=0) as chat:
            ann = await self.one_in_a_crowd(chat)
            submit, late = chat.server.chat.submit, list[Entry]()

            def submit_later(entry: Entry) -> None:
                if isinstance(entry, Lines) and entry.lines[0] == "/list |1299":
                    late.append(entry)
                else:
                    submit(entry)

            chat.server.chat.submit = submit_later
            ann.send("/list |1299", "/nick Ann")
            await chat.until(lambda: bool(late))
            (connection,) = chat.server._connections._open.values()
            connection._has_moved()  # as when the client has read something
            for _ in range(100):
                await asyncio.sleep(0)
            assert chat.server.chat.room.roster.find("Ann") == []
            submit(late[0])
            assert [await ann.line(), await ann.line()] == [self.FOUND, "You are now Ann"]

    async def test_are_given_up_when_their_author_is_dropped(self) -> None:
        async with open_chat() as chat:
            ann = await self.one_in_a_crowd(chat)
            submit = chat.server.chat.submit

            def submit_and_kick(entry: Entry) -> None:
                submit(entry)
                if isinstance(entry, Lines):
                    chat.operator.kick(ann.address)

            chat.server.chat.submit = submit_and_kick
            ann.send("/list |1299", "/help me")
            assert await ann.rest() == [GOODBYE]
            assert not any(isinstance(event, Failed) for event in chat.events)


async def test_who_comes_in_one_moment_with_others_has_a_turn_of_its_own(clock: Clock) -> None:
    async with open_chat(burst=1, rate=0.01, read_slice=0) as chat:
        clients = [await chat.connect() for _ in range(5)]
        await chat.until(lambda: len(chat.server.members) == 5)
        for client in clients:
            client.send("one", "two")
        await chat.until(lambda: said(chat) == ["one"] * 5)
        await chat.pass_time(clock, 100)
        await chat.until(lambda: said(chat) == ["one"] * 5 + ["two"] * 5)
        chat.server.abort()
        await chat.until(lambda: sum(isinstance(event, Left) for event in chat.events) == 5)


def said(chat: Chat) -> list[str]:
    return [text for event in chat.events if isinstance(event, Said) for text in event.texts]


class TestFloodControl:
    """A line comes each 100 s, where the clock is not put forward: what comes meanwhile has not waited."""

    LIMITS: ClassVar[dict[str, Any]] = {"burst": 20, "rate": 0.01}

    async def gather(self, chat: Chat, clock: Clock) -> list[Client]:
        """Ann, who has been quiet for long, and Bob, who has read all."""
        clients = await chat.gather("Ann", "Bob")
        await chat.pass_time(clock, 1e6)
        return clients

    async def so_far(self, chat: Chat, client: Client) -> list[str]:
        """What has come for `client` until now."""
        chat.operator.say("so far")
        return (await client.until("Operator: so far"))[:-1]

    async def test_lets_a_burst_through_at_once_and_then_each_line_in_its_turn(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            lines = [f"Ann: {number}" for number in range(26)]
            ann.send(*(str(number) for number in range(25)))
            assert await bob.line() == lines[0]
            assert await self.so_far(chat, bob) == lines[1:20]
            ann.send("25")
            for line in lines[20:]:
                await chat.pass_time(clock, 99)
                assert await self.so_far(chat, bob) == []
                await chat.pass_time(clock, 1)
                assert await bob.line() == line
            await chat.pass_time(clock, 1e6)
            assert await self.so_far(chat, bob) == []

    async def test_lets_a_burst_through_again_after_a_quiet_time(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            for _ in range(2):
                ann.send(*["hello"] * 20)
                for _ in range(20):
                    assert await bob.line() == "Ann: hello"
                await chat.pass_time(clock, 20 * 100)

    async def test_counts_a_change_of_nickname_as_three_lines(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*(f"/nick Ann{number}" for number in range(7)), "hello")
            assert await bob.line() == "Ann is now Ann0"
            assert await self.so_far(chat, bob) == [f"Ann{at} is now Ann{at + 1}" for at in range(5)]
            await chat.pass_time(clock, 99)  # two are left of the burst
            assert await self.so_far(chat, bob) == []
            await chat.pass_time(clock, 1)
            assert await self.so_far(chat, bob) == ["Ann5 is now Ann6"]
            await chat.pass_time(clock, 100)
            assert await bob.line() == "Ann6: hello"

    async def test_counts_a_line_that_is_too_long_and_a_command_that_is_unknown(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*["x" * 2100] * 3, *["/foo"] * 17, "hello")
            answers = ["Message too long (max 2048 bytes)"] * 3 + ["Unknown command /foo. Type /help."] * 17
            assert [await ann.line() for _ in answers] == answers
            assert await self.so_far(chat, bob) == []
            await chat.pass_time(clock, 100)
            assert await bob.line() == "Ann: hello"

    async def test_concerns_nobody_else(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*["x"] * 100)
            assert await bob.line() == "Ann: x"
            bob.send("hello")
            assert await ann.line() == "Bob: hello"

    async def test_is_off_with_a_rate_of_0(self) -> None:
        async with open_chat(burst=1, rate=0) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.send(*["x"] * 1000)
            for _ in range(1000):
                assert await bob.line() == "Ann: x"

    async def test_drops_and_reorders_nothing_however_much_comes(self) -> None:
        async with open_chat(burst=10, rate=5000) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            count = 1500
            ann.send(*(f"/msg Bob {number}" if number % 7 == 0 else f"{number}" for number in range(count)))
            expected = [
                f"Ann(private): {number} " if number % 7 == 0 else f"Ann: {number}" for number in range(count)
            ]
            assert [await bob.line() for _ in range(count)] == expected

    async def test_answers_the_ctrl_c_of_a_telnet_in_its_turn(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*["x"] * 21)
            await bob.line()
            ann.writer.write(IAC_DO_TIMING_MARK)
            await chat.pass_time(clock, 100)
            async with asyncio.timeout(BOUND):
                assert await ann.reader.readexactly(3) == IAC_WONT_TIMING_MARK

    async def test_counts_bytes_too_and_leaves_unread_what_is_above_them(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            texts = [f"{number}" + "x" * 2000 for number in range(8)]
            ann.send(*texts)
            for text in texts[:4]:
                assert await bob.line() == f"Ann: {text}"
            assert await self.so_far(chat, bob) == []
            await chat.pass_time(clock, 4 * 100)  # four lines, and 1,638 bytes
            assert await self.so_far(chat, bob) in ([], [f"Ann: {texts[4]}"])
            await chat.pass_time(clock, 1e6)
            for text in texts[4:]:
                while (line := await bob.line()) != f"Ann: {text}":
                    assert line == f"Ann: {texts[4]}"

    @pytest.mark.parametrize(
        "nothing", [b"\x07\n", b"\x1b\r", b"\n", b"\r\n", b"\xff\xf1\n", b"\xe2\x80\x8b\n"]
    )
    async def test_counts_lines_of_which_nothing_is_left(self, clock: Clock, nothing: bytes) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.writer.write(nothing * 20 + b"hello\n")
            bob.send("tick")
            await ann.until("Bob: tick")
            assert await self.so_far(chat, bob) == []
            await chat.pass_time(clock, 100)
            assert await bob.line() == "Ann: hello"

    async def test_counts_telnet_commands_byte_by_byte(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.writer.write(b"\xff\xf1" * 8000 + b"hello\n")
            bob.send("tick")
            await ann.until("Bob: tick")
            assert await self.so_far(chat, bob) == []
            for _ in range(4):
                await chat.pass_time(clock, 2000)
            assert await bob.line() == "Ann: hello"

    @pytest.mark.parametrize("way", ["end", "close", "reset"])
    async def test_lets_all_be_heard_of_a_client_that_is_gone(self, clock: Clock, way: str) -> None:
        async with open_chat(**self.LIMITS, held_grace=86_400) as chat:
            ann, bob = await self.gather(chat, clock)
            lines = [f"Ann: {number}" for number in range(30)]
            ann.send(*map(str, range(30)))
            getattr(ann, way)()
            for line in lines[:20]:
                assert await bob.line() == line
            for line in lines[20:]:
                chat.operator.say("x")  # which nobody at Ann's end takes
                assert await self.so_far(chat, bob) == ["Operator: x"]
                await chat.pass_time(clock, 100)
                assert await bob.line() == line
            assert await bob.line() == "Ann has left the server."

    @pytest.mark.parametrize("way", ["end", "reset"])
    @pytest.mark.parametrize("count", [30, 3000], ids=["all read", "most unread"])
    async def test_ends_60_s_after_a_client_and_the_operator_is_told_what_was_dropped(
        self, clock: Clock, way: str, count: int
    ) -> None:
        async with open_chat(burst=20, rate=0.1) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*map(str, range(count)))
            getattr(ann, way)()
            heard = await bob.until("Ann: 19")
            for _ in range(5):
                await chat.pass_time(clock, 10)
                heard.append(await bob.line())
            assert len(chat.server.members) == 2
            await chat.pass_time(clock, 10)
            heard += (await bob.until("Ann has left the server."))[:-1]
            assert heard == [f"Ann: {number}" for number in range(len(heard))]
            assert len(heard) in (25, 26)  # the last one has its turn just when the 60 s are over
            remark = f"{count - len(heard)} lines over its rate limit dropped"
            assert (await chat.event(Left)).remark == remark

    async def test_counts_what_it_drops_of_a_client_over_tls_by_its_text(
        self, clock: Clock, pair: Pair
    ) -> None:
        served: Any = {"tls_cert": pair.cert, "tls_key": pair.key, "context": pair.client_context()}
        async with open_chat(burst=20, rate=0.001, held_grace=0.5, **served) as chat:
            ann, bob = await self.gather(chat, clock)
            for number in range(1000):
                ann.send(str(number))  # each is a record of its own
            ann.writer.transport.abort()  # without waiting for the server's own end
            assert (await bob.until("Ann: 19"))[0] == "Ann: 0"
            assert (await chat.event(Left)).remark == "980 lines over its rate limit dropped"

    async def test_gives_every_line_its_turn_before_a_client_leaves_whose_input_has_ended(
        self, clock: Clock
    ) -> None:
        async with open_chat(**self.LIMITS, held_grace=86_400) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*(str(number) for number in range(22)))
            ann.writer.write(b"unfinished")
            ann.end()
            for number in range(20):
                assert await bob.line() == f"Ann: {number}"
            for line in ("Ann: 20", "Ann: 21", "Ann: unfinished"):
                assert await self.so_far(chat, bob) == []
                await chat.pass_time(clock, 100)
                assert await bob.line() == line
            assert await bob.line() == "Ann has left the server."
            assert (await chat.event(Left)).reason is LeaveReason.END_OF_INPUT
            assert (await ann.rest())[-1] == GOODBYE

    async def test_lets_what_stands_behind_a_quit_wait_for_nothing(self, clock: Clock) -> None:
        async with open_chat(**self.LIMITS, held_grace=86_400) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*["x"] * 20, "/quit", *["y"] * 20)
            ann.end()
            for _ in range(20):
                assert await bob.line() == "Ann: x"
            await chat.pass_time(clock, 100)
            assert await bob.line() == "Ann has left the server."
            assert (await chat.event(Left)).reason is LeaveReason.QUIT
            await chat.pass_time(clock, 1e6)
            assert await self.so_far(chat, bob) == []

    @pytest.mark.parametrize("count", [60, 600], ids=["read", "not read"])
    async def test_does_not_hold_up_a_kick(self, clock: Clock, count: int) -> None:
        async with open_chat(**self.LIMITS, max_clients=2) as chat:
            ann, bob = await self.gather(chat, clock)
            ann.send(*["x" * 99] * count)
            heard = [await bob.line() for _ in range(20)]
            chat.operator.operate("/kick Ann")
            assert (await ann.rest())[-1] == GOODBYE
            ann.close()
            cid = await chat.connect()
            while (line := await cid.line()) == "Server is full":  # until there is nothing left of Ann
                cid = await chat.connect()
            await chat.pass_time(clock, 1e6)
            heard += await self.so_far(chat, bob)
            assert heard == [*["Ann: " + "x" * 99] * 20, "Ann has left the server.", line]


def client_hello() -> bytes:
    """What a client of TLS sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="chat.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


class TestForeignProtocol:
    @pytest.mark.parametrize(
        "data",
        [
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1234\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 25\r\n\r\n/nick Eve\nI am the owner!\n",
            b"OPTIONS * HTTP/1.0\n",
            b"CONNECT example.com:443 HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\r\n\r\nGET / HTTP/1.1\r\n",
            b"POST /" + b"x" * 3000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n/nick Eve\nhello\n",
            b"POST http://127.0.0.1:1234/" + b"x" * 2048,
            client_hello(),
        ],
        ids=["GET", "POST", "OPTIONS", "CONNECT", "HTTP 2", "blank lines", "long", "long in pieces", "TLS"],
    )
    async def test_is_closed_and_nothing_of_it_is_said(self, data: bytes) -> None:
        async with open_chat() as chat:
            (bob,) = await chat.gather("Bob")
            other = await chat.connect()
            other.writer.write(data)
            assert await other.rest() == [f"Welcome {other.address} to the server!", GOODBYE]
            assert [await bob.line() for _ in range(2)] == [
                f"Welcome {other.address} to the server!",
                f"{other.address} has left the server.",
            ]
            assert [type(event) for event in chat.events] == [Joined, Left]
            assert (await chat.event(Left)).reason is LeaveReason.FOREIGN

    async def test_is_known_also_in_pieces(self) -> None:
        async with open_chat() as chat:
            (bob,) = await chat.gather("Bob")
            other = await chat.connect()
            await bob.line()
            for piece in (b"GE", b"T /index.html HT"):
                other.writer.write(piece)
                bob.send("tick")  # each piece is a read of its own
                await other.until("Bob: tick")
            other.writer.write(b"TP/1.1\r\nHost: x\r\n")
            assert await other.rest() == [GOODBYE]
            assert await bob.line() == f"{other.address} has left the server."
            assert (await chat.event(Left)).reason is LeaveReason.FOREIGN

    @pytest.mark.parametrize(
        "lines",
        [
            ["GET READY", "HTTP/1.1 is old"],
            ["get / HTTP/1.1"],
            ["hello", "GET / HTTP/1.1"],
            ["hello", "POST /" + "x" * 1500],
            ["I said GET / HTTP/1.1"],
        ],
    )
    async def test_is_not_seen_in_what_people_write(self, lines: list[str]) -> None:
        async with open_chat() as chat:
            (bob,) = await chat.gather("Bob")
            other = await chat.connect()
            await bob.line()
            other.send(*lines)
            assert [await bob.line() for _ in lines] == [f"{other.address}: {line}" for line in lines]

    async def test_is_doubted_for_no_longer_than_a_moment(self, clock: Clock) -> None:
        async with open_chat() as chat:
            (bob,) = await chat.gather("Bob")
            other = await chat.connect()
            await bob.line()
            other.send("PASS me")
            bob.send("tick")
            await other.until("Bob: tick")
            assert not [event for event in chat.events if isinstance(event, Said) and event.name != "Bob"]
            await chat.pass_time(clock, 2)
            assert await bob.line() == f"{other.address}: PASS me"
            other.send("NICK it")
            assert await bob.line() == f"{other.address}: NICK it"

    @pytest.mark.slow
    async def test_is_doubted_for_no_longer_also_where_the_rate_keeps_the_client_from_being_read(
        self,
    ) -> None:
        async with open_chat(burst=1, rate=100) as chat:
            (bob,) = await chat.gather("Bob")
            other = await chat.connect()
            await bob.line()
            other.send("PASS me")
            assert await bob.line() == f"{other.address}: PASS me"

    async def test_is_known_of_one_that_has_ended_its_input(self) -> None:
        async with open_chat() as chat:
            (bob,) = await chat.gather("Bob")
            other = await chat.connect()
            await bob.line()
            other.writer.write(b"GET /index.html")
            other.end()
            assert await bob.line() == f"{other.address} has left the server."
            assert (await chat.event(Left)).reason is LeaveReason.FOREIGN

    async def test_is_not_seen_in_a_first_line_that_is_too_long(self) -> None:
        async with open_chat() as chat:
            other = await chat.connect()
            other.send("x" * 5000, "/list")
            assert [await other.line() for _ in range(3)] == [
                f"Welcome {other.address} to the server!",
                "Message too long (max 2048 bytes)",
                "No other users connected",
            ]


class TestStalledReader:
    async def test_is_dropped_after_its_time(self, clock: Clock) -> None:
        async with open_chat(stall_timeout=20) as chat:
            slow = await chat.connect(receive_buffer=4096)
            slow.stop_reading()
            await chat.event(Joined)
            (bob,) = await chat.gather("Bob")
            await chat.fill(1)
            for _ in range(3):
                await chat.pass_time(clock, 5)
                assert len(chat.server.members) == 2
            await chat.pass_time(clock, 5)
            await chat.pass_time(clock, 5)
            assert (await chat.event(Left)).reason is LeaveReason.STALLED
            assert await bob.line() == f"{slow.address} has left the server."

    async def test_has_its_time_anew_whenever_it_reads(self, clock: Clock) -> None:
        async with open_chat(stall_timeout=20, max_backlog=1 << 24) as chat:
            slow = await chat.connect(receive_buffer=4096)
            slow.stop_reading()
            await chat.event(Joined)
            for _ in range(4000):  # in one write, and more than the system holds back for anybody
                chat.operator.message(1, "x" * 2000)
            await chat.pass_time(clock, 0)
            for _ in range(5):
                before = waiting(chat)
                slow.go_on_reading()
                while waiting(chat) >= before:
                    await slow.line()
                slow.stop_reading()
                for _ in range(3):
                    await chat.pass_time(clock, 5)
            assert len(chat.server.members) == 1

    async def test_that_catches_up_is_forgiven(self, clock: Clock) -> None:
        async with open_chat(stall_timeout=20) as chat:
            slow = await chat.connect(receive_buffer=4096)
            slow.stop_reading()
            await chat.event(Joined)
            await chat.fill(1)
            await chat.pass_time(clock, 15)
            slow.go_on_reading()
            chat.operator.say("all read")
            await slow.until("Operator: all read")
            await chat.until(lambda: not waiting(chat))
            for _ in range(10):
                await chat.pass_time(clock, 10)
            assert len(chat.server.members) == 1

    @pytest.mark.parametrize("seconds", [50, 61])
    async def test_is_not_watched_any_more_once_it_is_out_of_the_room(
        self, clock: Clock, seconds: int
    ) -> None:
        async with open_chat(stall_timeout=20, close_grace=60) as chat:
            slow = await chat.connect(receive_buffer=4096)
            slow.stop_reading()
            await chat.event(Joined)
            await chat.fill(1)
            chat.operator.kick(1)
            assert (await chat.event(Left)).reason is LeaveReason.KICKED
            for _ in range(seconds):
                await chat.pass_time(clock, 1)
            if seconds < 60:
                slow.go_on_reading()
                assert (await slow.rest())[-1] == GOODBYE
            else:
                await slow.cut_off()


class TestFailing:
    """Whatever applies the entries raises an error that nobody has thought of."""

    def fail_on(
        self, chat: Chat, monkeypatch: pytest.MonkeyPatch, kind: type[Entry], line: str | None = None
    ) -> None:
        """Let this kind of entry fail, of lines only those among which `line` is."""
        submit = chat.server.chat.submit

        def fail(entry: Entry) -> None:
            if isinstance(entry, kind) and (
                line is None or (isinstance(entry, Lines) and line in entry.lines)
            ):
                raise RuntimeError("this cannot be")
            submit(entry)

        monkeypatch.setattr(chat.server.chat, "submit", fail)

    async def test_costs_the_one_client_and_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with open_chat() as chat:
            ann, bob, cid = await chat.gather("Ann", "Bob", "Cid")
            self.fail_on(chat, monkeypatch, Lines, "boom")
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
            self.fail_on(chat, monkeypatch, Lines)
            ann.writer.write(b"unfinished")
            ann.end()
            assert await bob.line() == "Ann has left the server."
            assert (await chat.event(Failed)).where == "Ann"
            assert (await chat.event(Left)).reason is LeaveReason.FAILED

    async def test_to_tell_of_a_lost_connection_is_reported_and_the_connection_is_gone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_chat(stop_grace=60.0) as chat:
            (ann,) = await chat.gather("Ann")
            submit = chat.server.chat.submit

            def fail(entry: Entry) -> None:
                submit(entry)
                if isinstance(entry, Leave):
                    monkeypatch.undo()
                    raise RuntimeError("this cannot be")

            monkeypatch.setattr(chat.server.chat, "submit", fail)
            ann.reset()
            # The member is gone, and with it its name.
            assert (await chat.event(Failed)).where == ann.address
            await asyncio.wait_for(chat.server.stop(), BOUND)

    async def test_costs_the_one_client_also_when_it_joins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            with monkeypatch.context() as patch:
                self.fail_on(chat, patch, Join)
                bob = await chat.connect()
                assert (await chat.event(Failed)).where == bob.address
            ann.send("/list")
            assert await ann.line() == "No other users connected"


async def test_what_a_client_says_reaches_the_operators_side() -> None:
    async with open_chat() as chat:
        (ann,) = await chat.gather("Ann")
        ann.send("one", "two")
        said = await chat.event(Said)
        assert (said.name, said.texts) == ("Ann", ("one", "two"))


class LateOrder:
    """An order that applies entries when it is told to, and is full when it is told so."""

    def __init__(self, chat: Chat) -> None:
        self.inner = chat.server.chat
        self.entries: list[Entry] = []
        self.is_full = False
        self.waiting: list[Callable[[], object]] = []
        self.inner.order, self.inner.submit = self, self.submit

    def submit(self, entry: Entry) -> None:
        self.entries.append(entry)

    def when_done(self, call: Callable[[], object]) -> None:
        raise NotImplementedError

    def when_free(self, call: Callable[[], object]) -> None:
        self.waiting.append(call)

    def apply(self) -> None:
        """Apply what waits, and from now on each at once."""
        self.inner.submit = self.inner.room.apply
        for entry in self.entries:
            self.inner.room.apply(entry)

    def empty(self) -> None:
        self.is_full = False
        for call in self.waiting:
            call()


class TestLateOrder:
    """Entries are applied later than they are submitted."""

    async def test_answers_once_they_are_applied(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            order = LateOrder(chat)
            ann.send("hello", "/list", "/quit", "ignored")
            await chat.until(lambda: order.entries)
            order.apply()
            assert await bob.line() == "Ann: hello"
            assert await ann.rest() == [f"{bob.address} as Bob", GOODBYE]

    async def test_lets_a_client_that_has_ended_its_input_wait_for_its_turn_to_leave(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            order = LateOrder(chat)
            ann.end()
            await chat.until(lambda: order.entries)
            bob.send("still here")
            await chat.until(lambda: len(order.entries) == 2)
            leave, _ = order.entries
            assert isinstance(leave, Leave)
            assert leave.reason is LeaveReason.END_OF_INPUT
            order.entries.reverse()
            order.apply()
            assert await ann.rest() == ["Bob: still here", GOODBYE]
            assert await bob.line() == "Ann has left the server."

    async def test_takes_nothing_more_of_a_client_that_is_to_leave(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            order = LateOrder(chat)
            chat.server.chat.now = lambda: 0.0
            ann.writer.write(b"/list\nGET / HTTP/1.1\r\nHost: chat\r\n\r\n")
            eve = await chat.connect()
            eve.writer.write(b"GET / HTTP/1.1\r\nHost: " + b"x" * 9000 + b"\r\n\r\n")
            await chat.until(lambda: any(isinstance(entry, Leave) for entry in order.entries))
            before = len(order.entries)
            eve.writer.write(b"more\n" * (4 << 20))  # more than any buffer holds
            async with asyncio.timeout(BOUND):
                await eve.writer.drain()
            ann.send("and more")
            await chat.until(lambda: len(order.entries) > before)
            assert [type(entry) for entry in order.entries[before:]] == [Lines]
            order.apply()
            assert (await eve.rest())[-1:] == [GOODBYE]

    async def test_lets_one_leave_who_is_lost_while_waiting_for_that(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            order = LateOrder(chat)
            ann.end()
            await chat.until(lambda: order.entries)
            ann.reset()
            bob.send("hello")
            await chat.until(lambda: len(order.entries) > 1)
            order.apply()
            assert await bob.line() == "Ann has left the server."

    async def test_does_not_read_while_it_is_full_and_goes_on_when_it_is_not(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            order = LateOrder(chat)
            order.is_full = True
            ann.send("one")
            await chat.until(lambda: order.waiting)
            ann.send("two")
            ann.end()
            bob.send("three")
            await chat.until(lambda: len(order.waiting) == 2)
            assert order.entries == []
            order.empty()
            await chat.until(lambda: len(order.entries) == 4)
            order.apply()
            assert await bob.until("Ann has left the server.") == [
                "Ann: one",
                "Ann: two",
                "Ann has left the server.",
            ]

    async def test_sends_nothing_to_one_whose_connection_ended_before_it_joined(self) -> None:
        async with open_chat() as chat:
            order = LateOrder(chat)
            ann = await chat.connect()
            await chat.until(lambda: order.entries)
            ann.reset()
            await chat.until(lambda: len(order.entries) == 2)
            (join, leave) = order.entries
            assert isinstance(join, Join)
            assert isinstance(leave, Leave)
            chat.server.chat.outbox.close(join.member_id)
            connections = chat.server._connections  # pyright: ignore[reportPrivateUsage]
            await chat.until(lambda: connections.get(join.member_id) is None)
            order.apply()
            assert (await chat.event(Left)).reason is LeaveReason.LOST
