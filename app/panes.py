"""The parts of the console's screen that belong together in what the operator does."""

from __future__ import annotations

from typing import NamedTuple

from ..widgets.answer_row import AnswerRow
from ..widgets.command_line import CommandLine
from ..widgets.message_log import MessageLog
from ..widgets.user_list import UserList


class Panes(NamedTuple):
    """The panes with which the operator works."""

    messages: MessageLog
    users: UserList
    line: CommandLine
    answers: AnswerRow
