"""Where the program's own faults go: a file in the workspace, and one line of them to the person."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

from core.log_files import append
from core.sanitise import one_line

MOST_BYTES = 5 * 2**20
"""Of `apm.log`; then it becomes `apm.log.1`, which it replaces, and a new one begins."""

_folder: list[Path] = []


def log_into(state: Path, *, is_shown: bool = True) -> None:
    """Send what is logged from now on to `state/logs/apm.log`; warnings are also shown, as a line each.

    Not shown while the app draws: it owns the screen.
    """
    stop_logging()
    _folder[:] = [state / "logs"]
    root = logging.getLogger()
    root.addHandler(_File(state / "logs" / "apm.log"))
    if is_shown:
        root.addHandler(_Shown(level=logging.WARNING))


def stop_logging() -> None:
    """Take back what `log_into` set up."""
    _folder.clear()
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _File | _Shown)]:
        root.removeHandler(handler)
        handler.close()


def keep_trace(error: BaseException) -> Path | None:
    """Write an unexpected exception's trace to the open workspace's log, without one to a temporary folder.

    Where it is; None when it cannot be written.
    """
    import tempfile

    try:
        path = (_folder[0] if _folder else Path(tempfile.mkdtemp(prefix="apm-"))) / "apm.log"
        trace = "".join(traceback.format_exception(error))
        append(path, [f"apm {one_line(' '.join(sys.argv[1:]))}\n{trace}"], MOST_BYTES)
    except OSError:
        return None
    return path


class _File(logging.Handler):
    """Opens its file at the first record, so that a command that has nothing to say leaves no file."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self._path = path
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            append(self._path, [self.format(record)], MOST_BYTES)
        except OSError:
            # A log that cannot be written must not take the work down with it.
            return


class _Shown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        from tui.cli.output import note

        note(f"apm: {one_line(record.getMessage(), 400)}")
