"""Finding lines in files. A regular expression runs in a process of its own, which can be ended: one that goes back
and forth without end must not hold up everything else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.projects.commands import Limits, run
from core.runtimes.coding.confinement import Refused
from core.sanitise import one_line

MOST_LINES = 200
LINE_CHARACTERS = 300

_SEARCHER = """
import json, re, sys
asked = json.load(sys.stdin)
try:
    pattern = re.compile(asked["pattern"])
except (re.error, RecursionError, OverflowError) as error:
    json.dump({"error": str(error)}, sys.stdout)
    sys.exit(0)
found = []
for path, lines in asked["files"].items():
    for number, line in enumerate(lines, 1):
        if pattern.search(line):
            found.append([path, number, line])
            if len(found) >= asked["most"]:
                break
    if len(found) >= asked["most"]:
        break
json.dump({"found": found}, sys.stdout)
"""

Hit = tuple[str, int, str]
"""Path, line number from 1, the line."""


def find_text(text: str, files: Mapping[str, Sequence[str]]) -> list[Hit]:
    """The first lines that hold the text."""
    found: list[Hit] = []
    for path, lines in files.items():
        for number, line in enumerate(lines, 1):
            if text in line:
                found.append((path, number, line))
                if len(found) >= MOST_LINES:
                    return found
    return found


async def find_pattern(pattern: str, files: Mapping[str, Sequence[str]], seconds: float) -> list[Hit]:
    """The first lines that match. Raises Refused for a pattern that is none, or that takes too long."""
    asked = json.dumps({"pattern": pattern, "files": files, "most": MOST_LINES}).encode()
    argv = [sys.executable, "-I", "-S", "-c", _SEARCHER]
    result = await run(argv, cwd=Path("/"), limits=Limits(seconds, 16 * 2**20), stdin=asked, leftovers="group")
    if result.timed_out:
        raise Refused(f"The pattern took longer than {seconds:g} s; make it simpler, or search in a smaller folder.")
    if not result.ok or result.truncated:
        raise Refused(f"The search broke off: {one_line(result.stderr[-300:]) or 'the lines found are too long'}.")
    answer = json.loads(result.stdout)
    if "error" in answer:
        raise Refused(f"The pattern is no regular expression: {one_line(answer['error'])}.")
    return [(str(path), int(number), str(line)) for path, number, line in answer["found"]]
