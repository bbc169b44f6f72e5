"""Whether a change was asked to stand behind a feature flag, and which flags a branch adds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from core.agents.branch import is_doc_file
from core.agents.schema_changes import changed_lines
from core.contract import Json
from core.projects import git
from core.sanitise import one_line

_ANY_FLAG = r"(feature[- ])?(flag|toggle|switch)"
NEEDED = re.compile(
    "|".join(
        (
            r"\bfeature[- ](flag|toggle|switch)",
            r"\bbehind (a|an|the)( \w+)? (flag|toggle|switch)\b",
            r"\b(flag|toggle)[- ](gated|guarded)\b",
            r"\btoggled? (on |off )?(by|via|with|through) (a |an |the )?(setting|flag|config)",
            r"\bgradual(ly)? roll(ed)?[- ]?out",
            r"\broll(ed)?[- ]?out gradual",
            r"\b(staged|canary|phased) (rollout|release)\b",
            r"\bkill[- ]switch\b",
        )
    ),
    re.I,
)
"""Words that ask for a flag. A bare "toggle" does not: buttons toggle too."""

NOT_NEEDED = re.compile(rf"\b(no|without( an?| any)?|not behind (an?|any)|remove the) {_ANY_FLAG}", re.I)

_ASKED = r"(?:getenv|environ(?:\.get)?|process\.env)\W+"
_LIBRARY = "is_enabled|feature_enabled|flag_enabled|is_feature_enabled|flag_is_active|variation"
_KEY = r"^\s*[\"']?((?:feature|flag|enable)[_-][\w-]+|[\w-]+[_-](?:enabled|flag))"
ADDED: tuple[re.Pattern[str], ...] = (
    re.compile(_ASKED + r"([A-Z0-9_]*(?:FEATURE|FLAG|ENABLE|TOGGLE)[A-Z0-9_]*)"),
    re.compile(r"^\s*((?:FEATURE|ENABLE|FLAG|TOGGLE)_[A-Z0-9_]+|[A-Z0-9_]+_(?:ENABLED|FLAG|FEATURE))\s*[:=]"),
    re.compile(_KEY + r"[\"']?\s*[:=]\s*(?:true|false)\b", re.I),
    re.compile(rf"\b(?:{_LIBRARY})\(\s*[\"']([\w.:-]+)"),
    re.compile(r"\b(?:flags?|features?|toggles?)(?:\.get\(|\[)\s*[\"']([\w.:-]+)[\"']"),
)
"""How a flag looks in the lines that a branch adds: environment, setting, configuration file, flag library."""


WORDS = ("feature", "flag", "enable", "toggle", "variation")
"""No line without one of these, in whatever case, names a flag; few lines have one."""
_WORD = re.compile("|".join(WORDS), re.I)
_FOR_GIT = "|".join("".join(f"[{letter}{letter.upper()}]" for letter in word) for word in WORDS)
LARGEST_FILE = "8m"
"""What is larger is data: git shows no lines of it."""


async def feature_flags(worktree: Path, base: str, head: str, criteria: Sequence[Mapping[str, str]]) -> Json:
    """`{needed, added[], asked_by[]}`: needed when the text of a criterion (or any row given) asks for a flag."""
    asked = [str(row.get("id", "")) for row in criteria if asks_for_flag(str(row.get("text", "")))]
    sized = ("-c", f"core.bigFileThreshold={LARGEST_FILE}")
    words = ("diff", "-U0", "--no-ext-diff", f"-G{_FOR_GIT}", "--end-of-options", base, head, "--")
    added = await asyncio.to_thread(_added, await git.git(worktree, *sized, *words))
    return {"needed": bool(asked), "added": added, "asked_by": asked}


def _added(patch: str) -> list[str]:
    """The flags that only the new lines of code and configuration name."""
    code = cache(lambda path: not is_doc_file(path))
    named = [(sign, path, names) for path, _, sign, text in changed_lines(patch) if (names := flags_in(text))]
    before = {name for sign, _, names in named if sign == "-" for name in names}
    after = [name for sign, path, names in named if sign == "+" and code(path) for name in names]
    return [name for name in dict.fromkeys(after) if name not in before]


def asks_for_flag(text: str) -> bool:
    """Whether a text wants a flag; "without a feature flag" does not."""
    return bool(NEEDED.search(NOT_NEEDED.sub("", text)))


def flags_in(line: str) -> list[str]:
    """Names of flags that one line of code or configuration defines or asks."""
    if not _WORD.search(line):
        return []
    return list(dict.fromkeys(one_line(name) for pattern in ADDED for name in pattern.findall(line)))
