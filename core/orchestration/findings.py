"""What the agents found behind a figure: what they could not read, failing tests, issues, criteria without proof.

A gate says how many; whoever has to mend it, person or agent, needs to know which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.contract import Json
from core.orchestration.criteria import unplanned, unverified
from core.orchestration.payloads import as_objects
from core.sanitise import one_line

MOST = 20
"""Findings named in one question."""


def findings(phase: str, results: Mapping[str, Json], payload: Json) -> list[str]:
    """One line a finding, bounded; nothing for phases whose gate says it all itself."""
    lines = [one_line(line, 400) for line in _LINES[phase](results, payload)] if phase in _LINES else []
    return lines[:MOST] + ([f"and {len(lines) - MOST} more"] if len(lines) > MOST else [])


def unsettled(payload: Json) -> dict[str, dict[str, str]]:
    """By the value of an answer that would settle them: what nothing proves or plans for, by id, in its own words."""
    found = {"criteria": unverified(payload), "mitigations": unplanned(payload)}
    return {key: {n.id: one_line(n.words, 300) for n in named[:MOST]} for key, named in found.items() if named}


def _definition(results: Mapping[str, Json], _: Json) -> Iterator[str]:
    unread = results.get("value-articulator", {}).get("unread")
    if unread:
        yield str(unread)


def _build(_: Mapping[str, Json], payload: Json) -> Iterator[str]:
    tests = payload.get("tests", {})
    yield from _of_tests(tests, tests.get("failures"))


def _review(results: Mapping[str, Json], _: Json) -> Iterator[str]:
    runner = results.get("test-runner", {})
    yield from _of_tests(runner.get("tests", {}), runner.get("failures"))
    for found in as_objects(results.get("static-analyzer", {}).get("findings")):
        yield f"{_place(found)} {found.get('code', '')} {found.get('text', '')} ({found.get('tool', '')})"
    for found in as_objects(results.get("threat-screener", {}).get("security", {}).get("details")):
        yield f"{_place(found)} {found.get('severity', '')} {found.get('text', '')} ({found.get('tool', '')})"
    for criterion in as_objects(results.get("ac-verifier", {}).get("criteria")):
        if not criterion.get("verified"):
            yield f"{criterion.get('id', '')}: {criterion.get('evidence') or criterion.get('hint') or 'no proof'}"


def _of_tests(tests: Json, failures: Any) -> Iterator[str]:
    for key in ("reason", "suggestion"):
        if tests.get(key):
            yield str(tests[key])
    for failure in as_objects(failures):
        yield f"{failure.get('id', '')}: {_last_line(str(failure.get('text', '')))}"


def _last_line(text: str) -> str:
    """The line of a failure that says what was wrong: pytest marks it with E, others end with it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line[2:].strip() for line in lines if line.startswith("E ")]
    return (marked or lines or [""])[0 if marked else -1]


def _place(found: Json) -> str:
    return f"{found.get('path', '')}:{found.get('line', '')}"


_LINES = {"D1": _definition, "I1": _build, "R1": _review}
