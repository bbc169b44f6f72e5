"""A run of the tests that counts for the branch: of what is committed, and of nothing else that lies in the worktree.

Tests run in the worktree, where setup has put what they need. Where loose files lie there too, tests that pass are run
once more in a tree of the commit alone: files that no commit has are not released, so no pass may rest on them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from core.agents.branch import loose_settings, shown, uncommitted
from core.agents.confined import ground_of
from core.agents.testing import TestRun, run_tests, run_tests_on
from core.agents.trees import ground_at, installed, lend, remove, tree_at
from core.contract import Json, digest_of
from core.paths import real
from core.projects import git
from core.projects.loose import ignored_among, loose_among, no_commits_files
from core.projects.preparation import made_by_setup

TESTERS = frozenset(("implementation-gate-check", "test-runner"))
"""The agents that call `run_committed`."""
BESIDES_SECONDS = 600.0
"""What they may take besides the two runs of the tests: a tree is made, coverage is read."""
NAMED = 10
LARGEST = 2**30
"""Bytes of a file that is copied."""
_SUBMODULE = "160000"
"""The mode of an entry in git's index that is another repository."""


def most_seconds(role: str, project: Json | None, limit: float) -> float:
    """How long a delegation may take: the agent's own limit, and no less than a project's `time_limit` gives its tests,
    which may run twice."""
    own = ((project or {}).get("settings") or {}).get("time_limit")
    return limit if own is None or role not in TESTERS else max(limit, 2 * float(own) + BESIDES_SECONDS)


async def run_committed(project: Json, worktree: Path, scratch: Path, *, coverage: bool) -> TestRun:
    """`run_tests`, unless the worktree holds work that is not committed: what is measured must be what gets merged.

    Nor does a run count that ends with settings which no commit has, since its figures may be theirs, or that passes
    only with files which no commit has.
    """
    pending = await uncommitted(worktree)
    if pending:
        reason = f"the tests were not run: the worktree has work that is not committed ({_listed(pending, 5)})"
        return TestRun(False, reason=reason, suggestion=f"Commit or discard it in {worktree}.")
    there, made = await no_commits_files(worktree), made_by_setup(scratch)
    strange = [path for path in there if path not in made]
    head = await git.head(worktree)
    done = await run_tests(project, worktree, scratch, coverage=coverage)
    planted = await loose_settings(worktree)
    if planted:
        reason = f"the run of the tests does not count: it wrote settings of its own tools ({_listed(planted, 5)})"
        return _void(done, reason, f"Remove them from {worktree}, and let no test write such files.")
    # Files that these tests have left are there when the same commit is tested again.
    proof = scratch / f"passed-{digest_of([head, project.get('settings') or {}, done.passed])[:16]}"
    if not _passed(done) or proof.exists():
        return done
    loose = await loose_among(worktree, strange)
    if loose:
        alone = await _run_alone(project, worktree, head, scratch, made.intersection(there))
        names = await _names(worktree, strange, loose)
        if not alone.tool:
            return _with_evidence(done, alone, f"not verified without {names}: {alone.reason}")
        done = _with_evidence(done, alone, f"the commit alone, without {names}")
        if not _passed(alone) or alone.passed < done.passed:
            return _refused(worktree, done, alone, names)
    if head == await git.head(worktree):
        proof.touch()
    return done


async def _names(worktree: Path, strange: Sequence[str], loose: Sequence[str]) -> str:
    """What is not there when the commit is tested alone: loose files, and folders of builds."""
    ignored = await ignored_among(worktree, loose)
    files = [f"{shown(path)} (ignored by git)" if path in ignored else shown(path) for path in loose]
    folders = sorted({shown(path.partition("/")[0]) + "/" for path in set(strange) - set(loose)})
    return _listed([*files, *folders], NAMED)


def _refused(worktree: Path, done: TestRun, alone: TestRun, names: str) -> TestRun:
    reason = f"the tests pass only with files that no commit has: {names}; without them {_fault(done, alone)}"
    suggestion = (
        f"Commit them in {worktree} (`git add -f` takes what git ignores), or make the tests do without them. What "
        "every checkout has to make for itself is for the project's `setup` to make."
    )
    return replace(_void(done, reason, suggestion), failures=alone.failures)


def _fault(done: TestRun, alone: TestRun) -> str:
    if not alone.measured:
        return alone.reason
    if alone.failed:
        first = f", such as {shown(alone.failures[0][0])}" if alone.failures else ""
        return f"{alone.failed} of {alone.total} fail{first}"
    return f"{alone.passed} of {done.passed} pass"


def _passed(done: TestRun) -> bool:
    return done.measured and done.passed > 0 and not done.failed


async def _run_alone(project: Json, worktree: Path, head: str, scratch: Path, made: Collection[str]) -> TestRun:
    """The tests in a tree of a commit, with what setup made in the worktree and nothing else; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="alone-", dir=scratch))
    results = folder / "results"
    results.mkdir()
    try:
        tree = await tree_at(worktree, head, folder)
        lent = await lend(tree, installed(project, worktree, by_a_model=False))
        await asyncio.to_thread(_copy_all, worktree, tree, [*made, *await _submodules(worktree)])
        # An environment that setup made may have installed the project as a link to the worktree.
        ground = ground_at(await ground_of(project, worktree, results, scratch), tree, results, (*lent, worktree))
        return await run_tests_on(ground, project, tree, results, coverage=False)
    finally:
        await remove(folder)


async def _submodules(worktree: Path) -> list[str]:
    staged = (await git.git(worktree, "ls-files", "--stage", "-z")).split("\0")
    return [entry.partition("\t")[2] for entry in staged if entry.startswith(_SUBMODULE)]


def _copy_all(worktree: Path, tree: Path, paths: Iterable[str]) -> None:
    """Copy files and repositories. Commands of the branch may have put links in their way, which lead anywhere."""
    for path in paths:
        source, place = worktree / path, tree / path
        if not (_is_inside(source, worktree) and _is_inside(place, tree)):
            continue
        if source.is_dir() and not source.is_symlink():
            without = shutil.ignore_patterns(".git")
            shutil.copytree(source, place, True, without, _copy_file, dirs_exist_ok=True)
        elif os.path.lexists(source) and not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            _copy_file(source, place)


def _is_inside(place: Path, root: Path) -> bool:
    return real(place.parent).is_relative_to(real(root))


def _copy_file(source: str | Path, place: str | Path) -> None:
    """Copy a link as it is, and a plain file that is not so large that it would fill the disk."""
    facts = os.lstat(source)
    if S_ISLNK(facts.st_mode) or (S_ISREG(facts.st_mode) and facts.st_size <= LARGEST):
        shutil.copy2(source, place, follow_symlinks=False)


def _with_evidence(done: TestRun, alone: TestRun, note: str) -> TestRun:
    noted = tuple({**entry, "note": "; ".join(filter(None, (note, entry["note"])))} for entry in alone.evidence)
    return replace(done, evidence=(*done.evidence, *noted))


def _void(done: TestRun, reason: str, suggestion: str) -> TestRun:
    """A run of which nothing counts but that it was made."""
    return TestRun(
        False,
        reason=reason,
        suggestion=suggestion,
        left=done.left,
        tool=done.tool,
        tool_version=done.tool_version,
        evidence=done.evidence,
    )


def _listed(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
