"""The shared log on NATS JetStream: one stream for each room. No other module imports `nats`."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import cycle
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from . import engine, jetstream
from .continuity import Continuity, Found
from .engine import EngineError, LinkError
from .jetstream import Delivery, Subjects
from .log import Reader
from .login import CONNECT, nats_options
from .settings import ClusterSettings, Server

# It logs tracebacks of what is told here in one line; they would end up on stderr, in the console.
logging.getLogger("nats").addHandler(logging.NullHandler())
logging.getLogger("nats").propagate = False

# All times are in seconds.
_ANSWER = 2  # until JetStream has to answer
_PAUSE = 0.25  # before the next attempt
_LONG_PAUSE = 2.0  # the same, after what does not heal by itself
_CLOSE = 1  # until a connection has to be closed
_TURN = 0.005  # how long entries may hold the event loop before other work gets its turn

_SILENT = 6  # heartbeats that may be missing before the connection is given up
_WAITING = 1024  # messages that may wait to be published


class NatsLog:
    """A log on a JetStream stream that is made by whoever comes first.

    It reconnects for ever, each time with a new client of NATS and a new consumer, and then compares the last
    entry that it read with what is in the stream. What is appended while it is not open is dropped.

    The reader is told `closed` once more whenever the reason changes. What it raises goes to the event loop's
    exception handler.

    Args:
        settings: the engine, the room and the node.
        process: this process, a number that no other has.
        refused: called with why the engine does not take what was appended or sent, as one line. Of an entry
            that becomes known when the same bytes are appended again, before others.
    """

    def __init__(
        self, settings: ClusterSettings, process: int, refused: Callable[[str], object] = lambda why: None
    ) -> None:
        self.settings = settings
        self.process = process
        self.refused = refused
        self.continuity = Continuity()
        self.trouble = "not connected yet"
        """Why the log is not open, as the rest of a sentence about the engine; "" while it is."""
        self._link: _Link | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, reader: Reader) -> None:
        """Connect, and return when the log is open. Cancel this to wait no longer, then call `stop`.

        Raises:
            EngineError: if somebody must do something first. Later the reader is told, and it is tried again.
        """
        opening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(reader, opening))
        await opening

    async def stop(self) -> None:
        """End the connection; the reader is told nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def append(self, data: bytes) -> None:
        """Put an entry at the end of the log; never blocks. It may get lost, and may come twice."""
        if self._link is not None:
            self._link.append(data)

    def send(self, node: str, process: int, data: bytes) -> None:
        """Send `data` to one process of a node, past the log. It may get lost."""
        if self._link is not None:
            self._link.send(node, process, data)

    async def _run(self, reader: Reader, opening: asyncio.Future[None]) -> None:
        def opened() -> None:
            self.trouble = ""
            if not opening.done():
                opening.set_result(None)
            _tell(reader.opened)

        # In any order, so that not all nodes are on the first.
        servers = cycle(random.sample(self.settings.servers, len(self.settings.servers)))
        while True:
            self._link = _Link(self, next(servers), reader, opened)
            ending = await self._link.run()
            self._link = None
            is_for_long = isinstance(ending, EngineError)
            if is_for_long and not opening.done():
                opening.set_exception(ending)
                return
            if self.trouble != str(ending):
                self.trouble = str(ending)
                _tell(reader.closed, self.trouble)
            await asyncio.sleep(_LONG_PAUSE if is_for_long else _PAUSE)


def _tell(call: Callable[..., object], *arguments: object) -> None:
    """Call the reader. NATS would swallow an error of it, or end the connection."""
    try:
        call(*arguments)
    except Exception as error:
        about = {"message": "the reader of a cluster's log failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(about)


class _Link:
    """One connection to one server of the engine, from its beginning to its end."""

    def __init__(self, log: NatsLog, server: Server, reader: Reader, opened: Callable[[], None]) -> None:
        self._log = log
        self._server = server
        self._reader = reader
        self._opened = opened
        self._subjects = Subjects(log.settings.room, log.settings.node)
        self._client = Client()
        self._waiting: asyncio.Queue[tuple[str, bytes, str]] = asyncio.Queue(_WAITING)
        self._ending: asyncio.Future[EngineError | LinkError] = asyncio.get_running_loop().create_future()
        self._is_open = False
        self._error: Exception | None = None  # the last one that NATS had
        self._acknowledged = ""  # where the engine says whether it took an entry
        self._appended = b""
        self._received = 0  # entries
        self._missing = 0  # heartbeats
        self._turn = 0.0  # when the loop last ran other work

    async def run(self) -> EngineError | LinkError:
        """Connect, read and write until that fails; return why it did."""
        tasks = [asyncio.create_task(self._guard(work)) for work in (self._read(), self._write())]
        try:
            return await self._ending
        finally:
            self._end(LinkError("stopped"))
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            # One that is blocked is closed when the other end has read all, which may be never.
            with suppress(Exception):
                async with asyncio.timeout(_CLOSE):
                    await self._client.close()
            with suppress(AttributeError):  # there is none before it has connected
                self._client._transport._io_writer.transport.abort()  # pyright: ignore

    def _end(self, why: EngineError | LinkError) -> None:
        self._is_open = False
        if not self._ending.done():
            self._ending.set_result(why)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (EngineError, LinkError) as error:
            self._end(error)
        except Exception as error:  # NATS raises its own errors, those of sockets, and others
            self._end(self._reason(error))

    def _reason(self, error: Exception) -> EngineError | LinkError:
        if isinstance(error, nats.errors.NoServersError | TimeoutError) and self._error is not None:
            error = self._error
        if isinstance(error, nats.errors.StaleConnectionError | nats.errors.ConnectionClosedError):
            return LinkError("the connection was lost")
        return engine.reason(error, self._server, self._subjects.node)

    # -- the connection

    async def _read(self) -> None:
        await self._connect()
        await self._attach()
        # Counted and not timed, so that a process that was stopped does not take the engine to be silent.
        while self._missing < _SILENT and not self._client.is_closed:
            self._missing += 1
            await asyncio.sleep(jetstream.HEARTBEAT)
        raise LinkError("the connection was lost" if self._client.is_closed else "no answer")

    async def _connect(self) -> None:
        client = self._client
        options = nats_options(self._log.settings, self._server, client.options.update)
        async with asyncio.timeout(CONNECT):
            await client.connect(
                **options,
                inbox_prefix=self._subjects.inbox,
                error_cb=self._on_error,
                closed_cb=self._on_closed,
            )
        tls = options.get("tls")
        if tls is not None and not tls.has_begun:
            raise EngineError(f"{self._server} does not encrypt: give it a certificate (tls in nats.conf)")
        engine.check(client.connected_server_version, client.max_payload)

    async def _attach(self) -> None:
        client, subjects, continuity = self._client, self._subjects, self._log.continuity
        await self._subscribe(subjects.of_process(subjects.node, self._log.process), self._on_state)
        self._acknowledged = client.new_inbox()
        await self._subscribe(self._acknowledged, self._on_acknowledgement)
        about = await self._find_stream()
        state = about["state"]
        if other := engine.differs(about.get("config", {}), self._log.settings):
            self._log.refused(other)
        start, lost = continuity.start(about["created"], state["first_seq"], state["last_seq"])
        if lost:
            _tell(self._reader.lost, lost)
        entries = client.new_inbox()
        await self._subscribe(entries, self._on_message)
        consumer = jetstream.new_consumer(subjects.stream, start, entries)
        await self._ask(f"CONSUMER.CREATE.{subjects.stream}", consumer)
        if not continuity.awaits_last:
            self._open()

    async def _subscribe(self, subject: str, call: Callable[[Msg], Coroutine[Any, Any, None]]) -> None:
        # Above a limit messages would be dropped without a word.
        await self._client.subscribe(  # pyright: ignore[reportUnknownMemberType]
            subject, cb=call, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def _find_stream(self) -> dict[str, Any]:
        """What the engine says about the stream, which is made if it does not exist."""
        stream = self._subjects.stream
        about = await self._ask(f"STREAM.INFO.{stream}", None, engine.STREAM_NOT_FOUND)
        if about is None:
            config = jetstream.new_stream(self._log.settings)
            about = await self._ask(f"STREAM.CREATE.{stream}", config, engine.NAME_IN_USE)
        # Somebody else has made it meanwhile, perhaps with other settings.
        return about or await self._ask(f"STREAM.INFO.{stream}") or {}

    async def _ask(
        self, what: str, about: dict[str, Any] | None = None, expected: int | None = None
    ) -> dict[str, Any] | None:
        """Return the answer of JetStream, or None if it is the `expected` error."""
        data = json.dumps(about).encode() if about else b""
        try:
            message = await self._client.request(f"$JS.API.{what}", data, timeout=_ANSWER)
        except nats.errors.NoRespondersError:
            raise engine.without_jetstream() from None
        answer = json.loads(message.data)
        if "error" not in answer:
            return answer
        if expected is not None and answer["error"].get("err_code") == expected:
            return None
        raise engine.refused(answer["error"], self._subjects.stream)

    def _open(self) -> None:
        if not self._is_open and not self._ending.done():
            self._is_open = True
            self._opened()

    # -- what comes

    async def _on_message(self, message: Msg) -> None:
        if self._ending.done():
            return
        if self._is_open:  # until then only the entry that is awaited counts
            self._missing = 0
        what = jetstream.delivery(message.reply)
        if what is None:
            await self._on_control(message)
        elif what.number != self._received + 1:
            self._end(LinkError("entries got lost on their way"))
        else:
            self._received += 1
            self._on_entry(what, message)
            await self._let_others_work()

    async def _on_control(self, message: Msg) -> None:
        if not jetstream.is_control(message.headers):
            self._end(LinkError("the engine has ended the reading"))
        elif answer := jetstream.wanted_answer(message.reply, message.headers):
            await self._client.publish(answer)
        elif jetstream.sent_before(message.headers) != self._received:
            self._end(LinkError("entries got lost on their way"))

    def _on_entry(self, what: Delivery, message: Msg) -> None:
        found = self._log.continuity.take(what.position, message.data)
        if found is Found.OTHER:
            self._end(LinkError("the log has changed"))
            return
        self._open()
        if found is Found.NEXT:
            node = message.subject.rpartition(".")[2]
            _tell(self._reader.entry, what.position, what.time, node, message.data)

    async def _let_others_work(self) -> None:
        clock = asyncio.get_running_loop().time
        if clock() - self._turn > _TURN:
            await asyncio.sleep(0)
            self._turn = clock()

    async def _on_state(self, message: Msg) -> None:
        if self._is_open:
            _tell(self._reader.received, message.data)

    # -- what goes

    def append(self, data: bytes) -> None:
        """Publish an entry; one that is the same as the last, with the question whether it was taken."""
        reply = self._acknowledged if data == self._appended else ""
        self._appended = data
        self._publish(self._subjects.entries, data, reply)

    def send(self, node: str, process: int, data: bytes) -> None:
        """Publish what is for one process of a node."""
        self._publish(self._subjects.of_process(node, process), data, "")

    def _publish(self, subject: str, data: bytes, reply: str) -> None:
        if self._is_open and not self._waiting.full():
            self._waiting.put_nowait((subject, data, reply))

    async def _write(self) -> None:
        while not self._ending.done():  # NATS swallows the end of a task that waits for a full connection
            subject, data, reply = await self._waiting.get()
            try:
                await self._client.publish(subject, data, reply)
            except nats.errors.MaxPayloadError:
                self._log.refused(f"{len(data)} bytes are more than it takes in one message")

    async def _on_acknowledgement(self, message: Msg) -> None:
        if jetstream.has_no_taker(message.headers):
            self._log.refused(f"no stream takes what is written to {self._subjects.entries}")
        elif error := json.loads(message.data).get("error"):
            self._log.refused(engine.shown(error.get("description")))

    # -- what NATS calls when something happens to it

    async def _on_error(self, error: Exception) -> None:
        if "permissions violation" not in str(error):
            self._error = error
        elif self._is_open:
            self._log.refused(engine.denied(str(error), self._subjects.node))
        else:
            self._end(EngineError(engine.denied(str(error), self._subjects.node)))

    async def _on_closed(self) -> None:
        self._end(self._reason(self._client.last_error or nats.errors.ConnectionClosedError()))
