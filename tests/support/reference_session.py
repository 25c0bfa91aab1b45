"""The session of the reference transcripts with real programs, compared byte for byte."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Sequence

from .programs import PlainConsole, Program, require
from .transcripts import CLIENT_1, CLIENT_2, CLIENT_3, OPERATOR


class Participant:
    """One side of the session: types what its transcript has typed, and waits for what that has printed."""

    def __init__(self, program: Program, transcript: str, ports: dict[str, str]) -> None:
        self.program = program
        self._ports = ports
        self._printed = re.split(r"^> .*\n", transcript, flags=re.MULTILINE)
        self._typed = re.findall(r"^> (.*)\n", transcript, flags=re.MULTILINE)
        self._turns = 0

    def take_turn(self) -> None:
        """Type the next line when all before it is printed, and wait for the first line of its answer."""
        before = "".join(self._printed[: self._turns + 1])
        self.program.output.wait_for(self._real(before))
        self.program.type(self._typed[self._turns])
        self._turns += 1
        answer = "".join(self._printed[self._turns].splitlines(keepends=True)[:1])
        self.program.output.wait_for(self._real(before + answer))

    def expected(self) -> bytes:
        """All that its transcript has printed."""
        return self._real("".join(self._printed)).encode()

    def _real(self, text: str) -> str:
        for told, real in self._ports.items():
            text = text.replace(told, real)
        return text.replace("{blank}", " ")


def hold_the_session(console: PlainConsole, ports: Sequence[int], start: Callable[..., Program]) -> None:
    """Let three `nc` and an operator say what the transcripts have, and compare what each of them read.

    Args:
        console: the operator's, which ends with it.
        ports: where each `nc` connects to.
        start: starts a program.
    """
    nc = require("nc")
    told_ports = {"12345": str(console.port)}
    operator = Participant(console, OPERATOR, told_ports)

    def join(port: int, told_port: str, transcript: str) -> Participant:
        client = start(nc, "127.0.0.1", str(port))
        client.output.wait_for("\n")
        welcome = re.match(r"Welcome 127\.0\.0\.1\|(\d+) to the server!\n", client.output.text)
        assert welcome, client.output.text
        told_ports[told_port] = welcome[1]
        return Participant(client, transcript, told_ports)

    client_1 = join(ports[0], "41050", CLIENT_1)
    client_2 = join(ports[1], "41052", CLIENT_2)
    client_1.take_turn()
    client_2.take_turn()
    client_3 = join(ports[2], "41054", CLIENT_3)
    for participant in client_3, client_3, client_2, operator, operator, operator, client_1, client_2:
        participant.take_turn()

    for client in client_1, client_2, client_3:
        client.program.end_input()
        client.program.output.read_to_end()
        assert client.program.output.data == client.expected()
    operator.program.output.wait_for(operator.expected().decode())
    operator.program.signal(signal.SIGTERM)
    assert operator.program.wait() == 0
    operator.program.output.read_to_end()
    assert operator.program.output.data == operator.expected()
