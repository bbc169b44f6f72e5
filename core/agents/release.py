"""O1's agents: the version, the changelog, the deployment, its health, and the record of it all.

The process can be killed between an act and its record, and then the same request comes again. So each agent first
asks whether its act is there: commits carry trailers that name the work item and the agent, and a worktree's
uncommitted leftovers are thrown away before anything is written.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.agents import bumps, changelogs, deployment, health, versions
from core.agents.bench import Bench
from core.agents.records import file_digest, read_json, write_json
from core.agents.tags import newest_version, prefix_of, release_tags, tags_of
from core.contract import AgentRequest, AgentResponse, ApmError, Json, blocked, digest_of, failed, succeeded
from core.projects import git
from core.projects.detection import detect
from core.projects.worktrees import Worktree, reset_to_commit

VERSIONER, CURATOR, SCRIBE = "versioner", "changelog-curator", "incident-scribe"
FIRST = "0.0.0"
"""What a first release counts from."""
RECORD_FILE = "record.json"
_MISSING = {VERSIONER: "version", CURATOR: "changelog"}

_Agent = Callable[[AgentRequest, Bench], Coroutine[Any, Any, AgentResponse]]


def _answering(role: str) -> Callable[[_Agent], _Agent]:
    """A role's function, which answers FAILURE in words where git or the file system refuses."""

    def wrapped(agent: _Agent) -> _Agent:
        @functools.wraps(agent)
        async def answer(request: AgentRequest, bench: Bench) -> AgentResponse:
            if bench.worktree is None or "project" not in request.context:
                return blocked(role, {}, ["project"], "A release needs a project: give the work item one, then go on.")
            try:
                return await agent(request, bench)
            except versions.VersionError as error:
                return blocked(role, {}, [_MISSING.get(role, "version")], str(error))
            except (ApmError, OSError) as error:
                return failed(role, str(error), suggestion="Mend what the error names, then go on.")

        return answer

    return wrapped


@dataclass(frozen=True, slots=True)
class _Branch:
    """The work item's branch as O1 finds it.

    `landed`: all of it is on the target already, so this release has happened. `since` is where the branch left the
    target: the newest common commit, or the one it began at where it has landed.
    """

    tree: Path
    head: str
    since: str
    landed: bool
    commits: tuple[git.Commit, ...]

    def own(self, work_item: Json, role: str) -> git.Commit | None:
        """The newest commit that this agent made for this work item."""
        trailers = _trailers(work_item, role).items()
        return next((commit for commit in self.commits if trailers <= commit.trailers.items()), None)


@dataclass(frozen=True, slots=True)
class _Stated:
    """The version as the target released it and as the branch states it, with the file; `kind` vcs has no file."""

    path: str
    kind: str
    released: str
    now: str


def _trailers(work_item: Json, role: str) -> dict[str, str]:
    return {"Apm-Work-Item": str(work_item.get("id", "")), "Apm-Agent": role}


async def _branch(request: AgentRequest, bench: Bench) -> _Branch:
    """The branch, with a killed run's leftovers gone from its worktree."""
    tree, project = bench.tree(), request.context["project"]
    await reset_to_commit(Worktree(tree, project["branch"], project["base_commit"]))
    head, target = await git.head(tree), f"refs/heads/{project['target']}"
    base, landed = str(project["base_commit"]), await git.is_ancestor(tree, head, target)
    since = base if landed else await git.merge_base(tree, head, target) or base
    return _Branch(tree, head, since, landed, await git.commits(tree, base, head))


@_answering(VERSIONER)
async def versioner(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Raises the version in the files that state it, as one commit; for versions that live in tags, only says it."""
    item, project = request.context.get("work_item", {}), request.context["project"]
    branch = await _branch(request, bench)
    stated = await _stated(project, branch, item)
    wanted = str(request.context.get("answers", {}).get("version", "")).strip()
    if stated is None and not wanted:
        return _no_version(project)
    stated = stated or _Stated("", "vcs", FIRST, FIRST)
    bump = bumps.bump_of(item, await _messages(branch), stated.released)
    if _is_greater(stated.now, stated.released) and wanted in ("", stated.now):
        own = branch.own(item, VERSIONER)
        return _bumped(stated, stated.now, bump, own.sha if own else await _last_change(branch, stated.path))
    to = wanted or bumps.next_version(stated.released, bump.level)
    problem = await _refused(to, stated, branch, item)
    if problem:
        return blocked(VERSIONER, {}, ["version"], problem)
    commit = branch.head if stated.kind == "vcs" else await _commit_version(project, branch, stated, to, item)
    return _bumped(stated, to, bump, commit)


async def _messages(branch: _Branch) -> list[str]:
    """What the branch's own commits say; those that came in from the target belong to other releases."""
    commits = await git.commits(branch.tree, branch.since, branch.head)
    return [f"{commit.subject}\n\n{commit.body}" for commit in commits]


async def _stated(project: Json, branch: _Branch, item: Json) -> _Stated | None:
    """The version before this release, and the one on the branch; None without a version file."""
    # What was detected may be older than the file that a human was asked for.
    place = (project.get("tech") or {}).get("version_file") or (await detect(branch.tree))["version_file"]
    if not place:
        return None
    if place["kind"] == "vcs":
        own_tags = await tags_of(branch.tree, str(item.get("id", ""))) if branch.landed else ()
        seen = await release_tags(branch.tree, branch.head if branch.landed else branch.since)
        tags = [tag for tag in seen if tag.name not in own_tags]
        newest = newest_version(tags) or await _unpacked_version(branch) or FIRST
        return _Stated("", "vcs", newest, newest)
    path, kind = str(place["path"]), str(place["kind"])
    here = versions.read_place(branch.tree, path, kind)
    if here is None:
        raise versions.VersionError(f"{path} states no version of its own as {kind}; write one there, then go on.")
    own = branch.own(item, VERSIONER)
    text = await git.file_at(branch.tree, f"{own.sha}^" if own and branch.landed else branch.since, path)
    before = versions.find_version(text, kind, path) if text is not None else None
    return _Stated(path, kind, before.value if before else FIRST, here.value)


async def _unpacked_version(branch: _Branch) -> str:
    """The version of an unpacked sdist that became a repository: it has no tags, but says what it was."""
    text = await git.file_at(branch.tree, branch.since, "PKG-INFO")
    match = re.search(r"^Version: (\S+)$", text or "", re.MULTILINE)
    return match[1] if match else ""


def _is_greater(new: str, old: str) -> bool:
    for version in (new, old):
        if not bumps.is_version(version):
            raise versions.VersionError(f"{version!r} is neither SemVer nor PEP 440; write such a version there.")
    try:
        return bumps.is_greater(new, old)
    except ValueError as error:
        raise versions.VersionError(f"{new!r} and {old!r} cannot be compared: {error}.") from None


async def _refused(to: str, stated: _Stated, branch: _Branch, item: Json) -> str:
    """Why a version cannot be released; empty when it can."""
    if not bumps.is_version(to):
        return f"{to!r} is neither SemVer nor PEP 440; answer `version` with one such as 1.3.0."
    if not _is_greater(to, stated.released):
        return f"{to} is not greater than {stated.released}, the version before; answer `version` with a greater one."
    tag = prefix_of(await release_tags(branch.tree, branch.head), stated.released) + to
    if await git.tag_at(branch.tree, tag) and tag not in await tags_of(branch.tree, str(item.get("id", ""))):
        return f"The tag {tag} exists already, so {to} was released before; answer `version` with a greater one."
    return ""


async def _commit_version(project: Json, branch: _Branch, stated: _Stated, to: str, item: Json) -> str:
    """Write the version wherever the project repeats it, in one commit."""
    tracked = set(await git.tracked_files(branch.tree))
    repeated = versions.second_places(branch.tree, stated.kind, stated.path, _homes(project), stated.now)
    for path, kind in [(stated.path, stated.kind), *(pair for pair in repeated if pair[0] in tracked)]:
        versions.write_version(branch.tree, path, kind, to)
    commit = await git.add_all_and_commit(branch.tree, f"Version {to}", trailers=_trailers(item, VERSIONER))
    if commit is None:
        raise versions.VersionError(f"git ignores {stated.path}, so its version cannot be committed; track the file.")
    return commit


def _homes(project: Json) -> list[str]:
    """Where the project's Python package may be, below the worktree."""
    tech = project.get("tech") or {}
    package = str(tech.get("package") or "").replace(".", "/")
    roots = [str(tech["source_root"])] if tech.get("source_root") is not None else ["", "src"]
    return [f"{root}/{package}".lstrip("/") for root in roots] if package else []


def _bumped(stated: _Stated, to: str, bump: bumps.Bump, commit: str) -> AgentResponse:
    output = {
        "version": {"from": stated.released, "to": to},
        "file": stated.path,
        "bump": bump.level,
        "reason": bump.reason,
        "breaking": bump.breaking,
        "commit": commit,
    }
    return succeeded(VERSIONER, output, tool="semver")


def _no_version(project: Json) -> AgentResponse:
    hint = (
        f'No file of the project states its version: commit one on {project["branch"]} (a line `version = "0.1.0"` '
        "under [project] in pyproject.toml, or a file VERSION), or answer `version`, and only the tag carries it."
    )
    return blocked(VERSIONER, {}, ["version"], hint)


async def _last_change(branch: _Branch, path: str) -> str:
    """The commit of the branch that changed a file last; the branch's head when none did."""
    span = f"{branch.since}..{branch.head}"
    return (await git.git(branch.tree, "log", "-1", "--format=%H", span, "--", path)).strip() or branch.head


@_answering(CURATOR)
async def changelog_curator(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Writes the release's entry, as one commit. Its date is that of the version's commit, so it never varies."""
    item, project = request.context.get("work_item", {}), request.context["project"]
    version = request.context.get("results", {}).get(VERSIONER, {})
    if not version:
        return blocked(CURATOR, {}, ["version"], "The version comes first; mend what stopped the versioner.")
    branch = await _branch(request, bench)
    path = str((project.get("tech") or {}).get("changelog") or "CHANGELOG.md")
    file = versions.inside(branch.tree, path)
    date = dt.date.fromisoformat((await git.git(branch.tree, "show", "-s", "--format=%cs", version["commit"])).strip())
    criteria = request.context.get("criteria") or request.input_artifact.get("criteria") or []
    entry = changelogs.entry_of(item, criteria, version["version"]["to"], date, breaking=bool(version.get("breaking")))
    before, encoding = versions.read_text(file) if file.is_file() else ("", "utf-8")
    after = changelogs.add_entry(before, entry, path)
    own = branch.own(item, CURATOR)
    commit = own.sha if own else await _last_change(branch, path)
    if after != before:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(after.encode(encoding, "xmlcharrefreplace"))
        message = f"Changelog of {entry.version}"
        made = await git.add_all_and_commit(branch.tree, message, trailers=_trailers(item, CURATOR))
        if made is None:
            hint = f"git ignores {path}; track the file, or name another changelog."
            return blocked(CURATOR, {}, ["changelog"], hint)
        commit = made
    output = {"changelog": {"updated": True, "entry": changelogs.bullet(entry)}, "file": path, "commit": commit}
    return succeeded(CURATOR, output, tool="changelog")


@_answering(deployment.ROLE)
async def deploy_orchestrator(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Merges, tags and deploys; see `core.agents.deployment`."""
    return await deployment.deploy(request, bench)


@_answering(health.ROLE)
async def health_verifier(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Checks the release and registers its monitor; see `core.agents.health`."""
    return await health.verify_health(request, bench)


@_answering(SCRIBE)
async def incident_scribe(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Writes down what happened when, with what proves it. All of it is read back, so writing again changes nothing."""
    results = request.context.get("results", {})
    version = str(results.get(VERSIONER, {}).get("version", {}).get("to", ""))
    if not version:
        return blocked(SCRIBE, {}, ["version"], "There is no release to record; mend what stopped the versioner.")
    events = await _events(bench.tree(), bench.releases / version, results)
    path = bench.releases / version / RECORD_FILE
    write_json(
        path, {"version": version, "work_item": request.context.get("work_item", {}).get("id"), "events": events}
    )
    output = {"events": events, "record": f"{version}/{RECORD_FILE}", "digest": file_digest(path)}
    return succeeded(SCRIBE, output, tool="git")


async def _events(tree: Path, folder: Path, results: Json) -> list[Json]:
    version, log = results.get(VERSIONER, {}), results.get(CURATOR, {})
    deployed, healthy = results.get(deployment.ROLE, {}), results.get(health.ROLE, {})
    span = version.get("version", {})
    told = (
        ("bump", f"{span.get('from')} → {span.get('to')} {version.get('file', '')}".strip(), version.get("commit")),
        ("changelog", str(log.get("file", "")), log.get("commit")),
        ("merge", f"into {deployed.get('deployment', {}).get('target')}", deployed.get("merge_commit")),
        ("tag", str(deployed.get("tag", "")), deployed.get("merge_commit")),
    )
    events = [
        {"event": event, "at": await _time_of(tree, commit), "text": text, "evidence": {"commit": commit}}
        for event, text, commit in told
        if commit
    ]
    record = read_json(folder / deployment.RELEASE_FILE) or {}
    if record:
        evidence = {
            "release": file_digest(folder / deployment.RELEASE_FILE),
            "artifacts": deployed.get("artifacts", []),
        }
        text = f"{len(deployed.get('artifacts', []))} files by {record.get('tool')}"
        events.append({"event": "deploy", "at": record["finished_at"], "text": text, "evidence": evidence})
    if reading := healthy.get("reading"):
        text = f"{healthy['health']['status']}: {reading['detail']}"
        events.append(
            {"event": "health", "at": reading["at"], "text": text, "evidence": {"digest": digest_of(reading)}}
        )
    return events


async def _time_of(tree: Path, commit: str) -> str:
    return (await git.git(tree, "show", "-s", "--format=%cI", commit)).strip()
