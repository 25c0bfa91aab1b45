"""To whom the operator writes, and who waits for an answer."""

from __future__ import annotations

from ..server.room import notices
from ..server.room.commands import spoken
from ..server.room.events import Event, Left, Renamed
from ..server.room.operator import OperatorSession
from ..widgets.command_line import CommandLine
from ..widgets.message_log import MessageLog
from ..widgets.prompt import Recipient
from ..widgets.user_list import UserList
from .inbox import Inbox
from .moderation import Say


class Conversation:
    """Sends what is typed to everybody or to one user, and goes through the private lines.

    Args:
        operator: the session that speaks.
        line: where the operator types.
        log: where private lines are read.
        users: who is here.
        inbox: the private lines that wait.
    """

    def __init__(
        self, operator: OperatorSession, line: CommandLine, log: MessageLog, users: UserList, inbox: Inbox
    ) -> None:
        self._operator = operator
        self._line = line
        self._log = log
        self._users = users
        self._inbox = inbox
        self._answering: int | None = None

    def send(self, line: CommandLine.Line) -> None:
        """Carry out a line: a command, or text for whom the prompt named when Enter was pressed.

        Whoever speaks wants to see what comes next, so the log follows again; a command never moves it.
        """
        if spoken(line.text) is not None:
            self._log.following = True
        self._operator.operate(line.text, line.recipient_id)

    def write(self, user_id: int) -> bool:
        """Write to that user until that changes; return whether it is here."""
        user = self._users.users.get(user_id)
        if user is None:
            return False
        self._line.recipient = Recipient(user.id, user.name)
        self._line.screen.set_focus(self._line)
        return True

    def everybody(self) -> None:
        """Write to everybody."""
        self._line.recipient = None

    def reply(self, say: Say) -> None:
        """Go to the private line that has waited longest, and write to its author; again: to the next one."""
        waiting = self._inbox.after(self._answering)
        if waiting is None:
            self._answering = None
            say("nobody waits for an answer", error=True)
            return
        self._answering, serial = waiting
        self._log.go_to(serial)
        self._log.pointer = serial
        self._users.selected = self._answering
        if not self.write(self._answering):
            self._inbox.seen(self._answering)
            say(notices.already_left(), error=True)

    def note(self, event: Event) -> None:
        """Note that the one who is written to has another name, or is gone."""
        match event:
            case Renamed(_, member_id, _, name):
                self._line.rename(member_id, name)
            case Left(_, member_id):
                self._line.left(member_id)
            case _:
                pass
