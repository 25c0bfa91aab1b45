"""Clients: one at a time, plain or over TLS; some who wait for each other's lines; and many at once."""

from __future__ import annotations

import math
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from .metered import Metered, tls_context
from .program import PATIENCE

LOST = 3.0
"""After how many seconds a line counts as lost."""


class Guest:
    """One client. What it sends and waits for is bounded by `PATIENCE`.

    Args:
        port: the server's.
        tls: whether it speaks TLS.
        source: the address that it comes from, one of 127.0.0.0/8.
        buffer: how many bytes the system may keep for it to read, as over a network; 0: as many as it likes.
    """

    def __init__(self, port: int, *, tls: bool = False, source: str = "", buffer: int = 0) -> None:
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        if buffer:
            # The segments of a network, not of loopback: the server's system sizes its send buffer by them.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if source:
            sock.bind((source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(("127.0.0.1", port))
        if tls:
            sock = tls_context().wrap_socket(sock)
        self.sock = sock
        self.got = b""
        """What has come and was not taken yet."""

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    @property
    def address(self) -> str:
        host, port = self.sock.getsockname()
        return f"{host}|{port}"

    def send(self, data: bytes) -> None:
        self.sock.settimeout(PATIENCE)
        self.sock.sendall(data)

    def take(self, size: int = 1 << 16, timeout: float = PATIENCE) -> bytes:
        """What comes next; nothing at the end.

        Raises:
            TimeoutError: if nothing comes.
        """
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(size)
        except ConnectionError:
            data = b""
        self.got += data
        return data

    def skip(self, most: int) -> int:
        """Take what has come, at most so much, and forget it; return how much it was. Waits for nothing."""
        taken = 0
        with suppress(OSError):
            self.sock.settimeout(0)
            while taken < most and (size := len(self.sock.recv(min(most - taken, 1 << 16)))):
                taken += size
        return taken

    def until(self, text: bytes, timeout: float = PATIENCE) -> bool:
        """Read until `text` has come, and take all up to its end; whether it has in time."""
        end = time.perf_counter() + timeout
        while text not in self.got:
            # One text is never longer than this.
            self.got = self.got[-200:] if len(self.got) > 1 << 16 else self.got
            left = end - time.perf_counter()
            try:
                if left <= 0 or not self.take(1 << 18, left):
                    return False
            except TimeoutError:
                return False
        self.got = self.got.partition(text)[2]
        return True

    def rest(self, quiet: float = 1.0) -> bytes:
        """All that comes until the end, or until nothing does for so long."""
        try:
            while self.take(1 << 18, quiet):
                pass
        except TimeoutError:
            pass
        got, self.got = self.got, b""
        return got

    def reset(self) -> None:
        """Vanish with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Listener:
    """Who hears all the time, in a thread of its own, and notes when.

    Args:
        port, tls: as for a guest.
    """

    def __init__(self, port: int, *, tls: bool = False) -> None:
        self.lines: list[tuple[bytes, float]] = []
        """What it has heard, and when, by `time.monotonic`."""
        self._guest = Guest(port, tls=tls)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._guest.sock.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                if not self._guest.take(1 << 18, 0.05):
                    return
                *whole, self._guest.got = self._guest.got.split(b"\n")
                now = time.monotonic()
                self.lines += [(line, now) for line in whole]


class Innocents:
    """Who say a line now and then, and one who waits for each of them.

    Args:
        port, tls: as for a guest.
        speakers: how many there are, so that none needs to say more than it may at once.
    """

    def __init__(self, port: int, speakers: int = 5, *, tls: bool = False) -> None:
        self._listener = Guest(port, tls=tls)
        self._speakers = [Guest(port, tls=tls) for _ in range(speakers)]
        self._said = 0

    def __enter__(self) -> Innocents:
        return self

    def __exit__(self, *_: object) -> None:
        for guest in (self._listener, *self._speakers):
            guest.sock.close()

    def deliveries(self, count: int) -> Sequence[float]:
        """Say so many lines one after the other; return how many seconds each took, endlessly many if lost.

        After three that were lost nothing more is said.
        """
        times: list[float] = []
        while len(times) < count and times.count(math.inf) < 3:
            self._said += 1
            text = b"line %d of an innocent\n" % self._said
            speaker = self._speakers[self._said % len(self._speakers)]
            start = time.perf_counter()
            speaker.send(text)
            came = self._listener.until(b": " + text, LOST)
            times.append(time.perf_counter() - start if came else math.inf)
            speaker.skip(1 << 24)
            time.sleep(0.01)
        return times


class Party:
    """Many plain clients, all read at once. A context manager: at its end they are gone.

    Args:
        port: the server's.
    """

    def __init__(self, port: int) -> None:
        self.socks: list[socket.socket] = []
        self.lines: dict[int, int] = {}
        """How many line ends each has got, by its descriptor."""
        self._port = port
        self._poll = select.epoll()
        self._buffer = bytearray(1 << 20)

    def __enter__(self) -> Party:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
        self._poll.close()

    def connect(self, count: int, source: Callable[[int], str] = lambda number: "127.0.0.1") -> None:
        """Let so many more come, each from the address that `source` gives for its number."""
        for _ in range(count):
            sock = socket.socket()
            # Closing resets: thousands of connections leave no port waiting.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.bind((source(len(self.socks)), 0))
            sock.settimeout(PATIENCE)
            sock.connect(("127.0.0.1", self._port))
            sock.setblocking(False)
            self.socks.append(sock)
            self.lines[sock.fileno()] = 0
            self._poll.register(sock, select.EPOLLIN)
            if not len(self.socks) % 250:
                self.read_until(lambda: False, quiet=0)

    def fill(
        self, server: Metered, count: int, source: Callable[[int], str] = lambda number: "127.0.0.1"
    ) -> None:
        """Let so many come to `server`, and read what they are told until all are there."""
        self.connect(count, source)
        self.read_while(lambda: server.members < count)

    def send(self, data: bytes, first: int = 0) -> None:
        """Send `data` from each, from number `first` on."""
        for number, sock in enumerate(self.socks[first:]):
            sock.send(data)
            if not number % 250:
                self.read_until(lambda: False, quiet=0)

    def read_until(self, condition: Callable[[], object], quiet: float) -> bool:
        """Read until `condition` holds, or nothing comes for so many seconds; whether it holds."""
        while not condition():
            ready = self._poll.poll(quiet, 1000)
            if not ready:
                return bool(condition())
            for descriptor, _ in ready:
                try:
                    size = os.readv(descriptor, [self._buffer])
                except ConnectionError:
                    size = 0
                if size:
                    self.lines[descriptor] += self._buffer.count(b"\n", 0, size)
                else:
                    self._poll.unregister(descriptor)
        return True

    def read_while(self, condition: Callable[[], object]) -> None:
        """Read for as long as `condition` holds."""
        end = time.monotonic() + 4 * PATIENCE
        while condition() and time.monotonic() < end:
            self.read_until(lambda: False, quiet=0.05)

    def leave(self, *, reset: bool = True) -> None:
        """Let all vanish with RST, or close their ends."""
        for sock in self.socks:
            sock.close() if reset else sock.shutdown(socket.SHUT_WR)
        if not reset:
            return
        self.socks.clear()
