"""`--record`: what agents on models answer goes into a cassette as well, with their commits and without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, digest_of
from core.projects import git
from core.redaction import own_redactor
from core.runtimes.base import Runtime
from core.runtimes.cassettes import KEPT, Cassette, Entry, portable, read_cassette, write_cassette
from core.runtimes.committing import OWN_TRAILERS
from core.store.rows import AgentRow


@dataclass
class Recorder:
    """The cassette that a run writes; after each answer it is whole on the disk."""

    path: Path
    _cassette: Cassette = field(default_factory=Cassette)

    @classmethod
    def at(cls, path: Path) -> Recorder:
        """One that adds to the cassette at `path`, or begins it. Raises UsageError for a file that is none."""
        recorder = cls(path, read_cassette(path) if path.exists() else Cassette(note="Recorded by apm run --record."))
        write_cassette(path, recorder._cassette)
        return recorder

    def add(self, entry: Entry) -> None:
        clean: Json = own_redactor().content(entry.to_json())
        self._cassette = self._cassette.with_entry(clean | {"digest": digest_of(clean["request"])})
        write_cassette(self.path, self._cassette)


@dataclass
class RecordingRuntime:
    """A model's runtime whose answers are recorded."""

    inner: Runtime
    recorder: Recorder

    @property
    def name(self) -> str:
        return self.inner.name

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        before = None if bench.worktree is None else await git.head(bench.worktree)
        response = await self.inner.execute(request, agent, bench)
        made = [] if bench.worktree is None or before is None else await _commits(bench.worktree, before, response)
        self.recorder.add(
            Entry(
                role=agent.role,
                subject=str(request.context.get("task", {}).get("id", "")),
                request=portable(request, bench.worktree),
                status=response.status.value,
                output={k: v for k, v in response.output_artifact.items() if k not in ("commits", "files")}
                if made
                else response.output_artifact,
                metadata={k: v for k, v in response.metadata.items() if k in KEPT},
                commits=made,
            )
        )
        return response


async def _commits(worktree: Path, before: str, response: AgentResponse) -> list[Json]:
    """The agent's commits of this execution and of one that was cut short, oldest first, with what each wrote."""
    named = response.output_artifact.get("commits", ())
    found = list(await git.commits(worktree, before, "HEAD")) or [
        c for c in await git.commits(worktree, "", "HEAD", limit=100) if c.sha in named
    ]
    return [
        {
            "subject": c.subject,
            "body": _without_trailers(c.body, c.trailers),
            # Whoever plays the cassette writes our own for the work item at hand.
            "trailers": {k: v for k, v in c.trailers.items() if k not in OWN_TRAILERS},
            "edits": await _edits(worktree, c.sha),
        }
        for c in reversed(found)
    ]


def _without_trailers(body: str, trailers: Sequence[str] | Json) -> str:
    lines = body.rstrip().splitlines()
    while lines and (not lines[-1].strip() or lines[-1].partition(":")[0] in trailers):
        lines.pop()
    return "\n".join(lines)


async def _edits(worktree: Path, sha: str) -> list[Json]:
    """What a commit wrote: a text file by its content, what is no text (or a link) by git's own patch."""
    return [await _edit(worktree, sha, *changed) for changed in await git.changed_files(worktree, f"{sha}~1", sha)]


async def _edit(worktree: Path, sha: str, status: str, path: str) -> Json:
    if status == "D":
        return {"path": path, "deleted": True}
    mode = (await git.git(worktree, "ls-tree", sha, "--", path)).partition(" ")[0]
    text = await git.file_at(worktree, sha, path)
    if mode not in ("100644", "100755") or text is None or "\ufffd" in text or "\0" in text:
        patch = ("diff", "--binary", "--full-index", "--no-ext-diff", f"{sha}~1", sha, "--", path)
        return {"path": path, "patch": await git.git(worktree, *patch)}
    return {"path": path, "content": text} | ({"executable": True} if mode == "100755" else {})
