"""What an analyser printed, as findings.

A tool's exit code 0 is its own word for clean, whatever it printed. One that failed without naming a finding, or did
not get to its end, did not do its work, which counts as an issue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from core.agents.findings import Finding, finding
from core.contract import Json
from core.projects.commands import CommandResult
from core.sanitise import one_line

OUTPUT_BYTES = 32 * 2**20

_LINE = r"^(?P<path>[^\s:][^:\n]*?):(?P<line>\d+):(?:\d+:)? ?"
PATTERNS: Mapping[str, tuple[str, ...]] = {
    "flake8": (_LINE + r"(?P<code>[A-Z]+\d+) (?P<text>.*)$",),
    "pycodestyle": (_LINE + r"(?P<code>[A-Z]+\d+) (?P<text>.*)$",),
    "pylint": (_LINE + r"(?P<code>[CRWEFI]\d{4}): (?P<text>.*)$",),
    "mypy": (
        _LINE + r"error: (?P<text>.*?)(?:\s+\[(?P<code>[\w-]+)\])?$",
        r"^(?P<path>[^\s:][^:\n]*): error: (?P<text>.*?)(?:\s+\[(?P<code>[\w-]+)\])?$",
    ),
    "pyright": (r"^\s*(?P<path>\S[^:\n]*):(?P<line>\d+):\d+ - error: (?P<text>.*?)(?:\s+\((?P<code>\w+)\))?$",),
    "black": (r"^would reformat (?P<path>.+)$", r"^error: cannot format (?P<path>.+?): (?P<text>.*)$"),
    "isort": (r"^ERROR: (?P<path>.+?) (?P<text>Imports are incorrectly sorted.*)$",),
    "ruff": (
        _LINE + r"(?P<code>[A-Z]+\d+|invalid-syntax:?) (?P<text>.*)$",
        r"^Would reformat: (?P<path>.+)$",
    ),
    "tsc": (r"^(?P<path>\S[^(\n]*)\((?P<line>\d+),\d+\): error (?P<code>TS\d+): (?P<text>.*)$",),
}
"""How each tool prints a finding, a line each. A tool that is not here is read by `GENERIC`."""
GENERIC = (_LINE + r"(?P<text>.*)$",)
DEFAULT_TEXT = "the file is not formatted as the project's formatter would"


def read(name: str, result: CommandResult, root: Path) -> list[Finding]:
    """The findings in a tool's output; one that blames the tool when it failed without any, or did not get to the end
    of its work or of what it had to say: then what is missing may be the new one."""
    if result.ok:
        return []
    kind = name.partition(" ")[0]
    # Of an output that was cut even single lines may be halves.
    cut = result.truncated
    found = (
        []
        if cut
        else _json_findings(name, kind, result.stdout, root) or _text_findings(name, kind, result.output, root)
    )
    stopped = cut or result.exit_code is None or _signal_of(result.exit_code)
    return [*found, _failure(name, result)] if stopped or not found else found


def _signal_of(exit_code: int) -> int:
    """What killed a program, as its parent says it or, above 128, a shell or a sandbox; 0 where nothing did."""
    return -exit_code if exit_code < 0 else max(0, exit_code - 128)


def _failure(name: str, result: CommandResult) -> Finding:
    lines = [line for line in result.output.splitlines() if line.strip()]
    why = one_line(lines[-1], 300) if lines else "it printed nothing"
    ended = f"ended with exit code {result.exit_code} and named no finding"
    if result.truncated:
        ended = f"printed more than the {OUTPUT_BYTES >> 20} MB that are read"
    elif result.timed_out:
        ended = "was stopped at its time limit"
    elif result.exit_code is not None and (signal := _signal_of(result.exit_code)):
        ended = f"was killed by signal {signal}"
    return Finding(name, "", 0, "could-not-run", f"{name} {ended}: {why}", blames_tool=True)


def _text_findings(name: str, kind: str, output: str, root: Path) -> list[Finding]:
    found = []
    for pattern in PATTERNS.get(kind, GENERIC):
        for match in re.finditer(pattern, output, re.M):
            part = match.groupdict()
            text = part.get("text") or DEFAULT_TEXT
            found.append(finding(name, root, part["path"], part.get("line"), part.get("code") or "", text))
    return found


def _ruff_json(name: str, rows: list[Json], root: Path) -> list[Finding]:
    return [
        finding(
            name, root, row["filename"], (row["location"] or {}).get("row"), row["code"] or "syntax", row["message"]
        )
        for row in rows
    ]


def _eslint_json(name: str, rows: list[Json], root: Path) -> list[Finding]:
    """Only errors: warnings do not make ESLint fail."""
    return [
        finding(name, root, row["filePath"], message.get("line"), message.get("ruleId") or "", message["message"])
        for row in rows
        for message in row["messages"]
        if message["severity"] == 2
    ]


JSON_READERS: Mapping[str, Callable[[str, list[Json], Path], list[Finding]]] = {
    "ruff": _ruff_json,
    "eslint": _eslint_json,
}


def _json_findings(name: str, kind: str, output: str, root: Path) -> list[Finding]:
    reader = JSON_READERS.get(kind)
    if reader is None or not output.lstrip().startswith("["):
        return []
    try:
        return reader(name, json.loads(output), root)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
