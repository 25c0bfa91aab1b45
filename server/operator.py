"""The operator: what its lines and its keys do to the room."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from . import commands, notices
from .bans import Bans, Network, address_of, network_of, shown
from .commands import Role
from .events import Event, LeaveReason, OperatorMessaged, OperatorSaid, QuitRequested, Replied
from .framing import Line, Nothing, TooLong
from .room import Fanout, Member, Room
from .settings import Settings
from .text import clean, is_blank
from .tls import CertificateError


class Operator:
    """Runs a room. What the operator asks for is answered by events.

    Args:
        room: the room.
        fanout: takes the operator's own lines for the members.
        bans: who is kept out.
        emit: takes the events.
        clock: the wall clock, in seconds since the epoch.
        reload: reads the TLS certificate again, and raises CertificateError; None where there is no TLS.
        settings: the limits.
    """

    def __init__(
        self,
        room: Room,
        fanout: Fanout,
        bans: Bans,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        reload: Callable[[], None] | None,
        settings: Settings,
    ) -> None:
        self._room = room
        self._fanout = fanout
        self._bans = bans
        self._emit = emit
        self._clock = clock
        self._reload = reload
        self._settings = settings
        self._asked: object = None  # the ban that waits to be repeated, and whom it hits

    def operate(self, line: Line) -> None:
        """Do what the operator's `line`, which is cleaned first, asks for."""
        if isinstance(line, TooLong):
            self._reply(notices.too_long(line.limit))
        elif isinstance(line, Nothing):
            self._reply(notices.nothing_left())
        else:
            self._operate(line)

    def _operate(self, line: str) -> None:
        text = clean(line)
        if len(text.encode()) > self._settings.max_line:
            self._reply(notices.too_long(self._settings.max_line))
        elif text and not text.isspace():
            self._run(commands.parse(text, Role.OPERATOR))
        elif not is_blank(line):
            self._reply(notices.nothing_left())

    def say(self, text: str) -> None:
        """Say `text` to everybody."""
        self._fanout.to_all(notices.said(notices.OPERATOR, [text]))
        self._emit(OperatorSaid(self._clock(), text))

    def message(self, members: Sequence[Member], recipient: str, text: str) -> None:
        """Say `text` to `members` alone, whom the operator calls `recipient`."""
        for member in members:
            self._fanout.to(member, notices.operator_private(text))
        self._emit(OperatorMessaged(self._clock(), recipient, text, len(members)))

    def kick(self, members: Sequence[Member], remark: str = "") -> None:
        """Disconnect `members`; `remark` is for the log."""
        for member in members:
            self._room.leave(member, LeaveReason.KICKED, remark)
        self._reply(notices.kicked(len(members)))

    def mute(self, members: Sequence[Member], seconds: float | None = None) -> None:
        """Let nothing be heard of `members` for `seconds`, or until they are unmuted."""
        for member in members:
            self._room.mute(member, seconds)
        self._reply(notices.muted_count(len(members)))

    def unmute(self, members: Sequence[Member]) -> None:
        """Let `members` be heard again."""
        self._reply(notices.unmuted_count(sum([self._room.unmute(member) for member in members])))

    def ban(self, networks: Sequence[Network], seconds: float | None = None) -> None:
        """Keep out who comes from `networks`, for `seconds` or for good, and drop who is here from there."""
        hit = self.hit_by(networks)
        for network in networks:
            self._bans.add(network, seconds)
        for member in hit:
            self._room.leave(member, LeaveReason.BANNED)
        self._reply(notices.ban_added([shown(network) for network in networks], seconds))

    def hit_by(self, networks: Sequence[Network]) -> Sequence[Member]:
        """The members whom a ban of `networks` would drop, in order of joining."""
        return [
            member
            for member in self._room.members
            if any(address_of(member.host) in network for network in networks)
        ]

    def reload_certificate(self) -> None:
        """Read the TLS certificate again; what is loaded stays in use where that fails."""
        if self._reload is None:
            self._reply(notices.no_certificate())
            return
        try:
            self._reload()
        except CertificateError as error:
            self._reply(notices.certificate_refused(str(error)))
        else:
            self._reply(notices.certificate_reloaded())

    # A line

    def _run(self, request: commands.Request) -> None:
        asked, self._asked = self._asked, None
        match request:
            case commands.Say(text):
                self.say(text)
            case commands.PrivateMessage(recipient, text):
                self.message(self._room.find(recipient), recipient, text)
            case commands.Kick(recipient, reason):
                self.kick(self._room.find(recipient), reason)
            case commands.Mute(recipient, seconds):
                self.mute(self._room.find(recipient), seconds)
            case commands.Unmute(recipient):
                self.unmute(self._room.find(recipient))
            case commands.Ban():
                self._ban(request, asked)
            case commands.Unban(network):
                self._unban(network)
            case commands.ListBans():
                self._reply(self._listed_bans() or notices.no_bans())
            case commands.Reload():
                self.reload_certificate()
            case commands.ListUsers():
                self._reply(self._room.listing() or notices.no_users())
            case commands.Help():
                self._reply(notices.help_lines(Role.OPERATOR, encrypted=self._settings.encrypted))
            case commands.Quit():
                self._emit(QuitRequested(self._clock()))
            case other:
                self._reply(notices.complaint(other))

    def _ban(self, request: commands.Ban, asked: object) -> None:
        """Ban at once where that hits nobody, or when the same was asked just before; ask otherwise."""
        networks = self._networks(request.target)
        loopback = [network for network in networks if network.overlaps(_LOOPBACK[network.version])]
        hit = self.hit_by(networks)
        question = (request, networks, hit)
        if not networks:
            self._reply(notices.not_an_address(request.target))
        elif loopback and not request.force:
            self._reply(notices.ban_of_loopback(shown(loopback[0])))
        elif hit and asked != question:
            self._asked = question
            names = [member.name for member in hit]
            self._reply(notices.ban_asked([shown(network) for network in networks], names))
        else:
            self.ban(networks, request.seconds)

    def _networks(self, target: str) -> list[Network]:
        """The networks that `target` stands for: itself, or the addresses of those it names."""
        try:
            return [network_of(target)]
        except ValueError:
            return list(dict.fromkeys(network_of(member.host) for member in self._room.find(target)))

    def _unban(self, text: str) -> None:
        try:
            network = network_of(text)
        except ValueError:
            self._reply(notices.not_an_address(text))
            return
        lifted = self._bans.remove(network)
        self._reply(notices.ban_lifted(shown(network)) if lifted else notices.no_such_ban(shown(network)))

    def _listed_bans(self) -> str:
        return "\n".join(notices.ban_listed(shown(ban.network), ban.seconds) for ban in self._bans.all())

    def _reply(self, text: str) -> None:
        self._emit(Replied(self._clock(), text))


_LOOPBACK: dict[int, Network] = {
    4: ipaddress.IPv4Network("127.0.0.0/8"),
    6: ipaddress.IPv6Network("::1/128"),
}
