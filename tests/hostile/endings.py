"""What is sent just before an end is heard, whatever the end; and a pause of the server is nobody's fault."""

from __future__ import annotations

import array
import fcntl
import re
import shutil
import signal
import socket
import ssl
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from .bars import Outcome, Scale
from .charges import BYTES_A_LINE
from .guests import Guest, Listener
from .metered import Certificate, Metered, certificate, wait_for
from .program import PATIENCE

HURRY = 20.0
"""How much faster the clock runs where a minute has to pass."""

LONGEST = 60
"""How many seconds the lines that are held of a client who has gone may still take."""


def half_close(guest: Guest) -> None:
    """End the input and stay, as `nc -N` does."""
    if isinstance(guest.sock, ssl.SSLSocket):
        guest.sock.settimeout(0)
        with suppress(ssl.SSLError):
            guest.sock.unwrap()
    guest.sock.shutdown(socket.SHUT_WR)


def close(guest: Guest) -> None:
    """Close with everything read: FIN, and RST for whatever comes later."""
    guest.rest(0.2)
    _sent(guest)
    guest.sock.close()


def close_unread(guest: Guest) -> None:
    """Close with something unread: RST, which follows what has been sent."""
    _sent(guest)
    guest.sock.close()


def reset(guest: Guest) -> None:
    """Vanish with RST once the server's system has everything."""
    _sent(guest)
    guest.reset()


def _sent(guest: Guest) -> None:
    """Wait until the other system has everything that was sent (tcp(7), SIOCOUTQ)."""
    waiting = array.array("i", [1])

    def is_sent() -> bool:
        fcntl.ioctl(guest.sock.fileno(), termios.TIOCOUTQ, waiting)
        return not waiting[0]

    wait_for(is_sent)


ENDS: dict[str, Callable[[Guest], None]] = {
    "half-close": half_close,
    "close": close,
    "close with something unread": close_unread,
    "RST": reset,
}


def last_lines(
    scale: Scale,
    folder: Path,
    *,
    tls: bool = False,
    lines: int = 30,
    size: int = 0,
    rate: float = 5,
    burst: int = 20,
) -> Iterator[Outcome]:
    """Clients that send some lines and are gone, in each of the ways, while the operator talks to all."""
    settings = certificate(folder) if tls else Certificate()
    least = 0.7 * max((lines - burst) / rate, (lines * size - burst * BYTES_A_LINE) / (rate * BYTES_A_LINE))
    with (
        Metered(rate=rate, burst=burst, **settings) as server,
        Listener(server.port, tls=tls) as listener,
        ExitStack() as stack,
    ):
        names = [*ENDS]
        began: dict[str, float] = {}
        for name, end in ENDS.items():
            guest = stack.enter_context(Guest(server.port, tls=tls))
            if name != "close with something unread":
                guest.until(b" to the server!\n")
            numbers = range(1, lines + 1)
            began[name] = time.monotonic()
            guest.send(b"".join(b"%s %d %s\n" % (name.encode(), number, b"x" * size) for number in numbers))
            end(guest)
        began["seq"] = time.monotonic()
        if not tls and not size and _seq(server.port, lines):
            names.append("seq")

        def heard(name: str) -> Sequence[tuple[int, float]]:
            said = b"" if name == "seq" else name.encode() + b" "
            pattern = re.compile(rb"127\.0\.0\.1\|\d+: %s(\d+)(?: x*)?" % said)
            found = [(pattern.fullmatch(line), at) for line, at in listener.lines]
            return [(int(match[1]), at) for match, at in found if match]

        def are_talked_to() -> bool:
            server.say("hello")
            return all(len(heard(name)) >= lines for name in names)

        wait_for(are_talked_to, 3 * least + PATIENCE)
        for name in names:
            got = heard(name)
            in_order = [number for number, _ in got] == [*range(1, lines + 1)]
            took = got[-1][1] - began[name] if got else 0.0
            yield Outcome(
                f"{'TLS: ' if tls else ''}{lines} lines{f' of {size:,} bytes' if size else ''}, then {name}",
                f"{len(got)} heard, {'in order, ' if in_order else ''}within {took:.1f} s",
                f"all, at the rate: {least:.1f} s or more",
                in_order and took >= least,
            )


def _seq(port: int, lines: int) -> bool:
    """Have bash count into a connection; whether there is a bash."""
    if shutil.which("bash") is None:
        return False
    command = f"seq {lines} > /dev/tcp/127.0.0.1/{port}"
    subprocess.run(["bash", "-c", command], check=True, timeout=PATIENCE)
    return True


def more_than_a_minute(scale: Scale, folder: Path, *, tls: bool = False) -> Iterator[Outcome]:
    """A client that has sent more than its rate allows in a minute, and is gone."""
    lines = 20 + 5 * LONGEST + 100
    settings = certificate(folder) if tls else Certificate()
    with Metered(speed=HURRY, **settings) as server, Guest(server.port, tls=tls) as listener:
        guest = Guest(server.port, tls=tls)
        guest.until(b" to the server!\n")
        guest.send(b"".join(b"line %d\n" % number for number in range(lines)))
        name = guest.address
        half_close(guest)
        end = time.monotonic() + 2 * LONGEST / HURRY + PATIENCE
        gone = f"{name} has left the server.\n".encode()
        while gone not in listener.got and time.monotonic() < end:
            with suppress(TimeoutError):
                listener.take(1 << 18, 0.2)
        heard = listener.got.count(b": line ")
        told = server.read().told
        guest.sock.close()
    # A server that waits for a core longer than the burst fills, 0.2 s in this hurry, loses lines by that.
    least, most = 20 + 5 * LONGEST * 0.5, 20 + 5 * LONGEST * 1.1
    attack = f"{'TLS: ' if tls else ''}{lines} lines, then half-close"
    yield Outcome(attack, f"{heard} heard", f"{least:.0f} to {most:.0f}: a minute's", least <= heard <= most)
    dropped = lines - heard
    counted = bool(dropped) and any(re.search(rf"\b{dropped}\b", each) for each in told)
    yield Outcome(attack, f"the operator is {'' if counted else 'not '}told of {dropped}", "told", counted)


def pause(scale: Scale, folder: Path, *, tls: bool = False) -> Iterator[Outcome]:
    """The server stands still for longer than its stall timeout, while lines wait for those who read."""
    settings = certificate(folder) if tls else Certificate()
    with Metered(stall_timeout=2, **settings) as server, ExitStack() as stack:
        # One reads on all the time, one stands still with the server, and one never reads.
        reader, sleeper, _ = (stack.enter_context(Guest(server.port, tls=tls, buffer=4096)) for _ in range(3))
        wait_for(lambda: server.members == 3)
        server.begin()
        server.say("x" * 1013, 512)
        time.sleep(0.8)  # the server sees that nothing moves, and has no reason yet to drop anybody
        server.process.send_signal(signal.SIGSTOP)
        gone = _read((reader,), 3.0, lambda: False)
        server.process.send_signal(signal.SIGCONT)
        gone |= _read((reader, sleeper), 6.0, lambda: server.dropped)
        gone |= _read((reader, sleeper), 0.5, lambda: False)
        dropped = server.dropped
    yield Outcome(
        f"{'TLS: ' if tls else ''}SIGSTOP of 3 s with a stall timeout of 2 s",
        f"{len(gone)} of 2 who read are dropped, {dropped} in all",
        "none of them, 1 in all, who never reads",
        not gone and dropped == 1,
    )


def _read(guests: Sequence[Guest], seconds: float, until: Callable[[], object]) -> set[Guest]:
    """Have these read for so long or until then, a piece at a time; return who has been cut off."""
    gone: set[Guest] = set()
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        for guest in guests:
            with suppress(BlockingIOError, ssl.SSLWantReadError, TimeoutError):
                if not guest.take(1 << 12, 0.01):
                    gone.add(guest)
    return gone
