"""What the operator does to users: kick, mute and ban, each asked about in one dialog, and the way back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from ..server.addresses import is_of_this_machine
from ..server.room import notices
from ..server.room.commands import forced_ban, parse_duration
from ..server.room.events import Banned, Event, Joined, LeaveReason, Left, Muted, Renamed, Unbanned
from ..server.room.operator import OperatorSession
from ..widgets.action_dialog import Action, ActionDialog, Decision, Question
from ..widgets.confirm import Confirm
from ..widgets.user_row import User
from .panes import Panes
from .undo import NOTHING, BanDone, KickDone, MuteDone, Undo


def _nothing() -> None:
    """Do nothing more."""


class Moderation:
    """Kicks, mutes and bans by id, after asking, and undoes the last mute or ban.

    Args:
        operator: the session that acts.
        panes: say who is here, and what could not be done or was undone.
        when_done: shows what came of all acts so far, as soon as they are done, and calls what it is given.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        operator: OperatorSession,
        panes: Panes,
        when_done: Callable[[Callable[[], object]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._users = panes.users
        self._say = panes.answers.say
        self._clear = panes.answers.clear
        self._when_done = when_done
        self._clock = clock
        self._undo = Undo()
        self._hint = ""
        self._muted: set[int] = set()
        self._times: dict[Action, str] = {}
        self._dialog: ActionDialog | None = None

    def ask(self, app: App[Any], action: Action, user_id: int) -> None:
        """Ask for time and reason, then act on that user; one question at a time."""
        if isinstance(app.screen, ActionDialog | Confirm):
            return
        user = self._users.users.get(user_id)
        question = self._question(action, user) if user else None
        if user is None:
            self._say(notices.already_left(), error=True)
        elif question is not None:
            # The app's worker: type-ahead would wait for a widget's, while this one waits for the operator's
            # keys.
            app.run_worker(self._ask(app, question))

    def unmute(self, user_id: int) -> None:
        """Let that user speak again."""
        self._clear()
        if not self._operator.unmute(user_id):
            self._say(notices.already_left(), error=True)
        self._when_done(_nothing)

    def undo(self) -> None:
        """Lift the last mute or ban, if it was a moment ago; one that is still on its way is the last too."""
        self._clear()
        self._when_done(self._undo_last)

    def _undo_last(self) -> None:
        done = self._undo.take(self._clock())
        match done:
            case None:
                self._say(NOTHING, error=True)
                return
            case MuteDone(user_id):
                if not self._operator.unmute(user_id):
                    self._say(notices.already_left(), error=True)
                    return
            case BanDone(networks):
                for network in networks:
                    self._operator.unban(network)
            case KickDone():
                self._say(done.undone, error=True)
                return
        self._when_done(lambda: self._tell_undone(done))

    def _tell_undone(self, done: MuteDone | BanDone) -> None:
        # Else the answer has said that the user left in the meantime.
        if isinstance(done, BanDone) or self._operator.sees(done.user_id):
            self._say(done.undone)

    def take_hint(self) -> str:
        """Return how the act that is about to be answered can be undone, once."""
        hint, self._hint = self._hint, ""
        return hint

    def _note(self, event: Event) -> None:
        now = self._clock()
        match event:
            case Muted(_, member_id, name, True, is_old=is_old, node=node):
                if not is_old and not node:
                    self._hint = self._undo.muted(member_id, name, member_id in self._muted, now).hint
                self._muted.add(member_id)
            case Muted(_, member_id):
                self._undo.unmuted(member_id)
                self._muted.discard(member_id)
            case Banned(_, networks, replaced=replaced, node=""):
                shown, before = ([network.shown for network in those] for those in (networks, replaced))
                self._hint = self._undo.banned(shown, before, now).hint
            case Unbanned(_, network):
                self._undo.unbanned(network.shown)
            case Left(_, member_id, name, why):
                if why is LeaveReason.KICKED:
                    self._undo.kicked(name, now)
                if member_id in self._muted:
                    self._undo.unmuted(member_id)
                    self._muted.discard(member_id)
                if self._dialog is not None:
                    self._dialog.gone(member_id)
            case _:
                pass

    def note_all(self, happened: Sequence[Event]) -> None:
        """Note what has become of users, whoever did it, and tell in a question about a ban whom it drops."""
        self._hint = ""  # of what nobody got an answer for: another operator did it
        for event in happened:
            self._note(event)
        dialog = self._dialog
        if dialog is None or dialog.question.action is not Action.BAN:
            return
        if any(isinstance(event, Joined | Renamed | Left) for event in happened):
            hit = [member.name for member in self._operator.hit_by_ban(dialog.question.user_id)]
            if hit:  # else the user has left, and nothing can be done
                dialog.hits(hit)

    async def _ask(self, app: App[Any], question: Question) -> None:
        self._dialog = dialog = ActionDialog(question, parse_duration)
        try:
            decision = await dialog.ask(app)
        finally:
            self._dialog = None
        if decision is not None:
            self._do(decision, question)
        elif dialog.refusal:
            self._say(dialog.refusal, error=True)

    def _do(self, decision: Decision, question: Question) -> None:
        operator, user_id, reason = self._operator, decision.user_id, decision.reason
        self._clear()
        match decision.action:
            case Action.KICK:
                done = operator.kick(user_id, reason)
            case Action.MUTE:
                done = operator.mute(user_id, decision.seconds, reason)
            case Action.BAN:
                done = operator.ban(user_id, decision.seconds, reason)
        if decision.time:
            self._times[decision.action] = decision.time
        if not done:
            self._say(f"{question.name} has left; nobody was {decision.action.done}", error=True)
        self._when_done(_nothing)

    def _question(self, action: Action, user: User) -> Question | None:
        """Return what to ask, or None if it cannot be done, which the operator is told."""
        in_full = user.name if user.name == user.address else f"{user.name} ({user.address})"
        hit: list[str] = []
        if action is Action.BAN:
            network = self._operator.network_of(user.id)
            if network is None:
                self._say(notices.already_left(), error=True)
                return None
            if is_of_this_machine(network):
                command = forced_ban(network.shown, None)
                self._say(notices.ban_of_loopback(network.shown, command), error=True)
                return None
            in_full = network.shown
            hit = [member.name for member in self._operator.hit_by_ban(user.id)]
        return Question(action, user.id, user.name, in_full, hit, self._times.get(action, ""))
