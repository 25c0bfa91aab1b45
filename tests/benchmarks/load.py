"""The load: senders at full speed, and senders at a fixed rate.

Full speed is a closed loop, the same for every server. The senders together have at most a window of lines
under way, counted at the slowest reader. The window is what the server delivers in `UNDER_WAY` seconds: every
server always has work, and none has a queue that takes minutes to empty. `WINDOW_MAX` keeps what may wait for
one client below a quarter of chat-console's default backlog, 1 MiB.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence

from .check import LINE, MARK, faults_in, lines
from .crowd import READ_SIZE, Client, Crowd

TICK, TICK_PER_CLIENT = 0.004, 15e-6
"""Seconds between two sweeps at full speed, at least and for each client: rare sweeps make large reads."""

SAMPLE = 500
"""Of how many clients at most the latency is measured."""

GATHER = 0.0005
"""Seconds between two readings of the stamped clients at a fixed rate."""

OTHERS = 0.2
"""Seconds between two readings of a client that is not stamped: rare ones make room for the stamped."""

UNDER_WAY = 0.15
WINDOW_MIN, WINDOW_MAX = 100, 10_000


class Flood:
    """Senders at full speed.

    What the first silent client, the model, gets is kept. The bytes of all other silent ones, its followers,
    are compared with it as they come, which is far cheaper than counting or parsing. A client whose bytes
    differ is no follower any more: from there on its lines are counted, as a sender's are from the start.

    Args:
        crowd: clients who have joined.
        senders: those who speak.
        deaf: those who are never read.
    """

    def __init__(self, crowd: Crowd, senders: Sequence[Client], deaf: Sequence[Client] = ()) -> None:
        crowd.ignore(deaf)
        readers = [client for client in crowd.clients if client not in deaf]
        silent = [reader for reader in readers if reader not in senders]
        self._crowd = crowd
        self._senders = senders
        self._model = silent[0]
        self._followers = set(silent[1:])
        self._counted = set(senders)
        self._sample = [silent[0], silent[-1], senders[0]]
        self._tick = max(TICK, TICK_PER_CLIENT * len(readers))
        self._window = float(5 * WINDOW_MIN)
        self._sized_at, self._seen = time.perf_counter(), 0
        self._slowest_follower = (0, 0)  # up to which byte of the model's, and how many lines that is
        for client in crowd.clients:
            client.begin(keep=client in self._sample)
        assert self._model.kept is not None
        self._stream = self._model.kept

    @property
    def sent(self) -> int:
        return sum(sender.own for sender in self._senders)

    @property
    def one_order(self) -> bool:
        """Whether all silent clients got the very same bytes."""
        return self._counted == set(self._senders)

    def run(self, seconds: float) -> None:
        """Send and read for so many seconds."""
        now = time.perf_counter()
        end = now + seconds
        while now < end:
            self._sweep()
            self._send(now)
            time.sleep(max(0.0, now + self._tick - time.perf_counter()))
            now = time.perf_counter()

    def _sweep(self) -> None:
        self._crowd.read_one(self._model, self._take)
        self._crowd.read(0, self._take, self._limit)

    def _limit(self, client: Client) -> int:
        """A follower never gets ahead of the model."""
        if client in self._followers:
            return min(len(self._stream) - client.received, READ_SIZE)
        return READ_SIZE

    def _take(self, client: Client, size: int) -> None:
        buffer = self._crowd.buffer
        if client.kept is not None:
            client.kept += self._crowd.view[:size]
        if client in self._counted:
            client.lines += buffer.count(MARK, 0, size)
        elif client is not self._model:
            before = client.received - size
            if not buffer.startswith(memoryview(self._stream)[before : client.received]):
                self._followers.remove(client)
                self._counted.add(client)
                client.lines = self._stream.count(MARK, 0, before) + buffer.count(MARK, 0, size)

    def _slowest(self) -> int:
        """How many lines have come to everybody, one's own included."""
        slowest = [client.lines + client.own for client in self._counted if not client.closed]
        position = min(
            [client.received for client in self._followers if not client.closed], default=len(self._stream)
        )
        before, count = self._slowest_follower
        count += self._stream.count(MARK, before, position)
        self._slowest_follower = (position, count)
        return min([count, *slowest])

    def _send(self, now: float) -> None:
        slowest = self._slowest()
        if (elapsed := now - self._sized_at) > UNDER_WAY:
            rate = (slowest - self._seen) / elapsed
            self._window = min(max(rate * UNDER_WAY, self._window / 2, WINDOW_MIN), WINDOW_MAX)
            self._sized_at, self._seen = now, slowest
        share = int(self._window - (self.sent - slowest)) // len(self._senders)
        for index, sender in enumerate(self._senders):
            if share > 0 and not sender.unsent and not sender.closed:
                sender.unsent = lines(index, sender.own, sender.own + share, self._crowd.dialect.say)
                sender.own += share
            if sender.unsent:
                self._crowd.flush(sender)

    def received(self) -> dict[Client, int]:
        """How many lines have come to each reader. Counts the whole of the model's stream."""
        counts = {client: client.lines for client in self._counted}
        before = count = 0
        for client in sorted({self._model, *self._followers}, key=lambda client: client.received):
            count += self._stream.count(MARK, before, client.received)
            before = client.received
            counts[client] = count
        return counts

    def finish(self, seconds: float) -> list[str]:
        """Wait until everybody has everything, and check it.

        Returns:
            What is wrong: lines lost, doubled, reordered or damaged, and connections cut.
        """

        def read() -> None:
            self._sweep()
            for sender in self._senders:
                if sender.unsent:
                    self._crowd.flush(sender)

        self._crowd.wait_for(lambda: self._slowest() >= self.sent, read, seconds)
        faults: list[str] = []
        counts = self.received()
        if cut := sum(client.closed for client in counts):
            faults.append(f"{cut} connections were cut")
        if wrong := sum(count + client.own != self.sent for client, count in counts.items()):
            faults.append(f"{wrong} clients got more or fewer lines than were sent")
        for client in self._sample:
            faults += faults_in(client.kept or b"", _sent_to(client, self._senders))
        return faults


class Pace:
    """Lines at a fixed rate, from senders in turn. Of a sample of the receivers every arrival is noted.

    Attributes:
        sent_at: when each line was sent, by `time.time`.
        arrivals: of each client in the sample, for each read, how many bytes had come so far, and when.
        latencies: seconds from sending a line to its arrival, for each line and receiver in the sample.
        last: seconds from sending a line to its arrival at the last of them, for each line that all have got.

    Args:
        crowd: clients who have joined.
        senders: those who speak.
        echoes: those who say, each in a room of its own, what the only sender says at the same time.
    """

    def __init__(self, crowd: Crowd, senders: Sequence[Client], echoes: Sequence[Client] = ()) -> None:
        self._crowd = crowd
        self._senders = senders
        self._echoes = echoes
        self.sent_at: list[float] = []
        self._complete = 0  # how many clients are known to have got everything
        sample = crowd.clients[:: -(-len(crowd.clients) // SAMPLE)]
        self.arrivals: dict[Client, array[float]] = {client: array("d") for client in sample}
        self.latencies: list[float] = []
        self.last: list[float] = []
        for client in crowd.clients:
            client.begin(keep=True)
        self._others = [client for client in crowd.clients if client not in self.arrivals]
        self._others_read = 0
        crowd.stamp(sample)

    def run(self, rate: float, seconds: float, patience: float) -> None:
        """Send `rate` lines a second for so many seconds, then wait for all of them, at most `patience`."""
        crowd, start = self._crowd, time.perf_counter()
        for number in range(int(rate * seconds)):
            while (wait := start + number / rate - time.perf_counter()) > 0:
                crowd.read_stamped(min(wait, GATHER if self._others else wait), self.take)
                self._read_others(time.perf_counter() - start)
                time.sleep(GATHER)
            index = number % len(self._senders)
            self.sent_at.append(time.time())
            for sender in (self._senders[index], *self._echoes):
                sender.unsent += lines(index, sender.own, sender.own + 1, crowd.dialect.say)
                sender.own += 1
                crowd.flush(sender)
        crowd.wait_for(self._has_arrived, lambda: crowd.read(0.05, self.take), patience)

    def _read_others(self, elapsed: float) -> None:
        """Read as many of the others as it takes to get round in time."""
        due = int(elapsed / OTHERS * len(self._others))
        for number in range(self._others_read, due):
            self._crowd.read_one(self._others[number % len(self._others)], self.take)
        self._others_read = max(due, self._others_read)

    def take(self, client: Client, size: int) -> None:
        """Note what has come for a client."""
        assert client.kept is not None
        client.kept += self._crowd.view[:size]
        if client.stamped:
            self.arrivals[client].extend((client.received, self._crowd.arrived_at))

    def _has_arrived(self) -> bool:
        for client in self._crowd.clients[self._complete :]:
            if (client.kept or b"").count(MARK) + client.own < len(self.sent_at):
                return False
            self._complete += 1
        return True

    @property
    def delivered(self) -> int:
        """How many lines have arrived, counted for each receiver."""
        return sum((client.kept or b"").count(MARK) for client in self._crowd.clients)

    def work_out(self) -> None:
        """Fill `latencies` and `last` from what was received, and when."""
        by_line: list[list[float]] = [[] for _ in self.sent_at]
        for client, arrivals in self.arrivals.items():
            ends_and_times = zip(arrivals[::2], arrivals[1::2], strict=True)
            end = arrived_at = 0.0
            for line in LINE.finditer(client.kept or b""):
                while end < line.end():
                    end, arrived_at = next(ends_and_times)
                by_line[int(line[2]) * len(self._senders) + int(line[1])].append(arrived_at)
        for number, (sent_at, times) in enumerate(zip(self.sent_at, by_line, strict=True)):
            self.latencies += [arrived_at - sent_at for arrived_at in times]
            author = self._senders[number % len(self._senders)]
            if len(times) == len(self.arrivals) - sum(
                one in self.arrivals for one in (author, *self._echoes)
            ):
                self.last.append(max(times) - sent_at)

    def faults(self) -> list[str]:
        """What is wrong with what came to anybody."""
        faults: list[str] = []
        for client in self._crowd.clients:
            sent = {} if client in self._echoes else _sent_to(client, self._senders)
            faults += faults_in(client.kept or b"", sent)
        return faults


def _sent_to(client: Client, senders: Sequence[Client]) -> dict[int, int]:
    """How many lines of which sender are for a client."""
    return {index: sender.own for index, sender in enumerate(senders) if sender is not client}
