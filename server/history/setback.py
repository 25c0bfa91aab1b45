"""What keeps a file from being written for a while, when to try again, and when to tell of it. Pure."""

from __future__ import annotations

_FIRST_RETRY, _LAST_RETRY = 1.0, 30.0
_PATIENT_RETRY = 0.25
_PATIENCE = 2.0
_TOLD_EVERY = 600.0


class Trouble(Exception):
    """Records cannot be written now.

    Args:
        why: for the operator, as the end of a sentence.
        is_passing: whether it is likely to be over in a moment, as another program's lock.
        reopen: whether the file is to be opened anew before the next attempt.
    """

    def __init__(self, why: str, *, is_passing: bool = False, reopen: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.is_passing = is_passing
        self.reopen = reopen


class Setback:
    """From the first attempt that failed to the next that does not. Times are monotonic, in seconds."""

    def __init__(self, trouble: Trouble, now: float) -> None:
        self.trouble = trouble
        self.retry_at = now
        self.written = 0
        """How many lines that waited have been written."""
        self._began_at = now
        self._wait = _FIRST_RETRY
        self._told_at: float | None = None
        self._has_lost = False

    @property
    def was_told(self) -> bool:
        """Whether the operator knows of it."""
        return self._told_at is not None

    def again(self, trouble: Trouble, now: float, *, lost: int) -> None:
        """Another attempt has failed; `lost` lines have not been kept since it began."""
        self.trouble = trouble
        if trouble.is_passing:
            self.retry_at = now + _PATIENT_RETRY
        else:
            self.retry_at = now + self._wait
            self._wait = min(2 * self._wait, _LAST_RETRY)
        if lost and not self._has_lost:
            self._has_lost = True
            self._told_at = None if self._told_at is None else float("-inf")

    def is_to_tell(self, now: float) -> bool:
        """Whether the operator is to be told now; then it counts as told."""
        if self.trouble.is_passing and now - self._began_at < _PATIENCE:
            return False
        if self._told_at is not None and now - self._told_at < _TOLD_EVERY:
            return False
        self._told_at = now
        return True
