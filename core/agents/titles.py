"""Tests of any language that name a criterion: the cases of the recorded run beside the lines that the branch wrote.

Few reports say which file a case comes from, and apm parses no language but Python. So a case counts where its name
stands, as a title in quotes or as a name of the code, in a line that the branch added: an old test has an old title.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from core.agents.branch import is_code_file, shown
from core.agents.verification import Claim, mention
from core.contract import Json
from core.projects import git

LINE_CHARACTERS = 2_000
"""A longer line was written by a program, and is not looked at."""

_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)+)\"|'((?:[^'\\]|\\.)+)'|`((?:[^`\\]|\\.)+)`")
_WORD = re.compile(r"\w+")
_PARTS = re.compile(r"::|[/.\[(]")


async def titled_claims(
    worktree: Path, base: str, head: str, criteria: Sequence[Json], cases: Collection[str]
) -> list[Claim]:
    """The cases whose name, written by this branch, has a criterion's id. Python's tests are `named_claims`."""
    named: dict[str, list[str]] = {}
    for criterion in (str(row["id"]) for row in criteria):
        named[criterion] = list(filter(mention(criterion).search, cases))
    if not any(named.values()):
        return []
    tracked = frozenset(await git.tracked_files(worktree))
    claims: list[Claim] = []
    for status, path in await git.changed_files(worktree, base, head):
        if status == "D" or path.endswith(".py") or not is_code_file(path):
            continue
        before = await git.file_at(worktree, base, path) or ""
        after = await git.file_at(worktree, head, path) or ""
        here = {row: [case for case in found if _may_be_in(path, case, tracked)] for row, found in named.items()}
        claims += await asyncio.to_thread(_claims, path, before, after, here)
    return claims


def _may_be_in(path: str, case: str, tracked: frozenset[str]) -> bool:
    """Whether a case may come from a file: where its id begins with one, from that alone."""
    place = case.partition("::")[0]
    return place == path or place not in tracked


def _claims(path: str, before: str, after: str, named: Mapping[str, Sequence[str]]) -> list[Claim]:
    written = [line for line in _lines(after) - _lines(before) if len(line) <= LINE_CHARACTERS]
    claims = []
    for criterion, cases in named.items():
        pattern = mention(criterion)
        lines = [line for line in written if pattern.search(line)]
        found = [case for case in cases if any(_has_name_of(line, case, pattern) for line in lines)]
        claims += [Claim(criterion, (case,), f"named by the test in {shown(path)}") for case in found]
    return claims


def _lines(source: str) -> set[str]:
    """Lines as a set: what only moved or was indented is not new."""
    return {line.strip() for line in source.splitlines()}


def _has_name_of(line: str, case: str, pattern: re.Pattern[str]) -> bool:
    """Whether a line has a title that stands in the case's id, or a name that is one part of it."""
    titles = [next(filter(None, found)) for found in _QUOTED.findall(line)]
    if any(pattern.search(title) and _stands_in(title, case) for title in titles):
        return True
    names = {name for name in _WORD.findall(_QUOTED.sub("", line)) if pattern.search(name)}
    return not names.isdisjoint(_PARTS.split(case))


def _stands_in(title: str, case: str) -> bool:
    """As words of their own; go test writes a subtest's spaces as underscores."""
    return any(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", case) for words in (title, "_".join(title.split())))
