"""What an analyser found, and which of it is this branch's doing.

A third-party project comes with findings of its own. A work item answers for those that its branch adds, so each
tool that found something is run once more on the files of `base_commit`, and what it finds there is set apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.agents.branch import shown
from core.contract import Json
from core.paths import real
from core.projects.commands import CommandResult
from core.sanitise import one_line

LISTED = 200
"""Findings that are listed one by one; all of them are counted."""
TEXT_CHARACTERS = 500
COMMAND_WORDS = 60
LINE_DIGITS = 9

_PLACE = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of one tool; `path` is relative to the project, `line` 0 when the tool names none.

    `blames_tool` marks a tool that could not do its work: that is never excused by having been so before.
    """

    tool: str
    path: str
    line: int
    code: str
    text: str
    severity: str = ""
    blames_tool: bool = False

    def to_json(self) -> Json:
        place = {"tool": self.tool, "path": self.path, "line": self.line, "code": self.code}
        return {**place, **({"severity": self.severity} if self.severity else {}), "text": self.text}

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines above it come and go: figures in the text may be line numbers."""
        return self.path, self.code, _PLACE.sub("#", self.text)


def finding(tool: str, root: Path, path: str, line: object, code: str, text: str, severity: str = "") -> Finding:
    """A finding from a tool's own words: the path made relative to `root`, the text fit to be shown."""
    digits = str(line or "")
    number = int(digits) if digits.isdecimal() and len(digits) <= LINE_DIGITS else 0
    return Finding(tool, shown(relative(path, root)), number, one_line(code), one_line(text, TEXT_CHARACTERS), severity)


def relative(path: str, root: Path) -> str:
    """A tool's path as git would write it."""
    place = Path(path.strip())
    for folder in (root, real(root)):
        if place.is_absolute() and place.is_relative_to(folder):
            return place.relative_to(folder).as_posix()
    return place.as_posix()


def added(now: Sequence[Finding], before: Sequence[Finding], root: Path) -> tuple[list[Finding], list[Finding]]:
    """(new, existing): each earlier finding excuses one equal finding now, also in a file that was renamed.

    `root` is the worktree: an earlier finding whose file is gone there may match in any file.
    """
    excuses = [old for old in before if not old.blames_tool]
    same = Counter(old.key for old in excuses)
    moved = Counter(old.key[1:] for old in excuses if not (root / old.path).exists())
    new: list[Finding] = []
    existing: list[Finding] = []
    for found in now:
        if not found.blames_tool and same[found.key]:
            same[found.key] -= 1
            existing.append(found)
        elif not found.blames_tool and moved[found.key[1:]]:
            moved[found.key[1:]] -= 1
            existing.append(found)
        else:
            new.append(found)
    return new, existing


def evidence_of(result: CommandResult, tool: str, version: str, *, note: str = "", quiet: bool = False) -> Json:
    """Evidence of an analyser's run: a long list of files is cut, and `quiet` leaves out what it printed."""
    row = result.evidence(tool=tool, tool_version=version, note=note)
    words = row["command"]
    if len(words) > COMMAND_WORDS:
        row["command"] = [*words[:COMMAND_WORDS], f"… and {len(words) - COMMAND_WORDS} more"]
    return {**row, "output_tail": ""} if quiet else row
