"""What a node asks of JetStream, and what the answers say: subjects, settings, replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .settings import LOG_AGE, LOG_SIZE, ClusterSettings

HEARTBEAT = 0.5
"""How often the engine sends something to a consumer at least, in seconds."""

_INACTIVE = 5.0  # seconds until the engine forgets a consumer that nobody reads
_DUPLICATES = 1.0  # seconds for which it looks for message ids, of which there are none
_NANO = 1_000_000_000
_CONTROL = "100"  # the status of a heartbeat, and of what only flow control is about
_NO_RESPONDERS = "503"

Headers = Mapping[str, str] | None


class Subjects(NamedTuple):
    """Where the entries and messages of one node of a room go."""

    room: str
    node: str

    @property
    def stream(self) -> str:
        """The name of the stream."""
        return f"CHAT_{self.room}"

    @property
    def entries(self) -> str:
        """The subject of this node's entries: the engine lets no other node write to it."""
        return f"chat.{self.room}.log.{self.node}"

    @property
    def inbox(self) -> str:
        """What the subjects begin with to which the engine answers this node."""
        return f"_INBOX_{self.node}"

    def of_process(self, node: str, process: int) -> str:
        """The subject of what is for one process of `node` alone."""
        return f"chat.{self.room}.to.{node}.{process:012x}"


def new_stream(settings: ClusterSettings) -> dict[str, Any]:
    """The settings of a stream for the room."""
    return {
        "name": f"CHAT_{settings.room}",
        "subjects": [f"chat.{settings.room}.log.*"],
        "retention": "limits",
        "discard": "old",
        "storage": settings.storage,
        "num_replicas": settings.replicas,
        "max_age": int(LOG_AGE * _NANO),
        "max_bytes": LOG_SIZE,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "duplicate_window": int(_DUPLICATES * _NANO),
        "deny_delete": True,
        "deny_purge": True,
    }


def new_consumer(stream: str, start: int, inbox: str) -> dict[str, Any]:
    """The settings of a consumer that sends `stream` to `inbox`, from the position `start`."""
    consumer = {
        "deliver_subject": inbox,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": start,
        "ack_policy": "none",
        "flow_control": True,
        "idle_heartbeat": int(HEARTBEAT * _NANO),
        "inactive_threshold": int(_INACTIVE * _NANO),
        "max_deliver": 1,
        "mem_storage": True,
        "num_replicas": 1,
    }
    return {"stream_name": stream, "config": consumer}


class Delivery(NamedTuple):
    """What the reply subject of an entry says of it."""

    position: int
    """Its place in the stream."""

    number: int
    """How many the consumer has sent with this one, from 1."""

    time: float
    """Since when it is in the stream: wall-clock seconds of the engine."""


def delivery(reply: str) -> Delivery | None:
    """What `reply` says of the entry that comes with it; None if what comes is no entry."""
    tokens = reply.split(".")
    if tokens[:2] != ["$JS", "ACK"]:
        return None
    # ADR-15: with a domain and an account there are two more, and possibly one at the end.
    first = 5 if len(tokens) < 11 else 7
    position, number, time = map(int, tokens[first : first + 3])
    return Delivery(position, number, time / _NANO)


def is_control(headers: Headers) -> bool:
    """Whether a message that is no entry is a heartbeat or is about flow control; others end the reading."""
    return bool(headers) and headers.get("Status") == _CONTROL


def wanted_answer(reply: str, headers: Headers) -> str:
    """Where the consumer waits for an empty message before it goes on; "" where it does not."""
    return reply or (headers or {}).get("Nats-Consumer-Stalled", "")


def sent_before(headers: Headers) -> int:
    """How many entries the consumer had sent before this heartbeat."""
    return int((headers or {}).get("Nats-Last-Consumer", 0))


def has_no_taker(headers: Headers) -> bool:
    """Whether this answer says that nothing takes what was sent."""
    return (headers or {}).get("Status") == _NO_RESPONDERS
