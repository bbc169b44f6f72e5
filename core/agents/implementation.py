"""I1's agents that need no model, and the bundle that I1 hands on: read from the branch, never from claims."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.branch import is_doc_file, is_test_file, shown
from core.agents.committed import run_committed
from core.agents.feature_flags import feature_flags
from core.agents.patterns import FILES_NAMED, habits, read_sources, related, tests_for, words_of
from core.agents.public_names import PublicName, changed_names
from core.agents.schema_changes import schema_change
from core.contract import AgentRequest, AgentResponse, Json, blocked, succeeded
from core.projects import git
from core.projects.own_work import files_of, own_base
from core.sanitise import one_line

NAMED = 10
"""Public names or model lines that a question lists."""
ANSWER_CHARACTERS = 1_000

__all__ = ["build_bundle", "doc_toucher", "feature_flags", "migration_author", "pattern_applier"]


async def pattern_applier(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Finds the files that a task's words point to, the tests beside them, and the habits to keep to."""
    if bench.worktree is None:
        return _homeless("pattern-applier")
    task, tech = request.context.get("task") or {}, _tech(request)
    named = set(task.get("criteria") or ())
    texts = [str(row.get("text", "")) for row in request.context.get("criteria") or () if row.get("id") in named]
    wanted = words_of(" ".join([str(task.get("title", "")), *texts]))
    tracked = await git.tracked_files(bench.worktree)
    found = await asyncio.to_thread(_survey, bench.worktree, tracked, tech, wanted)
    return succeeded("pattern-applier", found, tool="ast")


def _survey(worktree: Path, tracked: Sequence[str], tech: Json, wanted: set[str]) -> Json:
    sources = read_sources(worktree, tracked, tech)
    matches = related([source for source in sources if not source.is_test], wanted)[:FILES_NAMED]
    files = [match.path for match in matches]
    return {
        "patterns": habits(sources, tracked, tech),
        "files": [shown(path) for path in files],
        "because": {shown(match.path): list(match.words) for match in matches},
        "test_files": [shown(path) for path in tests_for(sources, files, wanted)],
    }


async def migration_author(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Says whether the branch changes the schema and brings migrations; BLOCKED for a change without one.

    A person's `answers.migrations` (why none is needed) stands in for a migration, and is shown as theirs.
    """
    if bench.worktree is None:
        return _homeless("migration-author")
    base, head, tech = await _base(request, bench), await git.head(bench.worktree), _tech(request)
    found = await schema_change(bench.worktree, base, head, tech)
    word = _answer(request, "migrations")
    output: Json = {
        "schema_changed": bool(found.changes),
        "created": list(found.created),
        "evidence": list(found.changes[:NAMED]),
    }
    if not found.changes or found.created:
        return succeeded("migration-author", output, tool="ast")
    if word:
        return succeeded(
            "migration-author", {**output, "schema_changed": False, "waived": f"human: {word}"}, tool="ast"
        )
    folder = next(iter(tech.get("migrations") or ()), "migrations/")
    return blocked(
        "migration-author",
        output,
        [f"a migration for {change}" for change in found.changes[:NAMED]],
        f"Commit a migration under {folder} on this branch, or answer `migrations` with the reason why none is needed.",
        tool="ast",
    )


async def doc_toucher(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Says whether the branch documents what it changes; BLOCKED, naming what is undocumented, when it does not.

    Documentation is a README, a file under docs, Markdown or reStructuredText in the diff. Docstrings count in its
    place only when every public name that is new or has a new signature got one on this branch: then what callers
    can see is told where they look for it. A person's `answers.docs` (why none is needed) is shown as theirs.
    """
    if bench.worktree is None:
        return _homeless("doc-toucher")
    output, names = await _docs(
        bench.worktree, await _base(request, bench), await git.head(bench.worktree), _tech(request)
    )
    word = _answer(request, "docs")
    if output["updated"]:
        return succeeded("doc-toucher", output, tool="git")
    if word:
        return succeeded("doc-toucher", {**output, "updated": True, "waived": f"human: {word}"}, tool="git")
    places = ", ".join(_tech(request).get("docs") or ["README.md"])
    untold = [name.place for name in names if name.surface and not name.told] or [name.place for name in names]
    missing = [f"documentation of {place}" for place in untold[:NAMED]] or ["documentation of what the branch changes"]
    return blocked(
        "doc-toucher",
        output,
        missing,
        f"Describe it in {one_line(places)} and commit that on this branch, or answer `docs` with why none is needed.",
        tool="git",
    )


async def _docs(worktree: Path, base: str, head: str, tech: Json) -> tuple[Json, list[PublicName]]:
    changed = [path for status, path in await git.changed_files(worktree, base, head) if status != "D"]
    files = [path for path in changed if is_doc_file(path, tech)]
    names = await changed_names(worktree, base, head, tech)
    seen = [name for name in names if name.surface]
    told = bool(seen) and all(name.told for name in seen)
    docstrings = sorted({name.path for name in seen}) if told and not files else []
    return {
        "updated": bool(files) or told,
        "files": [shown(path) for path in [*files, *docstrings]],
        "by_docstrings": bool(docstrings),
    }, names


async def build_bundle(request: AgentRequest, bench: Bench) -> tuple[Json, list[Json]]:
    """The content of `build.bundle`, measured on the branch, and the evidence of the test run behind it.

    `context["results"]["tasks"]` holds `{"id", role: output, …}` per task. From these come only the ids, which
    commits each task claims (those that are not on the branch are dropped), its mapping `verifies`, and what a
    person waived; everything else is read from git and from a run of the project's tests. When the tests could not
    be run, `tests.reason` says why and nothing counts as passed.
    """
    worktree, project, tech = bench.tree(), request.context["project"], _tech(request)
    base, head = await _base(request, bench), await git.head(worktree)
    rows = list((request.context.get("results") or {}).get("tasks") or ())
    changed = [path for status, path in await git.changed_files(worktree, base, head) if status != "D"]
    test_files = [shown(path) for path in changed if is_test_file(path, tech)]
    done = await run_committed(project, worktree, bench.scratch, coverage=False)
    bundle = {
        "branch": await git.current_branch(worktree) or project.get("branch", ""),
        "base_commit": base,
        "head_commit": head,
        "tasks": await _tasks(worktree, base, head, rows),
        "tests": {
            "updated": bool(test_files),
            "files": test_files,
            "passed": done.passed,
            "failed": done.failed,
            "reason": done.reason,
            "suggestion": done.suggestion,
            "failures": [{"id": case, "text": text} for case, text in done.failures[:NAMED]],
        },
        "feature_flags": await feature_flags(worktree, base, head, _texts(request)),
        "docs": await _bundle_docs(worktree, base, head, tech, rows),
        "migrations": await _bundle_migrations(worktree, base, head, tech, rows),
    }
    return bundle, list(done.evidence)


async def _tasks(worktree: Path, base: str, head: str, rows: Sequence[Json]) -> list[Json]:
    """Each task with the commits of the branch that are its own.

    A commit that no task claims goes to the task that its message names, or to the only task there is.
    """
    branch = await git.commits(worktree, base, head)
    claims = {str(row["id"]): _claimed(row) for row in rows}
    everything = {sha for shas in claims.values() for sha in shas}
    tasks = []
    for row in rows:
        name = str(row["id"])
        own = [
            commit.sha
            for commit in reversed(branch)
            if _is_claimed(commit.sha, claims[name])
            or (not _is_claimed(commit.sha, everything) and (len(rows) == 1 or _names(commit, name)))
        ]
        files = {shown(path) for sha in own for path in await files_of(worktree, sha)}
        task = {"id": name, "agent": "code-implementer", "commits": own, "files": sorted(files)}
        tasks.append({**task, "verifies": _merged_verifies(row)})
    return tasks


def _claimed(row: Json) -> set[str]:
    outputs = [row.get(role) or {} for role in ("code-implementer", "test-implementer")]
    return {str(sha) for output in outputs for sha in output.get("commits") or () if len(str(sha)) >= 7}


def _is_claimed(sha: str, claims: set[str]) -> bool:
    return any(sha.startswith(claim) for claim in claims)


def _names(commit: git.Commit, task: str) -> bool:
    return (commit.trailers.get("Task") or commit.trailers.get("Apm-Task", "")).strip() == task


def _merged_verifies(row: Json) -> dict[str, list[str]]:
    """Criterion → test ids, as both implementers of a task state them; ac-verifier checks each against the run."""
    merged: dict[str, list[str]] = {}
    for role in ("code-implementer", "test-implementer"):
        stated = (row.get(role) or {}).get("verifies")
        for criterion, tests in (stated if isinstance(stated, Mapping) else {}).items():
            kept = merged.setdefault(str(criterion), [])
            kept += [str(test) for test in tests if str(test) not in kept] if isinstance(tests, list) else []
    return merged


async def _bundle_docs(worktree: Path, base: str, head: str, tech: Json, rows: Sequence[Json]) -> Json:
    docs, _ = await _docs(worktree, base, head, tech)
    waived = _waivers(rows, "doc-toucher")
    return {**docs, "updated": True, "waived": waived} if waived and not docs["updated"] else docs


async def _bundle_migrations(worktree: Path, base: str, head: str, tech: Json, rows: Sequence[Json]) -> Json:
    found = await schema_change(worktree, base, head, tech)
    waived = _waivers(rows, "migration-author") if found.changes and not found.created else ""
    migrations: Json = {
        "schema_changed": bool(found.changes) and not waived,
        "created": list(found.created),
        "evidence": list(found.changes[:NAMED]),
    }
    return {**migrations, "waived": waived} if waived else migrations


def _waivers(rows: Sequence[Json], role: str) -> str:
    return "; ".join(dict.fromkeys(str(row[role]["waived"]) for row in rows if (row.get(role) or {}).get("waived")))


def _texts(request: AgentRequest) -> list[Json]:
    """Everything in which somebody may have asked for a feature flag: the criteria, and the work item's title."""
    item = request.context.get("work_item") or {}
    return [*(request.context.get("criteria") or ()), {"id": "title", "text": item.get("title", "")}]


def _answer(request: AgentRequest, key: str) -> str:
    """A person's answer as one line of text; empty when there is none."""
    value: Any = (request.context.get("answers") or {}).get(key)
    if isinstance(value, Mapping):
        value = value.get("reason") or value.get("text") or value.get("evidence")
    return one_line(value, ANSWER_CHARACTERS) if isinstance(value, str) else ""


def _tech(request: AgentRequest) -> Json:
    return dict((request.context.get("project") or {}).get("tech") or {})


async def _base(request: AgentRequest, bench: Bench) -> str:
    return await own_base(bench.tree(), request.context["project"])


def _homeless(agent: str) -> AgentResponse:
    missing = ["a project with a worktree for this work item"]
    return blocked(agent, {}, missing, "Attach the work item to a project: apm project add PATH, then --project.")
