"""deploy-orchestrator: the reviewed branch becomes a merge, a tag and a deployment, each exactly once.

Every step asks the world whether it has happened before it acts, so a kill at any point is mended by asking again.

Without a deploy command the release is a build: build, then move the target branch, then tag, then `release.json`.
A build that fails has moved nothing. With a deploy command the order is merge, tag, deploy: such commands push or
publish what is on the branch and under the tag, and a deployed commit that is not on the branch is worse than a
merged one that is not deployed yet. When the command fails, merge and tag stay and the command can run again.

No question tells whether a command without a `deployed` check ran to its end before a kill, so an intent is written
before it and the outcome after it; an intent without an outcome is a question for a human.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.agents.bench import Bench
from core.agents.builds import BuildError, build_commit
from core.agents.confined import OWN_COMMAND
from core.agents.credentials import granted, not_set, without_values
from core.agents.records import file_digest, read_json, write_json
from core.agents.tags import prefix_of, release_tags
from core.contract import AgentRequest, AgentResponse, Json, blocked, failed, succeeded
from core.projects import forwarding, git
from core.projects.child import Leftovers
from core.projects.commands import CommandResult, Limits, is_there, run
from core.projects.git import GitError
from core.projects.settings import expand, interpreter
from core.sanitise import one_line, sanitise

ROLE = "deploy-orchestrator"
DEPLOY_LIMITS, ASK_LIMITS = Limits(seconds=3_600.0), Limits(seconds=120.0)
RELEASE_FILE, INTENT_FILE, DONE_FILE = "release.json", "deploy.intent", "deploy.done"
RECORDS = frozenset({RELEASE_FILE, INTENT_FILE, DONE_FILE, "record.json"})
"""Files in a release's folder that are apm's own; everything else there is what was released."""
TAIL = 1_500


@dataclass(frozen=True, slots=True)
class Release:
    """One release, and where everything of it is. `head` is the branch's commit, `folder` takes the files."""

    work_item: Json
    project: Json
    version: str
    tag: str
    repo: Path
    tree: Path
    target: str
    head: str
    folder: Path
    scratch: Path

    @property
    def trailers(self) -> dict[str, str]:
        return {"Apm-Work-Item": str(self.work_item.get("id", "")), "Apm-Agent": ROLE}

    @property
    def settings(self) -> Json:
        return dict(self.project.get("settings") or {})

    @property
    def words(self) -> dict[str, str | Path]:
        """What the words in a command's braces stand for."""
        return {
            "python": interpreter(self.project),
            "worktree": self.tree,
            "version": self.version,
            "releases": self.folder.parent,
        }


@dataclass(frozen=True, slots=True)
class Deployment:
    """What came of it: `problem` is empty when it succeeded, `question` names what a human must answer."""

    evidence: list[Json] = field(default_factory=list)
    tool: str = ""
    tool_version: str = ""
    problem: str = ""
    question: str = ""


async def deploy(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Merge, tag and deploy the work item's branch. BLOCKED where a human must act, FAILURE where a tool failed."""
    results = request.context.get("results", {})
    version = results.get("versioner", {}).get("version", {}).get("to")
    if not version or not results.get("changelog-curator", {}).get("changelog", {}).get("updated"):
        missing = ["version"] if not version else ["changelog"]
        return blocked(ROLE, {}, missing, "Version and changelog come first; mend what stopped them, then go on.")
    release = await _release(request.context, bench, version)
    if await _unreviewed(release, request.context):
        hint = "Something was committed after the review. Try again, and the branch is reviewed as it stands."
        return blocked(ROLE, {}, ["a branch that holds only what was reviewed"], hint)
    unset = not_set(release.settings, os.environ) if release.settings.get("deploy") else []
    if unset:
        hint = (
            f"Set {', '.join(unset)} where apm runs (the project's deploy_env names them), start it again, then go on."
        )
        return blocked(ROLE, {}, [f"the environment variable {name}" for name in unset], hint)
    merge = await _merge(release)
    if merge is None:
        hint = f"Bring {release.target} into the branch: start O1 again, and apm integrates it first."
        return blocked(ROLE, {}, [f"a branch that contains {release.target}"], hint)
    there = await git.tag_at(release.repo, release.tag)
    if there not in (None, merge):
        hint = f"The tag {release.tag} stands on {there}, not on this release; answer `version` with a free one."
        return blocked(ROLE, {}, [f"a free tag for version {version}"], hint)
    if release.settings.get("deploy"):
        absent = [] if there else _absent(release)
        if absent:
            hint = f"Nothing was merged or tagged. Install {', '.join(absent)}, or correct the command; then go on."
            return blocked(ROLE, {}, [f"the program {name}" for name in absent], hint)
        return await _deploy_by_command(release, merge, request)
    return await _deploy_by_build(release, merge)


async def _release(context: Json, bench: Bench, version: str) -> Release:
    project, tree = context["project"], bench.tree()
    branch_head = await git.head(tree, project.get("branch") or "HEAD")
    tags = await release_tags(tree, branch_head)
    before = context["results"]["versioner"]["version"].get("from") or ""
    return Release(
        work_item=context.get("work_item", {}),
        project=project,
        version=version,
        tag=prefix_of(tags, before) + version,
        repo=Path(project["path"]),
        tree=tree,
        target=project["target"],
        head=branch_head,
        folder=bench.releases / version,
        scratch=bench.scratch / "deploy",
    )


def _absent(release: Release) -> list[str]:
    """The programs of the deployment that cannot be started: found out before the target has moved."""
    commands = [release.settings.get(name) for name in ("deploy", "deployed")]
    programs = [expand(command, **release.words)[0] for command in commands if command]
    return [one_line(name, 200) for name in dict.fromkeys(programs) if not is_there(name, release.tree)]


async def _unreviewed(release: Release, context: Json) -> bool:
    """Whether the commit about to be merged lacks the reviewed one, or holds others than it and this release's.

    Looked at here, on the very commit that is merged: a branch can move at any moment before.
    """
    reviewed = context.get("commit")
    if not reviewed:
        return False
    if not await git.is_ancestor(release.tree, reviewed, release.head):
        return True
    own = {context["results"].get(role, {}).get("commit") for role in ("versioner", "changelog-curator")}
    return any(commit.sha not in own for commit in await git.commits(release.tree, reviewed, release.head))


async def _merge(release: Release) -> str | None:
    """The merge commit: the one on the target already, else made now and pointed to by nothing yet.

    People, time and text of the commit come from the branch, so it is the same commit however often it is made.
    None when the target has moved past the branch.
    """
    tip = await git.head(release.repo, f"refs/heads/{release.target}")
    if await git.is_ancestor(release.repo, release.head, tip):
        return await _merge_on_target(release, tip)
    if not await git.is_ancestor(release.repo, tip, release.head):
        return None
    title = one_line(str(release.work_item.get("title", "")), 120)
    return await git.merge_commit(
        release.repo,
        release.head,
        tip,
        f"Release {release.version}: {title}",
        trailers=release.trailers,
        date=await _date(release.repo, release.head),
    )


async def _merge_on_target(release: Release, tip: str) -> str:
    """The commit by which the branch came onto the target: our merge, or the branch's head where a person moved it."""
    span = f"{release.head}..{tip}"
    chain = (await git.git(release.repo, "rev-list", "--first-parent", "--parents", span)).splitlines()
    oldest, *parents = chain[-1].split() if chain else [release.head]
    return oldest if release.head in parents[1:] else release.head


async def _date(repo: Path, commit: str) -> str:
    return (await git.git(repo, "show", "--no-patch", "--format=%cI", commit)).strip()


async def _land(release: Release, merge: str) -> AgentResponse | None:
    """Move the target and set the tag; a BLOCKED response when the user's checkout is in the way."""
    try:
        await forwarding.fast_forward(release.repo, release.target, merge)
    except GitError as error:
        hint = f"{error} Then go on: nothing was touched, and apm merges {merge[:12]} again."
        return blocked(
            ROLE, _output("blocked", release, merge, []), [f"a checkout that lets {release.target} move"], hint
        )
    message = f"{release.tag}\n\n{one_line(str(release.work_item.get('title', '')))}"
    date = await _date(release.repo, merge)
    await git.create_tag(release.repo, release.tag, merge, message, trailers=release.trailers, date=date)
    return None


async def _deploy_by_build(release: Release, merge: str) -> AgentResponse:
    recorded = _recorded(release, merge)
    if recorded is not None:
        artifacts, done = recorded["artifacts"], _done_before(recorded)
    else:
        try:
            built = await build_commit(release.project, release.tree, merge, release.version, release.scratch)
        except BuildError as error:
            hint = f"Nothing was merged or tagged; mend the build on {release.project.get('branch')}, then go on."
            hint = f"{hint} {error.advice}".strip()
            stopped = failed(ROLE, str(error), ["a build that succeeds"], hint, evidence=error.evidence)
            return replace(stopped, output_artifact={"deployment": {"status": "not begun", "target": release.target}})
        artifacts, done = _placed(release, built.files), Deployment(built.evidence, built.tool, built.tool_version)
    return await _land(release, merge) or _finished(release, merge, artifacts, done)


def _done_before(record: Json) -> Deployment:
    return Deployment(record["evidence"], record["tool"], record["tool_version"])


def _placed(release: Release, files: tuple[Path, ...]) -> list[Json]:
    """The built files in the release's folder, without what an earlier, unfinished attempt left there."""
    release.folder.mkdir(parents=True, exist_ok=True)
    for old in [path for path in release.folder.rglob("*") if path.is_file() and path.name not in RECORDS]:
        old.unlink()
    for file in files:
        partial = release.folder / f".{file.name}"
        shutil.copyfile(file, partial)
        partial.replace(release.folder / file.name)
    return _artifacts(release)


def _artifacts(release: Release) -> list[Json]:
    """The released files with their digests; paths are relative to the project's folder of releases.

    A name that begins with a dot is a file that was being written when apm was killed.
    """
    names = sorted(path for path in release.folder.rglob("*") if path.is_file())
    files = [path for path in names if path.name not in RECORDS and not path.name.startswith(".")]
    home = release.folder.parent
    return [{"path": file.relative_to(home).as_posix(), "digest": file_digest(file)} for file in files]


def _recorded(release: Release, merge: str) -> Json | None:
    """What an earlier run finished of this very release, when its files are still what was recorded."""
    record = read_json(release.folder / RELEASE_FILE)
    if record is None or record.get("merge_commit") != merge or record.get("artifacts") != _artifacts(release):
        return None
    return record


def _finished(release: Release, merge: str, artifacts: list[Json], done: Deployment) -> AgentResponse:
    """`release.json` is written last: where it stands, everything before it has happened."""
    output = _output("success", release, merge, artifacts)
    if _recorded(release, merge) is None:
        record = {
            **output,
            "version": release.version,
            "work_item": release.work_item.get("id"),
            "finished_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "tool": done.tool,
            "tool_version": done.tool_version,
            "evidence": done.evidence,
        }
        write_json(release.folder / RELEASE_FILE, record)
    return succeeded(ROLE, output, tool=done.tool, tool_version=done.tool_version, evidence=done.evidence)


def _output(status: str, release: Release, merge: str, artifacts: list[Json]) -> Json:
    return {
        "deployment": {"status": status, "target": release.target},
        "artifacts": artifacts,
        "tag": release.tag,
        "merge_commit": merge,
    }


async def _deploy_by_command(release: Release, merge: str, request: AgentRequest) -> AgentResponse:
    stopped = await _land(release, merge)
    if stopped is not None:
        return stopped
    recorded = _recorded(release, merge)
    if recorded is not None:
        return _finished(release, merge, recorded["artifacts"], _done_before(recorded))
    answer = str(request.context.get("answers", {}).get("deployment", "")).strip().lower()
    done = await _deployed_once(release, merge, answer)
    output = _output("failed" if done.problem else "unknown", release, merge, [])
    if done.question:
        return blocked(ROLE, output, ["deployment"], done.question, evidence=done.evidence)
    if done.problem:
        hint = f"{release.target} is merged and tagged {release.tag}, and stays so; mend the cause, then run it again."
        stopped = failed(ROLE, done.problem, ["a deploy command that succeeds"], hint, evidence=done.evidence)
        return replace(stopped, output_artifact=output)
    return _finished(release, merge, _artifacts(release), done)


async def _deployed_once(release: Release, merge: str, answer: str) -> Deployment:
    """Run the deploy command unless it ran already, or may have."""
    intent = _of_merge(read_json(release.folder / INTENT_FILE), merge)
    done = _of_merge(read_json(release.folder / DONE_FILE), merge)
    attempt = int(intent.get("attempt", 0))
    if done and done["attempt"] == attempt:
        if done["exit_code"] == 0:
            return Deployment(done["evidence"], done["tool"])
        return await _run_deploy(release, merge, attempt + 1)
    if attempt == 0:
        return await _run_deploy(release, merge, 1)
    return await _uncertain(release, merge, attempt, answer)


def _of_merge(record: Json | None, merge: str) -> Json:
    """A record of this release; one of another commit under the same version says nothing."""
    return record if record and record.get("merge_commit") == merge else {}


async def _uncertain(release: Release, merge: str, attempt: int, answer: str) -> Deployment:
    """The command was started and its end is not known: the project's own check decides, else a human."""
    again = "again" if attempt == 1 else f"again {attempt}"
    check = release.settings.get("deployed")
    if check:
        result = await _run(release, expand(check, **release.words), ASK_LIMITS)
        evidence = [result.evidence(note=f"asks whether this release is deployed: {OWN_COMMAND}")]
        if result.ok:
            return _write_done(release, merge, attempt, evidence, str(check[0]))
        if result.exit_code is not None:
            return await _run_deploy(release, merge, attempt + 1)
        return Deployment(
            evidence, question=f"The check whether {release.version} is deployed gave no answer: {result.stderr}"
        )
    if answer == "done":
        return _write_done(release, merge, attempt, [], "human")
    if answer == again:
        return await _run_deploy(release, merge, attempt + 1)
    command = " ".join(release.settings["deploy"])
    return Deployment(
        question=f"The deploy command ({one_line(command)}) may have run before apm was killed: look whether "
        f"{release.version} is deployed, then answer deployment: 'done' if it is, or {again!r} to run the command."
    )


async def _run_deploy(release: Release, merge: str, attempt: int) -> Deployment:
    mark = {"merge_commit": merge, "attempt": attempt}
    started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    argv = expand(release.settings["deploy"], **release.words)
    write_json(release.folder / INTENT_FILE, {**mark, "command": argv, "started_at": started})
    # What a deployment starts must outlive it: a server in the background is the purpose, not a leftover.
    result = await _run(release, argv, DEPLOY_LIMITS, leftovers="leave")
    evidence = [result.evidence(tool=argv[0], note=OWN_COMMAND)]
    record: Json = {**mark, "exit_code": _code(result), "tool": argv[0], "evidence": evidence}
    write_json(release.folder / DONE_FILE, record)
    if result.ok:
        return Deployment(record["evidence"], argv[0])
    tail = sanitise(result.output[-TAIL:])
    if result.not_found:
        return Deployment(record["evidence"], argv[0], problem=f"The deploy command could not be started: {tail}")
    how = "at its time limit" if result.timed_out else f"with exit code {result.exit_code}"
    return Deployment(record["evidence"], argv[0], problem=f"The deploy command ended {how}. Its output ends: {tail}")


async def _run(release: Release, argv: list[str], limits: Limits, leftovers: Leftovers = "search") -> CommandResult:
    values = granted(release.settings, os.environ)
    result = await run(argv, cwd=release.tree, limits=limits, leftovers=leftovers, env=values)
    return without_values(result, values)


def _code(result: CommandResult) -> int:
    """None would read as unknown; a command that was killed or not found has failed."""
    return -1 if result.exit_code is None else result.exit_code


def _write_done(release: Release, merge: str, attempt: int, evidence: list[Json], by: str) -> Deployment:
    record = {"merge_commit": merge, "attempt": attempt, "exit_code": 0, "tool": by, "evidence": evidence}
    write_json(release.folder / DONE_FILE, record)
    return Deployment(evidence, by)
