"""What members are told of a cluster. One word for all other nodes: the others."""

from __future__ import annotations


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


def _others(users: int) -> str:
    return f"{users:,} other {'user' if users == 1 else 'users'}"
