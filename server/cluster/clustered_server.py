"""A chat server whose room it shares with others: a node of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from ..chat import Chat
from ..chat_server import ChatServer, StartError
from ..details import Details
from ..gate.bans import Aside
from ..gate.bans_file import BansFile
from ..settings import Settings
from ..timing import Loop
from . import notices
from .engine import PAGE, EngineError
from .link_report import LinkReport
from .log import Log, Reader
from .news import Differs, EngineRefuses, Entered, News, Refused
from .operations import process_of
from .replica import Replica
from .settings import ClusterSettings
from .site import Phase, Site
from .untrusted import PROCESSES

ENTERING = 10.0
"""How long a node that starts may take until it is in, in seconds."""

GOODBYE = 1.0
"""How long a node that stops waits for its goodbye to be in the log, in seconds."""


class ClusterError(StartError):
    """The node cannot come in; the message, one line, says what to do."""


class SharedLog(Log, Protocol):
    """A log with its connection."""

    trouble: str
    """Why the log is not open, as the rest of a sentence about the engine; "" while it is."""

    async def start(self, reader: Reader) -> None:
        """Connect, and return when the log is open.

        Raises:
            EngineError: if somebody must do something first.
        """
        ...

    async def stop(self) -> None:
        """End the connection; the reader is told nothing more."""
        ...


def _on_nats(settings: ClusterSettings, process: int, refused: Callable[[str], object]) -> SharedLog:
    from .nats_log import NatsLog  # needs nats-py

    return NatsLog(settings, process, refused)


class ClusteredServer(ChatServer):
    """A chat server that is one node of a cluster: all nodes that name one room have the same users.

    Make it on the event loop that it will run on.

    Args:
        cluster: the engine, the room and the node.
        settings: as of `ChatServer`; its limits are for this node.
        log: makes the log, given the settings, this process, and what takes why an entry is refused.

    Raises:
        ImportError: if nats-py is missing.
    """

    def __init__(
        self,
        cluster: ClusterSettings,
        settings: Settings | None = None,
        *,
        log: Callable[[ClusterSettings, int, Callable[[str], object]], SharedLog] = _on_nats,
    ) -> None:
        self.cluster = cluster
        self._process = secrets.randbelow(PROCESSES)
        self._entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._log = log(cluster, self._process, lambda why: self._hear(EngineRefuses(why)))
        self._not_understood: Refused | None = None
        super().__init__(settings)

    def _new_chat(self, loop: Loop, aside: Aside) -> Chat:
        return Chat(self.settings, loop, aside, order=self._new_order, ids_from=self._process << 32)

    def _new_order(self, chat: Chat) -> Replica:
        self._site = Site(
            room=chat.room,
            bans=chat.bans,
            log=self._log,
            loop=chat.loop,
            now=chat.now,
            name=self.cluster.node,
            process=self._process,
            tell=self._hear,
            failed=lambda error: chat.failed("a request", error),
        )
        self._site.shown.is_early = True
        self._replica = Replica(self._site, self.cluster.hold)
        self._report = LinkReport(self.cluster.node, lambda: len(self.nodes), chat.emit, chat.now, chat.loop)
        return self._replica

    def _hear(self, news: News) -> None:
        is_first = not self._entered.done()
        if is_first and isinstance(news, Differs):
            self._entered.set_exception(ClusterError(notices.differs()))
            return
        if is_first and isinstance(news, Refused):
            self._not_understood = news
            return
        self._report.take(news)
        if is_first and isinstance(news, Entered):
            self._entered.set_result(None)
            self._site.shown.is_early = False
            self.chat.hold_events()  # others are heard from now on, but the first event is the start

    # Start and stop

    async def start(self) -> None:
        """Come in, and then listen, as `ChatServer.start` does.

        Raises:
            ClusterError: if the node cannot come in. Then the server cannot be started again.
        """
        await super().start()

    async def _enter(self, bans_file: BansFile | None) -> None:
        await super()._enter(bans_file)
        try:
            async with asyncio.timeout(ENTERING):
                await self._log.start(self._replica)
                await self._entered
        except BaseException as error:
            self.chat.bans.keep_in(None)
            self.chat.shut_down()
            self._report.close()
            trouble = self._log.trouble
            await self._log.stop()
            if isinstance(error, TimeoutError):
                raise ClusterError(self._not_in(trouble)) from None
            if isinstance(error, EngineError):
                raise ClusterError(str(error)) from None
            raise

    def _not_in(self, trouble: str) -> str:
        if trouble:
            where = " or ".join(map(str, self.cluster.servers))
            why = f"cannot reach the engine at {where}: {trouble}"
            return f"{why}; start nats-server -js there, or name another with --cluster"
        if (refused := self._not_understood) is not None:
            return f"node {refused.node} is not understood ({refused.why}): run the same version on all nodes"
        return f"not in the room {self.cluster.room} after {ENTERING:.0f}s: see {PAGE}"

    async def _leave(self) -> None:
        """Let the users of this node leave on the others."""
        self._report.close()
        if self._site.is_open and self._site.phase is Phase.IN:
            said = asyncio.Event()
            self._replica.say_goodbye(said.set)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await said.wait()

    async def _end(self) -> None:
        try:
            await super()._end()
        finally:
            await self._log.stop()

    # The operator's side

    @property
    def node(self) -> str:
        """The name of this node."""
        return self.cluster.node

    @property
    def nodes(self) -> Sequence[str]:
        """The names of the nodes that are in, in order; only this one's while it is cut off."""
        names = {node.name for node in self._site.state.nodes.values()}
        return sorted(names | {self.cluster.node})

    @property
    def link_is_exposed(self) -> bool:
        """Whether what passes between the nodes of the cluster can be read on the network's path."""
        return self.cluster.is_exposed

    def node_of(self, member_id: int) -> str:
        """The name of the node that a member is connected to; empty if it is not known."""
        if process_of(member_id) == self._process:
            return self.cluster.node
        node = self._site.state.nodes.get(process_of(member_id))
        return node.name if node is not None else ""

    def details(self, member_id: int) -> Details | None:
        """What is known about one member; None if it is gone."""
        member = self.chat.room.roster.get(member_id)
        if member is None or process_of(member_id) == self._process:
            return super().details(member_id)
        return Details(member.address, None, None, member.lines, None, self.node_of(member_id))
