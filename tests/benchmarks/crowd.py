"""All clients of a run, in one thread: how they join, and how what comes for them is read."""

from __future__ import annotations

import os
import re
import selectors
import socket
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

READ_SIZE = 1 << 20
SWEEP, SWEEP_PER_CLIENT = 0.02, 50e-6
"""Seconds between two readings of those who have joined while others join: at least, and for each client."""

SO_TIMESTAMPNS = 35
"""Linux: have `recvmsg` tell when what it returns arrived (socket(7); asm-generic/socket.h)."""

_TIMESPEC = struct.Struct("@qq")

PATIENCE = 5.0
"""Seconds without a single byte after which nothing more is waited for."""


@dataclass(frozen=True)
class Dialect:
    """How the clients of one kind of server join and speak."""

    notice: bytes
    """Found once in each notice of a join, and in no other line."""

    greeting: bytes
    """Found in what the server sends once it knows the client."""

    hello: Callable[[int], bytes] = lambda index: b""
    """What client number `index` sends on connecting."""

    enter: bytes = b""
    """What it sends, once greeted, to enter the room; empty where connecting is entering."""

    say: bytes = b""
    """What comes before a line's text."""

    shared: bool = False
    """Whether all clients get the same notices, so that their bytes can be compared."""

    alone: bytes = b""
    """What each of them gets alone, besides, behind the notice of its own join."""


CHAT = Dialect(notice=b"Welcome ", greeting=b"Welcome ", shared=True)
NCAT = Dialect(notice=b" is connected as ", greeting=b" is connected as ")
IRC = Dialect(
    notice=b" JOIN ",
    greeting=b" 001 ",
    hello=lambda index: b"NICK c%d\r\nUSER c 0 * :c\r\n" % index,
    enter=b"JOIN #r\r\n",
    say=b"PRIVMSG #r :",
)


class Client:
    """One connection, and what came over it since the last `begin`.

    Attributes:
        closed: whether the server ended it.
        greeted: whether the server has greeted it.
        notices: how many joins it has been told of.
        received: how many bytes came.
        digest: their CRC-32, while joining.
        lines: how many chat lines came, where they are counted.
        kept: all the bytes, where they are kept.
        stamped: whether it is noted when what comes arrives.
        tail: the beginning of a line whose end has not come.
        own: how many lines it has sent.
        unsent: what the connection would not take yet.
    """

    __slots__ = (
        *("closed", "digest", "greeted", "kept", "lines", "notices"),
        *("own", "received", "sock", "stamped", "tail", "unsent"),
    )

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.closed = self.greeted = self.stamped = False
        self.notices = self.digest = 0
        self.begin(keep=False)

    def begin(self, keep: bool) -> None:
        """Forget what came so far."""
        self.received = self.lines = self.own = 0
        self.tail = self.unsent = b""
        self.kept = bytearray() if keep else None

    @property
    def name(self) -> bytes:
        """What a server that names clients by their address calls it."""
        host, port = self.sock.getsockname()
        return f"{host}|{port}".encode()


Take = Callable[[Client, int], None]
"""Is told for which client how many bytes are in the buffer."""


class Crowd:
    """All clients of a run. A context manager: at its end every connection is closed.

    Args:
        ports: the server's port on 127.0.0.1, or those of several servers that the clients take in turn.
        dialect: how it is spoken to.
        console: the terminal of the server's console; it is read whenever the clients are.
    """

    def __init__(self, ports: int | Sequence[int], dialect: Dialect, console: int | None = None) -> None:
        self.clients: list[Client] = []
        self.dialect = dialect
        self.buffer = bytearray(READ_SIZE)
        self.view = memoryview(self.buffer)
        self._ports = (ports,) if isinstance(ports, int) else ports
        self.arrived_at = 0.0
        """When what was read last for a stamped client had arrived, by `time.time`; on a system that does not
        tell, when it was read."""
        self._greeted = self._notices = 0
        self._selector = selectors.DefaultSelector()
        self._joining = selectors.DefaultSelector()
        self._stamped = selectors.DefaultSelector()
        if console is not None:
            self._selector.register(console, selectors.EVENT_READ, None)
            self._stamped.register(console, selectors.EVENT_READ, None)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self._joining.close()
        self._stamped.close()
        for client in self.clients:
            client.sock.close()

    # Reading and writing

    def read(
        self, timeout: float, take: Take, limit: Callable[[Client], int] = lambda client: READ_SIZE
    ) -> None:
        """Read every client for whom something has come, once, and at most `limit` bytes."""
        self._read(self._selector, timeout, take, limit)

    def read_stamped(self, timeout: float, take: Take) -> None:
        """The same for the stamped clients alone."""
        self._read(self._stamped, timeout, take, lambda client: READ_SIZE)

    def _read(
        self, ready: selectors.BaseSelector, timeout: float, take: Take, limit: Callable[[Client], int]
    ) -> None:
        for key, _ in ready.select(timeout):
            if key.data is None:
                os.read(key.fd, READ_SIZE)
            elif most := limit(key.data):
                self.read_one(key.data, take, most)

    def read_one(self, client: Client, take: Take, most: int = READ_SIZE) -> None:
        """Read one client, if something has come."""
        if client.closed:
            return
        try:
            size = (
                self._receive_stamped(client) if client.stamped else client.sock.recv_into(self.buffer, most)
            )
        except BlockingIOError:
            return
        except ConnectionError:
            size = 0
        if size:
            client.received += size
            take(client, size)
        else:
            client.closed = True
            (self._selector if client.greeted else self._joining).unregister(client.sock)
            if client.stamped:
                self._stamped.unregister(client.sock)

    def stamp(self, clients: Iterable[Client]) -> None:
        """Note `arrived_at` for these, and let `read_stamped` read them.

        The system keeps one time for all that waits to be read, that of the last bytes. So a line that waits
        until the next one comes seems to have arrived with that, and never before its time.
        """
        for client in clients:
            client.stamped = True
            self._stamped.register(client.sock, selectors.EVENT_READ, client)
            if sys.platform == "linux":
                client.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def _receive_stamped(self, client: Client) -> int:
        size, ancillary, _, _ = client.sock.recvmsg_into([self.buffer], socket.CMSG_SPACE(_TIMESPEC.size))
        self.arrived_at = time.time()
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                self.arrived_at = seconds + nanoseconds / 1e9
        return size

    def wait_for(self, done: Callable[[], bool], read: Callable[[], None], seconds: float) -> bool:
        """Read until `done`; give up after so many seconds, or `PATIENCE` seconds in which nothing came."""
        now = moved_at = time.perf_counter()
        end, received = now + seconds, -1
        while not done():
            now = time.perf_counter()
            if (total := sum([client.received for client in self.clients])) != received:
                moved_at, received = now, total
            if now > min(end, moved_at + PATIENCE):
                return False
            read()
            time.sleep(0.002)
        return True

    def flush(self, client: Client) -> None:
        """Send what is unsent, as far as the connection takes it."""
        try:
            client.unsent = client.unsent[client.sock.send(client.unsent) :]
        except BlockingIOError:
            pass
        except ConnectionError:
            client.unsent = b""

    def ignore(self, clients: Iterable[Client]) -> None:
        """Read these no more."""
        for client in clients:
            self._selector.unregister(client.sock)

    def is_cut(self, client: Client) -> bool:
        """Read what is left for one of the ignored; whether the server has ended its connection."""
        try:
            while client.sock.recv_into(self.buffer):
                pass
        except BlockingIOError:
            return False
        except ConnectionError:
            pass
        return True

    # Joining

    def join(
        self,
        count: int,
        at_once: int,
        seconds: float,
        *,
        announced: bool = True,
        small: int = 0,
        rooms: int = 1,
    ) -> float:
        """Connect all, as fast as they are let in, and wait until all know of all who came later.

        Args:
            count: how many clients.
            at_once: how many may be connected and not greeted yet, so that no listen queue overflows.
            seconds: when to give up.
            announced: whether clients enter the room and are told of those who come later.
            small: how many, the last ones, get the smallest buffers.
            rooms: how many rooms of the same size they are in, of which they are told alone.

        Returns:
            Seconds it took. Where a client is greeted before it enters the room, only the entering counts.

        Raises:
            TimeoutError: some were not let in, or some notices did not come.
        """
        start = swept_at = time.perf_counter()
        while (missing := count - self._greeted) > 0:
            now = time.perf_counter()
            if now - start > seconds:
                raise TimeoutError(f"{missing} of {count} clients were not let in within {seconds:.0f} s")
            allowed = min(count, self._greeted + at_once) if self._greeted else 1
            while len(self.clients) < allowed:
                self._connect(small=len(self.clients) >= count - small)
            for key, _ in self._joining.select(0.01):
                self.read_one(key.data, self._greet)
            if now - swept_at > SWEEP + SWEEP_PER_CLIENT * len(self.clients):
                self.read(0, self._greet)
                swept_at = now
        each = count // rooms
        expected = rooms * each * (each + 1) // 2 if announced else 0
        if announced and self.dialect.enter:
            start = time.perf_counter()
            for client in self.clients:
                client.sock.send(self.dialect.enter)
        if not self.wait_for(
            lambda: self._notices >= expected, lambda: self.read(0.05, self._greet), seconds
        ):
            raise TimeoutError(f"{expected - self._notices} of {expected} notices of joins did not come")
        return time.perf_counter() - start

    def _connect(self, small: bool) -> None:
        sock = socket.socket()
        client = Client(sock)
        client.begin(keep=not self.clients)
        self.clients.append(client)
        if small:
            # The segments of a network, not of loopback: the server's system sizes its send buffer by them.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # Closing resets: thousands of connections leave no port waiting.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self._ports[(len(self.clients) - 1) % len(self._ports)]))
        sock.setblocking(False)
        self._joining.register(sock, selectors.EVENT_READ, client)
        if hello := self.dialect.hello(len(self.clients) - 1):
            sock.send(hello)

    def _greet(self, client: Client, size: int) -> None:
        data = self.view[:size]
        client.digest = zlib.crc32(data, client.digest)
        if client.kept is not None:
            client.kept += data
        whole, end, client.tail = (client.tail + data).rpartition(b"\n")
        whole += end
        if not client.greeted and self.dialect.greeting in whole:
            client.greeted = True
            self._greeted += 1
            self._joining.unregister(client.sock)
            self._selector.register(client.sock, selectors.EVENT_READ, client)
        notices = whole.count(self.dialect.notice)
        client.notices += notices
        self._notices += notices
        if b"PING " in whole and (ping := re.search(rb"^PING (.*\n)", whole, re.MULTILINE)):
            client.sock.send(b"PONG " + ping[1])

    def join_faults(self) -> list[str]:
        """Whether every notice of a join came once, and to all in the same order."""
        faults: list[str] = []
        if sorted(client.notices for client in self.clients) != list(range(1, len(self.clients) + 1)):
            faults.append("notices of joins were lost or doubled")
        if self.dialect.shared:
            # Whoever joins later gets the end of what the first client gets.
            stream = bytes(self.clients[0].kept or b"").replace(self.dialect.alone, b"", 1)
            if sorted(re.findall(rb"Welcome (\S+) to", stream)) != sorted(
                client.name for client in self.clients
            ):
                faults.append("the first client was not told of each join once")
            differing = sum(zlib.crc32(self._own(stream, c.received)) != c.digest for c in self.clients)
            if differing:
                faults.append(f"{differing} clients were told of the joins in another order")
        return faults

    def _own(self, stream: bytes, size: int) -> bytes:
        """What a client has got that got `size` bytes, if the first one got `stream`."""
        alone = self.dialect.alone
        welcome, newline, rest = stream[len(stream) - (size - len(alone)) :].partition(b"\n")
        return welcome + newline + alone + rest
