"""The plain console: what it prints of events and where, and stdin and stdout that cannot stall the chat."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from support.pipe_ends import Pipe
from support.waiting import BOUND

from chat_console.app import plain
from chat_console.app.plain import PlainConsole
from chat_console.app.streams import Printer
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.events import (
    LeaveReason,
    Left,
    Linked,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Refused,
    Replied,
    Said,
)
from chat_console.server.settings import Settings


class Streams:
    """Standard streams in place of those of the tests."""

    def __init__(self) -> None:
        self.input, self.output = Pipe(), Pipe()
        self.stdin = self.input.reader
        self.stdout = self.output.writer
        self.error = Pipe()
        self.stderr = self.error.writer


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Iterator[Streams]:
    streams = Streams()
    with closing(streams.input), closing(streams.output), closing(streams.error):
        monkeypatch.setattr(plain, "sys", streams)
        yield streams


class Session:
    """A served plain console: what it is given on stdin, and what it prints."""

    def __init__(self, streams: Streams) -> None:
        self.server = ChatServer(Settings(port=0))
        self.console = PlainConsole(self.server)
        self._streams = streams
        self._printed = asyncio.StreamReader()

    async def __aenter__(self) -> Session:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._printed), self._streams.output.reader
        )
        await self.server.start()
        self._serving = asyncio.create_task(self.console.serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.console.end()
        await self.ended()
        self._transport.close()

    def type(self, text: str) -> None:
        self._streams.input.writer.write(text.encode())

    def end_input(self) -> None:
        self._streams.input.writer.close()

    async def line(self) -> str:
        """The next line that it prints."""
        async with asyncio.timeout(BOUND):
            return (await self._printed.readline()).decode()

    async def ended(self) -> int:
        """The exit code, when it has ended."""
        async with asyncio.timeout(BOUND):
            return await self._serving


@pytest.fixture
async def session(streams: Streams) -> AsyncIterator[Session]:
    async with Session(streams) as session:
        yield session


class TestPlainConsole:
    async def test_it_prints_what_happens(self, session: Session) -> None:
        assert await session.line() == f"Server started on port {session.server.port}\n"
        _, writer = await asyncio.open_connection("127.0.0.1", session.server.port)
        assert (await session.line()).startswith("Welcome 127.0.0.1|")
        writer.write(b"/nick Ann\nhello\n")
        assert (await session.line()).endswith(" is now Ann\n")
        assert await session.line() == "Ann: hello\n"
        writer.close()
        await writer.wait_closed()
        assert await session.line() == "Ann has left the server.\n"

    async def test_it_prints_the_transcript_and_tells_on_stderr_what_that_has_no_line_for(
        self, session: Session, streams: Streams
    ) -> None:
        await session.line()
        for event in (
            Said(0, 1, "Ann", ("one", "two")),
            Messaged(0, 1, "Ann", "psst"),
            Muted(0, 1, "Ann", True, 600),
            OperatorSaid(0, "Operator", "the operator has typed this itself"),
            Refused(0, 2, "Server is full", "192.0.2.7"),
            Replied(0, None, "one\ntwo"),
            Left(0, 1, "Ann", LeaveReason.KICKED, "too loud"),
        ):
            session.server.chat.emit(event)
        printed = [await session.line() for _ in range(6)]
        assert printed == [
            "Ann: one\n",
            "Ann: two\n",
            "Ann(private): psst \n",
            "one\n",
            "two\n",
            "Ann has left the server.\n",
        ]
        asides = (
            b"chat-console: Ann is muted for 10m\n"
            b"chat-console: Refused 2 connections, the last from 192.0.2.7: Server is full\n"
            b"chat-console: Ann left: kicked (too loud)\n"
        )
        assert await asyncio.to_thread(streams.error.read, len(asides)) == asides

    async def test_it_prints_what_an_operator_at_another_node_says_and_tells_of_the_link_on_stderr(
        self, session: Session, streams: Streams
    ) -> None:
        await session.line()
        for event in (
            Linked(0, "Node rome is in, with 2 users.", 2),
            OperatorSaid(0, "Operator", "buona sera", "rome"),
            OperatorMessaged(0, -1, "Operator", "Ann", "psst", (1,), "rome"),
            Muted(0, 1, "Ann", True, 600, is_old=True),
            Linked(0, "The link to the other nodes is silent: lines wait.", 2, "link silent"),
            Said(0, 1, "Ann", ("hello",)),
        ):
            session.server.chat.emit(event)
        assert [await session.line() for _ in range(2)] == ["Operator: buona sera\n", "Ann: hello\n"]
        asides = (
            b"chat-console: Node rome is in, with 2 users.\n"
            b"chat-console: The link to the other nodes is silent: lines wait.\n"
        )
        assert await asyncio.to_thread(streams.error.read, len(asides)) == asides

    async def test_it_does_what_the_operator_types(self, session: Session) -> None:
        await session.line()
        session.type("/list\n\n  \n/li")
        assert await session.line() == "No users connected\n"
        session.type("st\r\n/msg Ann hello\n")
        assert await session.line() == "No users connected\n"
        assert await session.line() == "Message sent to 0 users of name Ann\n"

    async def test_a_typed_line_that_is_too_long_is_refused(self, session: Session) -> None:
        await session.line()
        session.type("x" * 2049 + "\n/list\n")
        assert await session.line() == "Message too long (max 2048 bytes)\n"
        assert await session.line() == "No users connected\n"

    async def test_at_the_end_of_stdin_the_unfinished_line_is_run_and_the_chat_goes_on(
        self, session: Session
    ) -> None:
        await session.line()
        session.type("/list")
        session.end_input()
        assert await session.line() == "No users connected\n"
        _, writer = await asyncio.open_connection("127.0.0.1", session.server.port)
        assert (await session.line()).startswith("Welcome ")
        writer.close()
        await writer.wait_closed()

    async def test_what_happens_in_one_turn_of_the_loop_is_printed_in_order_and_in_one_go(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await session.line()
        printed: list[str] = []
        monkeypatch.setattr(Printer, "print", lambda _, text: printed.append(text))
        for turn in ("first", "second"):
            for number in range(3):
                session.server.chat.reply(None, f"{turn} {number}")
            assert not any(turn in text for text in printed)  # not before the chat has had its turn
            await asyncio.sleep(0)
        assert printed == [
            "\n".join(f"{turn} {number}" for number in range(3)) for turn in ("first", "second")
        ]

    async def test_quit_ends_it_with_0(self, session: Session) -> None:
        begun: list[bool] = []
        session.console.ending = lambda: begun.append(session.server.members == ())
        session.type("/quit\n")
        assert await session.ended() == 0
        assert begun == [True]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", session.server.port)

    async def test_end_ends_it_with_0_when_all_is_printed(self, session: Session) -> None:
        await session.line()
        for number in range(1000):
            session.server.chat.reply(None, f"line {number}")
        session.console.end()
        assert await session.ended() == 0
        for number in range(1000):
            assert await session.line() == f"line {number}\n"

    async def test_what_the_transcript_has_no_line_for_is_told_on_stderr(
        self, session: Session, streams: Streams
    ) -> None:
        session.server.chat.failed("Ann", LookupError("oops"))
        told = b"chat-console: Error while serving Ann: LookupError: oops\n"
        assert await asyncio.to_thread(streams.error.read, len(told)) == told

    async def test_it_ends_when_both_streams_have_all(self, session: Session) -> None:
        await session.line()
        printers = {thread for thread in threading.enumerate() if thread.name == "printer"}
        assert len(printers) == 2
        session.type("/quit\n")
        assert await session.ended() == 0
        assert printers.isdisjoint(threading.enumerate())

    @pytest.mark.parametrize("gone", [False, True], ids=["reads nothing", "is gone"])
    async def test_a_reader_of_stderr_stalls_and_breaks_nothing(
        self, session: Session, streams: Streams, gone: bool
    ) -> None:
        if gone:
            streams.error.reader.close()
        for _ in range(200):
            session.server.chat.failed("x" * 1000, LookupError("oops"))
        await session.line()
        session.type("/list\n/quit\n")
        assert await session.line() == "No users connected\n"
        assert await session.ended() == 0

    async def test_a_stdin_that_cannot_be_read_is_at_its_end(self, streams: Streams) -> None:
        streams.stdin.close()
        async with Session(streams) as session:
            await session.line()
            session.server.chat.reply(None, "still here")
            assert await session.line() == "still here\n"

    def test_what_is_typed_after_the_end_is_lost_without_an_error(self, streams: Streams) -> None:
        before = set(threading.enumerate())

        async def run() -> None:
            async with Session(streams) as session:
                await session.line()

        asyncio.run(run())
        (reader,) = [thread for thread in set(threading.enumerate()) - before if thread.name == "stdin"]
        streams.input.writer.write(b"too late\n")
        reader.join(BOUND)
        assert not reader.is_alive()
