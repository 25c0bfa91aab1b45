"""The plain console: the transcript of each event, and stdin and stdout that cannot stall the chat."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import get_args

import pytest
from pipe_ends import Pipe
from support.waiting import BOUND

from chat_console.app import plain
from chat_console.app.plain import PlainConsole, aside, transcript
from chat_console.app.streams import Printer
from chat_console.server.chat_server import ChatServer
from chat_console.server.room import notices
from chat_console.server.room.events import (
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    MessagedOperator,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    QuitRequested,
    Refused,
    Renamed,
    Replied,
    Said,
    Started,
)
from chat_console.server.settings import Settings

TRANSCRIPTS: list[tuple[Event, str | None]] = [
    (Started(0, ("127.0.0.1", "::1"), 1234), "Server started on port 1234"),
    (Joined(0, 1, "127.0.0.1|41050"), "Welcome 127.0.0.1|41050 to the server!"),
    (Renamed(0, 1, "127.0.0.1|41050", "Ann"), "127.0.0.1|41050 is now Ann"),
    (Said(0, 1, "Ann", ("one",)), "Ann: one"),
    (Said(0, 1, "Ann", ("one", "two")), "Ann: one\nAnn: two"),
    (MessagedOperator(0, 1, "Ann", "psst"), "Ann(private): psst "),
    (OperatorSaid(0, "hello"), None),
    (OperatorMessaged(0, "Ann", "psst", 1), "Message sent to 1 users of name Ann"),
    (Replied(0, "one\ntwo"), "one\ntwo"),
    *[(Left(0, 1, "Ann", reason), "Ann has left the server.") for reason in LeaveReason],
    (Muted(0, 1, "Ann", True), None),
    (Muted(0, 1, "Ann", False), None),
    (Refused(0, 1, "Server is full", "192.0.2.7"), None),
    (Failed(0, "Ann", "LookupError: oops"), None),
    (QuitRequested(0), None),
]


class TestTranscript:
    @pytest.mark.parametrize(("event", "text"), TRANSCRIPTS)
    def test_each_event_reads_as_in_the_protocol(self, event: Event, text: str | None) -> None:
        assert transcript(event) == text

    def test_there_is_one_for_every_event(self) -> None:
        assert {type(event) for event, _ in TRANSCRIPTS} == set(get_args(Event))


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


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Left(0, 1, "Ann", LeaveReason.QUIT), "Ann left: quit"),
        (Left(0, 1, "Ann", LeaveReason.END_OF_INPUT), "Ann left: closed its end"),
        (Left(0, 1, "Ann", LeaveReason.LOST), "Ann left: connection lost"),
        (Left(0, 1, "Ann", LeaveReason.KICKED), "Ann left: kicked"),
        (Left(0, 1, "Ann", LeaveReason.KICKED, "too loud"), "Ann left: kicked (too loud)"),
        (Left(0, 1, "Ann", LeaveReason.BANNED), "Ann left: banned"),
        (Left(0, 1, "Ann", LeaveReason.SLOW), "Ann was dropped: too slow reading"),
        (Left(0, 1, "Ann", LeaveReason.STALLED), "Ann was dropped: stopped reading"),
        (Left(0, 1, "Ann", LeaveReason.FOREIGN), "Ann was dropped: spoke another protocol"),
        (Left(0, 1, "Ann", LeaveReason.FAILED), "Ann was dropped: internal error"),
        (Muted(0, 1, "Ann", True), "Ann is muted"),
        (Muted(0, 1, "Ann", True, 600), "Ann is muted for 10m"),
        (Muted(0, 1, "Ann", False), "Ann is no longer muted"),
        (Said(0, 1, "Ann", ("one",)), None),
        (Refused(0, 2, "Server is full", "192.0.2.7"), notices.refused(2, "Server is full", "192.0.2.7")),
        (Failed(0, "Ann", "LookupError: oops"), "Error while serving Ann: LookupError: oops"),
    ],
)
def test_an_aside_tells_what_the_transcript_has_no_line_for(event: Event, told: str | None) -> None:
    assert aside(event) == told


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
                session.server.operate(f"/msg {turn}{number} hello")
            assert not any(turn in text for text in printed)  # not before the chat has had its turn
            await asyncio.sleep(0)
        assert printed == [
            "\n".join(f"Message sent to 0 users of name {turn}{number}" for number in range(3))
            for turn in ("first", "second")
        ]

    async def test_quit_ends_it_with_0(self, session: Session) -> None:
        session.type("/quit\n")
        assert await session.ended() == 0
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", session.server.port)

    async def test_end_ends_it_with_0_when_all_is_printed(self, session: Session) -> None:
        await session.line()
        for number in range(1000):
            session.server.operate(f"/msg Ann {number}")
        session.console.end()
        assert await session.ended() == 0
        for _ in range(1000):
            assert await session.line() == "Message sent to 0 users of name Ann\n"

    async def test_what_the_transcript_has_no_line_for_is_told_on_stderr(
        self, session: Session, streams: Streams
    ) -> None:
        session.server.failed("Ann", LookupError("oops"))
        told = b"chat-console: Error while serving Ann: LookupError: oops\n"
        assert await asyncio.to_thread(streams.error.read, len(told)) == told

    async def test_it_ends_when_both_streams_have_all(self, session: Session) -> None:
        await session.line()
        session.type("/quit\n")
        assert await session.ended() == 0
        async with asyncio.timeout(BOUND):
            while any(thread.name == "printer" for thread in threading.enumerate()):
                await asyncio.to_thread(time.sleep, 0.001)

    @pytest.mark.parametrize("gone", [False, True], ids=["reads nothing", "is gone"])
    async def test_a_reader_of_stderr_stalls_and_breaks_nothing(
        self, session: Session, streams: Streams, gone: bool
    ) -> None:
        if gone:
            streams.error.reader.close()
        for _ in range(200):
            session.server.failed("x" * 1000, LookupError("oops"))
        await session.line()
        session.type("/list\n/quit\n")
        assert await session.line() == "No users connected\n"
        assert await session.ended() == 0

    async def test_a_stdin_that_cannot_be_read_is_at_its_end(self, streams: Streams) -> None:
        streams.stdin.close()
        async with Session(streams) as session:
            await session.line()
            session.server.operate("/list")
            assert await session.line() == "No users connected\n"

    def test_what_is_typed_after_the_end_is_lost_without_an_error(self, streams: Streams) -> None:
        async def run() -> None:
            async with Session(streams):
                pass

        before = threading.enumerate()
        asyncio.run(run())
        (reader,) = (thread for thread in threading.enumerate() if thread not in before)
        streams.input.writer.write(b"too late\n")
        reader.join(BOUND)
        assert not reader.is_alive()
