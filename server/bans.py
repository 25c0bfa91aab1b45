"""Who may not come in, and until when; kept in a file where there is one."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IP address that accept gave as `host`, without the name of the interface it came in on."""
    return ipaddress.ip_address(host.partition("%")[0])


def is_loopback(host: str) -> bool:
    """Whether everybody on this machine has the IP address `host`."""
    return address_of(host).is_loopback


def network_of(text: str) -> Network:
    """The network that `text` is: an IP address alone, or one with the length of its prefix.

    Raises:
        ValueError: if it is neither.
    """
    return ipaddress.ip_network(text.partition("%")[0], strict=False)


def shown(network: Network) -> str:
    """`network` as an operator types it: a network of one address as that address."""
    return str(network.network_address if network.num_addresses == 1 else network)


@dataclass(frozen=True, slots=True)
class Ban:
    """Nobody from `network` may join for another `seconds`; None means until it is lifted."""

    network: Network
    seconds: float | None


class BansFileError(Exception):
    """The bans file cannot be read, or does not hold bans; the message says where and why."""


class Bans:
    """The bans in force.

    A duration is measured by a monotonic clock, so that setting the system's clock neither lifts nor
    lengthens a ban. The file holds wall-clock times: a line for each ban, the network and the end in whole
    seconds since the epoch, or `-` for no end.

    Args:
        path: the file, or None to keep the bans in memory alone. A missing file holds no bans.
        monotonic, wall: the two clocks, in seconds.
        failed: is told when the file could not be written; what was changed is in force all the same.

    Raises:
        BansFileError: if the file is there and cannot be read as bans.
    """

    def __init__(
        self,
        path: Path | None,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        failed: Callable[[OSError], None],
    ) -> None:
        self._path = path
        self._monotonic = monotonic
        self._wall = wall
        self._failed = failed
        self._ends: dict[Network, float | None] = {}
        if path is not None:
            self._load(path)

    def all(self) -> Sequence[Ban]:
        """The bans in force, in order of their networks."""
        self._forget_ended()
        now = self._monotonic()
        return [
            Ban(network, None if end is None else end - now)
            for network, end in sorted(self._ends.items(), key=lambda item: (item[0].version, item[0]))
        ]

    def covers(self, host: str) -> bool:
        """Whether a ban is in force for the IP address `host`."""
        if not self._ends:
            return False
        self._forget_ended()
        address = address_of(host)
        return any(address in network for network in self._ends)

    def add(self, network: Network, seconds: float | None) -> None:
        """Ban `network` for `seconds`, or until it is lifted. A ban of the same network is replaced."""
        self._ends[network] = None if seconds is None else self._monotonic() + seconds
        self._save()

    def remove(self, network: Network) -> bool:
        """Lift the ban of exactly `network`; whether there was one."""
        self._forget_ended()
        if network not in self._ends:
            return False
        del self._ends[network]
        self._save()
        return True

    def _forget_ended(self) -> None:
        now = self._monotonic()
        for network in [network for network, end in self._ends.items() if end is not None and end <= now]:
            del self._ends[network]

    def _load(self, path: Path) -> None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise BansFileError(
                f"{path}: {error.strerror if isinstance(error, OSError) else error}"
            ) from None
        to_monotonic = self._monotonic() - self._wall()
        for number, line in enumerate(lines, 1):
            try:
                network, end = line.split()
                self._ends[ipaddress.ip_network(network)] = None if end == "-" else int(end) + to_monotonic
            except ValueError:
                raise BansFileError(f"{path}, line {number}: {line!r} is not a network and a time") from None
        self._forget_ended()

    def _save(self) -> None:
        """Write the file anew, in one step: after a crash or on a full disk the old one is still there."""
        if self._path is None:
            return
        to_wall = self._wall() - self._monotonic()
        text = "".join(
            f"{network} {'-' if end is None else round(end + to_wall)}\n"
            for network, end in self._ends.items()
        )
        name = None
        try:
            # mkstemp creates with mode 0600.
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except OSError as error:
            if name is not None:
                with suppress(OSError):
                    os.unlink(name)
            self._failed(error)
