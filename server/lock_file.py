"""A lock file: what keeps a second server from using the file next to it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class LockFile:
    """A file that is locked until `close` or the end of the process, and removed by `close`.

    On a file system without locks, and on a system without `flock`, it locks nothing.

    Args:
        path: the lock file, which is created with mode 0600.

    Raises:
        BlockingIOError: if another process has it.
        OSError: if it cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _locked(path)

    def close(self) -> None:
        """Unlock it for others."""
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None


def _locked(path: Path) -> int | None:
    try:
        import fcntl
    except ImportError:
        return None
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            os.close(descriptor)
            path.unlink()
            return None  # a file system without locks
        os.close(descriptor)  # its last owner has just removed it
