"""Where the program's own faults go: a file in the workspace, and one line of them to the person."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

from core.sanitise import one_line

MOST_BYTES = 5 * 2**20
"""A log beyond this size is put aside as `.1` when the next command opens it."""

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
        folder = _folder[0] if _folder else Path(tempfile.mkdtemp(prefix="apm-"))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "apm.log"
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"apm {one_line(' '.join(sys.argv[1:]))}\n{''.join(traceback.format_exception(error))}\n")
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
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
                self._path.replace(self._path.with_suffix(".log.1"))
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self.format(record) + "\n")
        except OSError:
            # A log that cannot be written must not take the work down with it.
            return


class _Shown(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        from tui.cli.output import note

        note(f"apm: {one_line(record.getMessage(), 400)}")
