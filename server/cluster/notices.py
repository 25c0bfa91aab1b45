"""Every sentence about a cluster. One word for all other nodes: the others."""

from __future__ import annotations

# For members


def cut_off(users: int) -> str:
    return f"Cut off from {_others(users)}: only those on this server read you until the link is back."


def link_is_back(users: int) -> str:
    return f"The link is back: {_others(users)} {'is' if users == 1 else 'are'} here."


def users_joined(users: int) -> str:
    return f"{users:,} users have joined."


def users_left(users: int) -> str:
    return f"{users:,} users have left the server."


def lines_are_missing() -> str:
    return "Some lines of others are missing here."


# For the operator


def entered(nodes: int, users: int) -> str:
    return f"This node is in: {count_of(nodes, 'node')}, {count_of(users, 'user')}."


def node_is_in(node: str, users: int) -> str:
    return f"Node {node} is in, with {count_of(users, 'user')}."


def node_is_gone(node: str, users: int, why: str) -> str:
    return f"Node {node} is gone, with {count_of(users, 'user')}: {why}."


def link_is_silent() -> str:
    return "The link to the other nodes is silent: lines wait."


def link_works(seconds: float) -> str:
    return f"The link works again after {seconds:.0f}s."


def log_was_lost(why: str) -> str:
    return f"The log was lost ({why}): all nodes state anew who is here."


def was_replaced(node: str) -> str:
    return f"Another node named {node} has taken this one's place: give each a --node of its own."


def differs() -> str:
    return "The other nodes run another version, or have other settings: give all the same --shared-nicks."


def is_behind(seconds: float) -> str:
    return f"This node is {seconds:.0f}s behind the others."


def unreachable(why: str) -> str:
    return f"The engine cannot be reached: {why}."


def engine_refuses(why: str) -> str:
    return f"The engine refuses: {why}."


def ignored(count: int, node: str, why: str) -> str:
    """Entries of a node that were not understood; an empty name stands for one that is not known."""
    whose = f"of node {node}" if node else "sent to this node"
    return f"Ignored {count:,} {'entry' if count == 1 else 'entries'} {whose}: {why}."


def silent() -> str:
    """The state of the link, for the status."""
    return "link silent"


def alone() -> str:
    """The state of the link, for the status."""
    return "cut off"


def count_of(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _others(users: int) -> str:
    return f"{users:,} other {'user' if users == 1 else 'users'}"
