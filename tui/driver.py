"""The terminal may be closed at any moment; writing to what is no longer there must not hold up a clean end.

Textual writes from a thread that dies of the first error, after which every further write waits for ever. Here such a
write is lost instead, and the end of the terminal's input counts as the hang-up that it is.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import IO, Any, cast

from textual.drivers.linux_driver import LinuxDriver


class _Unbreakable:
    """A text file whose writes are lost once the terminal behind it is gone."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except (OSError, ValueError):
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class TerminalDriver(LinuxDriver):
    """Textual's own driver, on an output that cannot break: standard output, since standard error may be a log."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = cast(Any, _Unbreakable(cast(IO[str], sys.__stdout__)))

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            # Reading from a terminal that was closed. The kernel sends the signal to the session's leader only.
            os.kill(os.getpid(), signal.SIGHUP)
