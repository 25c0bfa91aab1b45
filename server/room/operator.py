"""The operator: what its lines and its keys do to the room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ..addresses import Network, NetworkMap, counted, is_of_this_machine, network_of
from ..gate.bans import Bans
from ..gate.bans_file import BansFileError
from ..settings import Settings
from ..wire.framing import Line, Nothing, TooLong
from ..wire.tls import CertificateError
from . import commands, notices
from .commands import Role
from .events import Event, LeaveReason, OperatorMessaged, OperatorSaid, QuitRequested, Replied
from .room import Fanout, Member, Room
from .text import clean, is_blank


@dataclass(frozen=True, slots=True)
class _Asked:
    """A ban that waits to be repeated, and whom it was said to hit."""

    request: commands.Ban
    networks: Collection[Network]
    ids: Collection[int]
    bearers: Collection[tuple[str, Network]]
    """Their nicknames, and the network as which each is counted: whoever comes back as such is known."""

    def knows(self, member: Member) -> bool:
        """Whether `member` is one of those whom the operator was told of."""
        if member.id in self.ids:
            return True
        return member.nickname is not None and (member.nickname, counted(member.ip)) in self.bearers


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
        self._asked: _Asked | None = None

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
        self._room.leave_together(members, LeaveReason.KICKED, remark)
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
        self._keep_out(networks, seconds, self.hit_by(networks))

    def hit_by(self, networks: Sequence[Network]) -> Sequence[Member]:
        """The members whom a ban of `networks` would drop, in order of joining."""
        banned: NetworkMap[bool] = NetworkMap()
        for network in networks:
            banned[network] = True
        return [member for member in self._room.members if banned.covers(member.ip)]

    def reload(self) -> None:
        """Read the TLS certificate and the bans file again; what cannot be read stays as it is in force.

        Members whom the file bans are dropped.
        """
        if self._reload is not None:
            self.reload_certificate()
        if self._bans.file is not None:
            self._bans.reload(self._bans_reloaded)
        elif self._reload is None:
            self._reply(notices.nothing_to_reload())

    def _bans_reloaded(self, result: int | BansFileError) -> None:
        if isinstance(result, BansFileError):
            self._reply(notices.bans_not_read(str(result)))
            return
        hit = [member for member in self._room.members if self._bans.covers(member.ip)]
        self._room.leave_together(hit, LeaveReason.BANNED)
        self._reply(notices.bans_reloaded(result, len(hit)))

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
                self._bans.render(notices.bans_listed, self._reply)
            case commands.Reload():
                self.reload()
            case commands.ListUsers():
                self._reply(self._room.listing() or notices.no_users())
            case commands.Help():
                self._reply(notices.help_lines(Role.OPERATOR, encrypted=self._settings.encrypted))
            case commands.Quit():
                self._emit(QuitRequested(self._clock()))
            case other:
                self._reply(notices.complaint(other))

    def _ban(self, request: commands.Ban, asked: _Asked | None) -> None:
        """Ban at once where that hits nobody, or nobody but whom the operator was told of; ask otherwise."""
        if asked and asked.request != request:
            asked = None
        # Who was named may be gone by now, and is meant all the same.
        known: Collection[Network] = asked.networks if asked else ()
        new = [network for network in self._networks(request.target) if network not in known]
        networks = [*known, *new]
        loopback = next(filter(is_of_this_machine, new), None)
        hit = self.hit_by(networks)
        if not networks:
            self._reply(notices.not_an_address(request.target))
        elif loopback and not request.force:
            self._reply(notices.ban_of_loopback(loopback.shown, request.forced))
        elif all(asked.knows(member) for member in hit) if asked else not hit:
            self._keep_out(networks, request.seconds, hit)
        else:
            bearers = {(member.nickname, counted(member.ip)) for member in hit if member.nickname is not None}
            self._asked = _Asked(request, dict.fromkeys(networks), {member.id for member in hit}, bearers)
            names = [member.name for member in hit]
            self._reply(notices.ban_asked(networks, names))

    def _keep_out(self, networks: Sequence[Network], seconds: float | None, hit: Sequence[Member]) -> None:
        self._bans.add(networks, seconds)
        self._room.leave_together(hit, LeaveReason.BANNED)
        self._reply(notices.ban_added(networks, seconds))

    def _networks(self, target: str) -> list[Network]:
        """The networks that `target` stands for: itself, or what those whom it names are counted with."""
        try:
            return [network_of(target)]
        except ValueError:
            return list(dict.fromkeys(counted(member.ip) for member in self._room.find(target)))

    def _unban(self, text: str) -> None:
        try:
            network = network_of(text)
        except ValueError:
            self._reply(notices.not_an_address(text))
            return
        lifted = self._bans.remove(network)
        self._reply(notices.ban_lifted(network.shown) if lifted else notices.no_such_ban(network.shown))

    def _reply(self, text: str) -> None:
        self._emit(Replied(self._clock(), text))
