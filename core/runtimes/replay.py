"""The `replay` runtime: plays recorded responses from a cassette, and says so in every one of them.

A cassette entry answers one role and subject, and holds what it was recorded for: a request that asks something else
is refused with the difference, never answered with what does not fit.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, Status, UsageError, failed
from core.paths import real
from core.projects import git
from core.projects.worktrees import Worktree, reset_to_commit
from core.redaction import own_redactor
from core.runtimes.cassettes import KEPT, Cassette, portable, read_cassette
from core.runtimes.committing import Author, commit, own_commits
from core.store.rows import AgentRow


class ReplayRuntime:
    """Plays the cassette at `path`. Recorded edits become real commits in the work item's worktree."""

    name = "replay"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cassette: Cassette | None = None

    @classmethod
    def at(cls, path: Path) -> ReplayRuntime:
        """One whose cassette is read at once. Raises UsageError for a file that is none."""
        runtime = cls(path)
        runtime._loaded()
        return runtime

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        subject = str(request.context.get("task", {}).get("id", ""))
        # A recording was cleaned of secrets; so is what is held against it.
        asked: Json = own_redactor().content(portable(request, bench.worktree))
        entry, why = self._loaded().find(agent.role, subject, asked)
        if entry is None:
            return failed(
                agent.role,
                f"the cassette {self.path.name} does not answer: {why}",
                suggestion="Record it again with `apm run --record`, or give the agent another runtime.",
            )
        output: Json = dict(entry["output"])
        if entry.get("commits"):
            commits, files = await self._commit(entry, request, agent, bench)
            output = {"task": subject, **output, "commits": commits, "files": files}
        told: Json = entry.get("metadata", {})
        metadata = {key: told[key] for key in KEPT if key in told} | {"replayed": self.path.name}
        return AgentResponse(agent.role, output, Status(entry.get("status", "SUCCESS")), metadata)

    async def _commit(
        self, entry: Json, request: AgentRequest, agent: AgentRow, bench: Bench
    ) -> tuple[list[str], list[str]]:
        """Write the recorded edits and commit them, but for the commits that a killed run already made."""
        worktree, project = bench.tree(), request.context["project"]
        author = Author.of(request, agent, str(entry["digest"])[:16])
        made = await own_commits(worktree, author, str(project["base_commit"]))
        await reset_to_commit(Worktree(worktree, project["branch"], project["base_commit"]))
        for recorded in entry["commits"][len(made) :]:
            for edit in recorded["edits"]:
                await _write(worktree, edit)
            message = "\n\n".join(part for part in (recorded["subject"], recorded.get("body", "")) if part)
            sha = await commit(worktree, author, message, recorded.get("trailers"))
            made += [sha] if sha else []
        return made, sorted({str(edit["path"]) for recorded in entry["commits"] for edit in recorded["edits"]})

    def _loaded(self) -> Cassette:
        if self._cassette is None:
            self._cassette = read_cassette(self.path)
        return self._cassette


async def _write(worktree: Path, edit: Json) -> None:
    target = _inside(worktree, str(edit["path"]))
    if edit.get("deleted"):
        target.unlink(missing_ok=True)
        return
    if "patch" in edit:
        await git.git(worktree, "apply", "--whitespace=nowarn", "-", stdin=str(edit["patch"]).encode())
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(str(edit["content"]), encoding="utf-8")
    if edit.get("executable"):
        target.chmod(target.stat().st_mode | 0o111)


def _inside(worktree: Path, relative: str) -> Path:
    """The edit's path, refused where it would leave the worktree or enter .git."""
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or ".git" in path.parts:
        raise UsageError(f"The cassette edits {relative!r}, which is not inside the worktree.")
    target = worktree / path
    if not real(target.parent).is_relative_to(real(worktree)) or target.is_symlink():
        raise UsageError(f"The cassette edits {relative!r}, which leads out of the worktree.")
    return target
