"""Issuers of commands, as the handlers see them: what a command can ask of its issuer."""

from __future__ import annotations

from typing import Protocol


class Issuer(Protocol):
    """Whoever typed a line, and what anybody may do by typing one."""

    def say(self, text: str) -> object:
        """Say `text` to everybody."""
        ...

    def message(self, target: str, text: str) -> object:
        """Send `text` to the members that `target` names."""
        ...

    def list_users(self, word: str = "") -> None:
        """Answer with the members, or with those who have `word` in their name or address."""
        ...

    def help(self) -> None:
        """Answer with the available commands."""
        ...

    def quit(self) -> None:
        """Leave; for an operator, stop the server."""
        ...

    def reply(self, text: str, /) -> None:
        """Answer the issuer alone."""
        ...

    def refuse(self, text: str, /) -> None:
        """Answer the issuer alone that nothing was done, and why."""
        ...


class ClientIssuer(Issuer, Protocol):
    """A member, and what only members may do."""

    def nick(self, name: str) -> None:
        """Take `name`, which may be invalid, as the nickname."""
        ...


class OperatorIssuer(Issuer, Protocol):
    """An operator, and what only operators may do. `seconds` is None for no end."""

    def kick(self, target: str, remark: str) -> object:
        """Disconnect the members that `target` names."""
        ...

    def mute(self, target: str, seconds: float | None, remark: str) -> object:
        """Mute the members that `target` names."""
        ...

    def unmute(self, target: str) -> object:
        """Unmute the members that `target` names."""
        ...

    def ask_to_ban(self, target: str, seconds: float | None, remark: str, *, force: bool) -> None:
        """Ban `target` (a member, an address or a network), or ask the operator to repeat the command."""
        ...

    def unban(self, network: str) -> None:
        """Lift the ban of `network`."""
        ...

    def list_bans(self) -> None:
        """Answer with the bans in force."""
        ...

    def reload(self) -> None:
        """Reload the TLS certificate and the bans file."""
        ...
