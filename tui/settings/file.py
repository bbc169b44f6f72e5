"""The settings of the screen: `state/settings.yaml` of a workspace, followed while the app runs.

Without the file nothing is loaded to read it. A broken file changes nothing, and says which line is at fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from core.contract import ApmError
from tui.settings.keymap import AS_IT_CAME, Keymap
from tui.settings.themes import DARK

FILE_NAME: Final = "settings.yaml"
ASCII_TERMINALS: Final = ("linux", "vt100", "vt220", "dumb")
"""Values of TERM that stand for a screen without the symbols: a console, or an old terminal."""


class Fault(NamedTuple):
    """One thing wrong in the file. `column` counts from 1; 0 where it is not known."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        at = f"{self.line}:{self.column}" if self.column else str(self.line)
        return f"state/{FILE_NAME}:{at}: {self.text}"


class SettingsError(ApmError):
    """A file of settings that cannot be used as it is; the message has a line for each fault."""

    exit_code = 2

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True)
class Settings:
    """What a person has set; None where apm chooses."""

    theme: str | None = None
    ascii: bool | None = None
    mouse: bool = True
    keymap: Keymap = field(default=AS_IT_CAME)


NOTHING_SET = Settings()


class SettingsFile:
    """The file as it was read last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = NOTHING_SET
        self.fault: SettingsError | None = None
        self._stamp: tuple[int, ...] | None = None

    def look(self) -> bool:
        """Read the file if it is another than at the last look; whether it was. A broken one keeps what was set."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return False
        self._stamp, self.fault = stamp, None
        if stamp is None:
            self.settings = NOTHING_SET
            return True
        from tui.settings.text import read

        try:
            self.settings = read(self.path)
        except SettingsError as error:
            self.fault = error
        return True


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def theme_at_start(settings: Settings, environment: Mapping[str, str], known: Mapping[str, object]) -> str:
    """TEXTUAL_THEME is said for this one start, so it goes before what is set; then the dark theme."""
    asked = [name.strip() for name in environment.get("TEXTUAL_THEME", "").split(",")]
    return next((name for name in (*asked, settings.theme) if name and name in known), DARK.name)


def ascii_at_start(settings: Settings, environment: Mapping[str, str], encoding: str | None) -> bool:
    """Whether to draw with plain characters: as set, else where the terminal or the locale has no others."""
    if settings.ascii is not None:
        return settings.ascii
    is_unicode = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    return not is_unicode or environment.get("TERM", "") in ASCII_TERMINALS
