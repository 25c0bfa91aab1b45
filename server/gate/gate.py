"""Who may come in: bans, and limits on connections, in total and per address."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from ..addresses import Network, NetworkMap, address_of, counted, is_of_this_machine, network_of
from ..rate import TokenBucket
from ..room import notices
from ..settings import Settings
from .bans import Bans
from .refusals import Refusals

_MOST_BUCKETS = 4096  # addresses whose recent connections are remembered


class Gate:
    """Decides who may join, before anybody is notified, and counts the open connections.

    Loopback addresses, which everybody on the machine shares, are exempt from the limits per address, and so
    are those in `Settings.trusted`. IPv6 addresses count by their /64 network (`counted`).

    Args:
        settings: the limits.
        bans: who is banned.
        refusals: records who is turned away.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, settings: Settings, bans: Bans, refusals: Refusals, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._bans = bans
        self._refusals = refusals
        self._clock = clock
        self._count = 0
        self._counts: dict[Network, int] = {}
        # Least recently used first.
        self._buckets: OrderedDict[Network, TokenBucket] = OrderedDict()
        self._trusted: NetworkMap[bool] = NetworkMap()
        for text in settings.trusted:
            self._trusted[network_of(text)] = True

    def enter(self, host: str) -> str | None:
        """Count a connection from the IP address `host`, or return the notice that refuses it."""
        settings = self._settings
        if self.is_banned(host):
            return notices.banned()
        if settings.max_clients and self._count >= settings.max_clients:
            return notices.server_full()
        key = self._counted_as(host)
        if key is not None:
            if settings.max_per_ip and self._counts.get(key, 0) >= settings.max_per_ip:
                return notices.too_many_connections()
            if settings.connect_rate and not self._bucket(key).take(1, self._clock()):
                return notices.too_many_connections()
            self._counts[key] = self._counts.get(key, 0) + 1
        self._count += 1
        return None

    def is_banned(self, host: str) -> bool:
        """Whether a ban is in force for the IP address `host`."""
        return self._bans.covers(host)

    def refused(self, why: str, host: str) -> None:
        """Record a connection from the IP address `host` that did not become a member."""
        self._refusals.add(why, host)

    def leave(self, host: str) -> None:
        """Uncount a connection that `enter` counted."""
        self._count -= 1
        key = self._counted_as(host)
        if key is not None:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def _bucket(self, key: Network) -> TokenBucket:
        """The bucket of `key`, now the most recently used.

        Somebody with enough addresses to push out the first one gains nothing by using it again.
        """
        if bucket := self._buckets.get(key):
            self._buckets.move_to_end(key)
            return bucket
        if len(self._buckets) >= _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket = TokenBucket(self._settings.connect_rate / 60, self._settings.connect_burst, self._clock())
        self._buckets[key] = bucket
        return bucket

    def _counted_as(self, host: str) -> Network | None:
        """The network that connections from `host` are counted under; None if they are not limited."""
        address = address_of(host)
        if is_of_this_machine(address) or self._trusted.covers(address):
            return None
        return counted(address)
