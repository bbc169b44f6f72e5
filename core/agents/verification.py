"""Which acceptance criteria are proved, and by what.

Evidence is one of: a mapping in the build's tasks, a test of this branch that names the criterion (Python's here, those
of other languages in `titles`), a commit trailer
`Verifies: AC1 tests/test_x.py::test_y`, or a person's word. The first three count only through tests that the
recorded run shows as passed. That words of a criterion also occur in a test's name proves nothing; it is a `hint`.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.agents.runners import how_to_name
from core.contract import Json
from core.projects import git
from core.sanitise import one_line, sanitise

SHOWN_TESTS = 5
SHORT_SHA = 10
EVIDENCE_CHARACTERS = 2_000
HOW = "name it in a test of the branch ({test}), or in a commit trailer `Verifies: {id} <test id>`"
NO_NAMES = "the run named none of its tests, so let the test command write JUnit XML to {scratch}/junit.xml"

_TRAILER = re.compile(r"^Verifies:[ \t]*(?P<criterion>[^\s,:]+)[ \t,:]+(?P<tests>\S.*)$", re.M | re.I)
_WORD = re.compile(r"[a-z]{4,}")


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that these tests prove a criterion; `source` says who, for the evidence."""

    criterion: str
    tests: tuple[str, ...]
    source: str


def verify(
    criteria: Sequence[Json],
    claims: Sequence[Claim],
    cases: Mapping[str, str],
    answers: Mapping[str, str],
    runner: str = "pytest",
) -> list[Json]:
    """`{id, verified, evidence, hint}` for each criterion. `cases` is test id → outcome of the recorded run, `runner`
    whose tests they are.

    One claim whose tests all passed is enough, and a person's word comes last; otherwise `evidence` says what is
    wrong with each claim, or what would count.
    """
    by_name = {_fold(claim_id): text for claim_id, text in answers.items()}
    return [_verdict(row, claims, cases, by_name.get(_fold(str(row["id"])), ""), runner) for row in criteria]


def _verdict(row: Json, claims: Sequence[Claim], cases: Mapping[str, str], word: str, runner: str) -> Json:
    name = str(row["id"])
    judged = [_judge(claim, cases) for claim in claims if _fold(claim.criterion) == _fold(name)]
    proved = [text for passed, text in judged if passed]
    if proved:
        return {"id": name, "verified": True, "evidence": _plain("; ".join(proved)), "hint": ""}
    if word:
        return {"id": name, "verified": True, "evidence": f"human: {word}", "hint": ""}
    wrong = "; ".join(text for _, text in judged) or _unnamed(name, cases, runner)
    return {"id": name, "verified": False, "evidence": _plain(wrong), "hint": _hint(str(row.get("text", "")), cases)}


def _unnamed(name: str, cases: Mapping[str, str], runner: str) -> str:
    """What would count, and what the run has to choose from."""
    ran = NO_NAMES
    if cases:
        more = f" and {len(cases) - SHOWN_TESTS} more" if len(cases) > SHOWN_TESTS else ""
        ran = f"the run has {', '.join(list(cases)[:SHOWN_TESTS])}{more}"
    return f"nothing that the branch wrote names {name}: {HOW.format(id=name, test=how_to_name(name, runner))}; {ran}"


def _plain(evidence: str) -> str:
    """Test ids come from commit messages and models."""
    return sanitise(evidence, limit=EVIDENCE_CHARACTERS, keep_newlines=False)


def _judge(claim: Claim, cases: Mapping[str, str]) -> tuple[bool, str]:
    """Whether all tests of a claim ran and passed, and the sentence that says so."""
    if not claim.tests:
        return False, f"{claim.source} names no test"
    faults, passed = [], []
    for test in claim.tests:
        outcomes = {case: outcome for case, outcome in cases.items() if _is_of(case, test)}
        bad = next((f"{case} {_WORDS.get(end, end)}" for case, end in outcomes.items() if end != "passed"), "")
        if not outcomes:
            faults.append(f"{test} did not run")
        elif bad:
            faults.append(bad)
        else:
            passed.append(f"{test} ({len(outcomes)} cases)" if len(outcomes) > 1 else test)
    if faults:
        return False, f"{claim.source}: {', '.join(faults[:SHOWN_TESTS])}"
    more = f" and {len(passed) - SHOWN_TESTS} more" if len(passed) > SHOWN_TESTS else ""
    return True, f"{', '.join(passed[:SHOWN_TESTS])}{more} passed ({claim.source})"


_WORDS = {"failed": "failed", "error": "ended in an error", "skipped": "was skipped"}


def _is_of(case: str, test: str) -> bool:
    """A claim may name a whole file, a class, or a test with all its parameters."""
    return case == test or (case.startswith(test) and case[len(test)] in "[:")


def _fold(criterion: str) -> str:
    """`AC-01`, `ac_1` and `AC1` are one criterion."""
    match = re.fullmatch(r"([A-Za-z]+)[ _-]?0*(\d+)", criterion.strip())
    return f"{match[1].lower()}{match[2]}" if match else criterion.strip().lower()


def mention(criterion: str) -> re.Pattern[str]:
    """What counts as naming a criterion: its id as a word of its own, in any case, but never `AC1` in `AC12`."""
    match = re.fullmatch(r"([A-Za-z]+)[ _-]?0*(\d+)", criterion.strip())
    if match is None:
        return re.compile(rf"(?<![A-Za-z0-9]){re.escape(criterion.strip())}(?![A-Za-z0-9])", re.I)
    letters, number = match.groups()
    as_word = rf"(?<![A-Za-z0-9])(?i:{letters})[ _-]?0*{number}(?![A-Za-z0-9])"
    in_camel_case = rf"(?<=[a-z]){letters.upper()}0*{number}(?![a-z0-9])"
    return re.compile(f"{as_word}|{in_camel_case}")


def _hint(text: str, cases: Mapping[str, str]) -> str:
    """The test that shares most words with a criterion, for a person to look at; never evidence."""
    words = set(_WORD.findall(text.lower()))
    scores = {case: len(words & set(_WORD.findall(case.rpartition("::")[2].lower()))) for case in cases}
    best = max(scores, key=lambda case: scores[case], default="")
    return f"{best} has words of it; if it proves it, say so" if best and scores[best] >= 2 else ""


def task_claims(tasks: Iterable[Json]) -> list[Claim]:
    """The explicit mappings of the build's tasks: `verifies: {AC1: [test ids]}`."""
    return [
        Claim(str(criterion), tuple(str(test).strip() for test in tests), f"mapped by the task {task.get('id', '?')}")
        for task in tasks
        for criterion, tests in (task.get("verifies") or {}).items()
    ]


def human_answers(answer: Any) -> dict[str, str]:
    """`{"AC2": "evidence"}` or `[{"id": "AC2", "evidence": "…"}]` as criterion → evidence; empty words do not count."""
    if isinstance(answer, Mapping):
        pairs: list[tuple[Any, Any]] = list(answer.items())
    elif isinstance(answer, list):
        pairs = [(row.get("id"), row.get("evidence")) for row in answer if isinstance(row, Mapping)]
    else:
        return {}
    return {str(key): one_line(text, 1_000) for key, text in pairs if isinstance(text, str) and text.strip()}


async def trailer_claims(worktree: Path, base: str, head: str) -> list[Claim]:
    """What the branch's commit messages say: `Verifies: AC1 tests/test_x.py::test_y`, several ids by commas."""
    return [
        Claim(found["criterion"], _test_ids(found["tests"]), f"trailer of {commit.sha[:SHORT_SHA]}")
        for commit in await git.commits(worktree, base, head)
        for found in _TRAILER.finditer(commit.body)
    ]


def _test_ids(text: str) -> tuple[str, ...]:
    """Test ids divided by commas; a comma inside the brackets of a parametrised id belongs to the id."""
    return tuple(part.strip() for part in re.split(r",\s*(?![^\[]*\])", text.strip()) if part.strip())


async def named_claims(worktree: Path, base: str, head: str, criteria: Sequence[Json]) -> list[Claim]:
    """Tests that the branch added or changed and that name a criterion in name, docstring or marker.

    An untouched test does not count: its `AC1` is the criterion of an earlier work item.
    """
    patterns = {str(row["id"]): mention(str(row["id"])) for row in criteria}
    claims: list[Claim] = []
    for status, path in await git.changed_files(worktree, base, head):
        if status == "D" or not path.endswith(".py"):
            continue
        before = await asyncio.to_thread(_tests, await git.file_at(worktree, base, path) or "")
        after = await asyncio.to_thread(_tests, await git.file_at(worktree, head, path) or "")
        for name, test in after.items():
            if name in before and before[name].body == test.body:
                continue
            named = [row for row, pattern in patterns.items() if pattern.search(test.names)]
            claims += [Claim(row, (f"{path}::{name}",), "named by the test") for row in named]
    return claims


@dataclass(frozen=True, slots=True)
class _Test:
    """A test function: where criteria may be named, and its whole text in a form that layout does not change."""

    names: str
    body: str


def _tests(source: str) -> dict[str, _Test]:
    """The test functions of a module by `Class::name`; none for a file that does not parse (then none ran either)."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[str, _Test] = {}
    _collect(module, (), "", found)
    return found


def _collect(node: ast.AST, path: tuple[str, ...], names: str, found: dict[str, _Test]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            _collect(child, (*path, child.name), f"{names} {_naming(child)}", found)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test"):
            found["::".join((*path, child.name))] = _Test(f"{names} {_naming(child)}", ast.dump(child))


def _naming(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    markers = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
    return f"{node.name} {ast.get_docstring(node) or ''} {markers}"
