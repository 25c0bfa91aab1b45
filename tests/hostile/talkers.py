"""Well-behaved clients, in pairs: they talk to everybody, whisper to each other, and check what they hear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import cast

from .checks import Transcript, text_of
from .program import PATIENCE, NotMet, until

NAMES = ("Ada", "Bob", "Cleo", "Dan", "Eve", "Finn")
"""The talkers; each two in turn are a pair, and the first of each pair sends CR LF."""

_WHISPERED = 5  # every so many lines, one is for the partner alone


class Talker(asyncio.Protocol):
    """One of them, and the transcript of what it hears."""

    def __init__(self, index: int, sayings: set[str]) -> None:
        self.name = NAMES[index]
        self.partner = NAMES[index ^ 1]
        self.said = 0
        """How many lines it has said to everybody."""
        self.whispered = 0
        """How many lines it has said to its partner."""
        self.left = False
        """Whether the connection has ended."""
        self._crlf = index % 2 == 0
        self.transcript = Transcript(self.name, NAMES, sayings, partner=self.partner, crlf=self._crlf)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send([f"/nick {self.name}"])

    def data_received(self, data: bytes) -> None:
        self.transcript.take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.left = True
        if not self.transcript.replies["You have left the server"]:
            self.transcript.faults.note(f"was cut off{f': {exc}' if exc else ''}")

    def talk(self, count: int, cut: float) -> None:
        """Say `count` lines in two writes, with the cut at this share of the bytes."""
        lines: list[str] = []
        for _ in range(count):
            if (self.said + self.whispered) % _WHISPERED == _WHISPERED - 1:
                self.whispered += 1
                lines.append(f"/msg {self.partner} {text_of(self.name, self.whispered)}")
            else:
                self.said += 1
                lines.append(text_of(self.name, self.said))
        self._send(lines, cut)

    def _send(self, lines: list[str], cut: float = 1.0) -> None:
        end = "\r\n" if self._crlf else "\n"
        data = "".join(line + end for line in lines).encode()
        at = int(cut * len(data))
        self._transport.write(data[:at])
        self._transport.write(data[at:])

    def hang_up(self) -> None:
        self._transport.abort()


class Circle:
    """All talkers of one server, and how far they have heard each other.

    Args:
        rate: how many lines a second each of them says.
        random: decides how many when.
        sayings: what the operator has said so far.
        operator: what the operator gets, if that is a transcript too.
    """

    def __init__(
        self, rate: float, random: Random, sayings: set[str], operator: Transcript | None = None
    ) -> None:
        self.talkers: list[Talker] = []
        self._rate = rate
        self._random = random
        self._sayings = sayings
        self._transcripts = [operator] if operator else []
        self._turns = 0

    async def join(self, port: int) -> None:
        """Let all of them join, one after the other.

        Raises:
            NotMet: if one cannot, or the others do not hear of it.
        """
        loop = asyncio.get_running_loop()
        for index, name in enumerate(NAMES):
            try:
                async with asyncio.timeout(PATIENCE):
                    _, talker = await loop.create_connection(
                        lambda index=index: Talker(index, self._sayings), "127.0.0.1", port
                    )
            except OSError as error:
                raise NotMet(f"{name} cannot connect: {error}") from None
            self.talkers.append(talker)
            self._transcripts.append(talker.transcript)
            await until(partial(self._know, name), f"not everybody has heard of {name}")
        for transcript in self._transcripts:
            transcript.settled = True

    def _know(self, name: str) -> bool:
        named = f"You are now {name}"
        return all(name in heard.named or heard.replies[named] for heard in self._transcripts)

    async def talk(self) -> None:
        """Go on talking until cancelled."""
        async with asyncio.TaskGroup() as group:
            for talker in self.talkers:
                group.create_task(self._talk(talker, Random(self._random.random())))

    async def _talk(self, talker: Talker, random: Random) -> None:
        while True:
            count = random.randrange(1, 4)
            await asyncio.sleep(random.uniform(0.5, 1.5) * count / self._rate)
            talker.talk(count, random.random())
            self._turns += 1

    async def turn(self) -> None:
        """Wait until something that is said after now has come to everybody.

        Hostile clients wait for that between two floods: a reader that cannot keep up would be dropped, as it
        should, and these are to show that what is said stays complete.

        Raises:
            NotMet: if it does not come.
        """
        before = self._turns
        await until(lambda: self._turns > before, "nobody says anything any more")
        due = {talker.name: talker.said for talker in self.talkers}
        await until(lambda: not any(self._missing(due)), "the talkers do not hear each other any more")

    async def finish(self) -> None:
        """Wait until everybody has heard everything; what does not come is a fault."""
        due = {talker.name: talker.said for talker in self.talkers}
        try:
            await until(lambda: not any(self._missing(due)) and self._answered(), "")
        except NotMet:
            for transcript, name in self._missing(due):
                transcript.faults.note(f"got {transcript.heard[name]} of {due[name]} lines of {name}")
            if not self._answered():
                self.talkers[0].transcript.faults.note("not all whispers came, or not all answers to them")

    def hang_up(self) -> None:
        """Close all connections at once."""
        for talker in self.talkers:
            talker.hang_up()

    def _missing(self, due: dict[str, int]) -> Iterator[tuple[Transcript, str]]:
        """Who has not heard as many lines as are due, and of whom."""
        for transcript in self._transcripts:
            for name, count in due.items():
                if transcript.heard[name] < count and name != transcript.who:
                    yield transcript, name

    def _answered(self) -> bool:
        """Whether all whispers have come, and the answers to them."""
        heard = {talker.name: talker.transcript.whispers for talker in self.talkers}
        return all(
            talker.whispered
            == heard[talker.partner][talker.name]
            == talker.transcript.replies[f"Message sent to 1 users of name {talker.partner}"]
            for talker in self.talkers
        )
