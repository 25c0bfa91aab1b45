"""Who may come in: bans, and how many connections, in all and from one address."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from . import notices
from .bans import Bans, address_of, is_loopback
from .rate import TokenBucket
from .settings import Settings

_MOST_BUCKETS = 4096  # addresses remembered before those are forgotten that have been quiet


class Gate:
    """Decides who may join, before anybody is told of it, and counts who is in.

    Loopback addresses are exempt from the limits per address, since everybody on the machine shares them,
    and IPv6 addresses count by their /64 network, since one machine has all of it (RFC 4291, 2.5.4).

    Args:
        settings: the limits.
        bans: who is banned.
        clock: monotonic, in seconds.
    """

    def __init__(self, settings: Settings, bans: Bans, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._bans = bans
        self._clock = clock
        self._count = 0
        self._counts: dict[str, int] = {}
        self._buckets: dict[str, TokenBucket] = {}

    def enter(self, host: str) -> str | None:
        """Count in a connection from the IP address `host`; or return the notice that refuses it."""
        settings = self._settings
        if self._bans.covers(host):
            return notices.banned()
        if settings.max_clients and self._count >= settings.max_clients:
            return notices.server_full()
        key = _counted_as(host)
        if key is not None:
            if settings.max_per_ip and self._counts.get(key, 0) >= settings.max_per_ip:
                return notices.too_many_connections()
            if settings.connect_rate and not self._bucket(key).take(1, self._clock()):
                return notices.too_many_connections()
            self._counts[key] = self._counts.get(key, 0) + 1
        self._count += 1
        return None

    def leave(self, host: str) -> None:
        """Count out a connection that `enter` counted in."""
        self._count -= 1
        key = _counted_as(host)
        if key is not None:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def _bucket(self, key: str) -> TokenBucket:
        now = self._clock()
        if key not in self._buckets:
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets = {
                    key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)
                }
            rate = self._settings.connect_rate / 60
            self._buckets[key] = TokenBucket(rate, self._settings.connect_burst, now)
        return self._buckets[key]


def _counted_as(host: str) -> str | None:
    """What the connections from `host` are counted under; None for loopback."""
    if is_loopback(host):
        return None
    address = address_of(host)
    if address.version == 6:
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return host
