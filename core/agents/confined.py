"""How the commands of a work item's branch are run: as they are, or in a sandbox when a model wrote what they run.

A project's tests are code like any other, and a gate runs them. What a person wrote runs as the person would run it;
what a model wrote has a network and the rest of the machine only where a person has said so for the project.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.contract import Json
from core.paths import real
from core.projects import git
from core.projects.commands import DEFAULT, CommandResult, Limits, run
from core.projects.own_work import own_base
from core.projects.sandbox import NONE, Place, Sandbox, place_of
from core.projects.settings import SANDBOX_OFF, interpreter
from core.sanitise import one_line

MAIL = "apm@localhost"
"""The address of agents that sign a commit."""
TASK_TRAILER = "Apm-Task"
"""What every commit of an agent that was given a task carries. Those of apm's own tools name no task."""

OWN_COMMAND = "the project's own command, not confined"
"""The note of a command that a person configured to reach what is outside: a deployment, a health check."""

SANDBOX = Sandbox()


@dataclass(frozen=True, slots=True)
class Ground:
    """Where commands run. Without a `place`, as they are; with one, those of its worktree run in the sandbox, or with a
    note that says why not. `note` says that of all of them."""

    sandbox: Sandbox = SANDBOX
    place: Place | None = None
    is_confined: bool = False
    note: str = ""

    async def run(
        self, argv: Sequence[str], *, cwd: Path, limits: Limits = DEFAULT, env: Mapping[str, str] | None = None
    ) -> CommandResult:
        if self.place is None or real(cwd) != self.place.worktree:
            return (await run(argv, cwd=cwd, limits=limits, env=env)).noted(self.note)
        return await self.sandbox.run(argv, self.place, limits=limits, env=env or {})

    def advice(self, project: Json) -> str:
        """What a person may do where a command fails for being confined; empty where it was not."""
        if not self.is_confined:
            return ""
        name = one_line(str(project.get("name") or "NAME"), 100)
        return (
            "A model wrote on this branch, so this ran in a sandbox without a network. Where it needs one, or a "
            f"database, set `apm project set {name} --sandbox off`."
        )


OPEN = Ground()


async def ground_of(project: Json, worktree: Path, writable: Path, scratch: Path, sandbox: Sandbox = SANDBOX) -> Ground:
    """The ground of a branch. `writable` is the one folder besides the worktree that its commands may write to."""
    if not await is_a_models_work(project, worktree):
        return OPEN
    used = sandbox_of(project, sandbox)
    place = await place_around(project, worktree, scratch)
    return Ground(used, replace(place, writable=(writable,)), await used.kind() != NONE)


def sandbox_of(project: Json, sandbox: Sandbox) -> Sandbox:
    """The one of this machine, unless a person has said that the project's commands need none."""
    return Sandbox("") if (project.get("settings") or {}).get("sandbox") == SANDBOX_OFF else sandbox


async def ground_around(
    project: Json,
    folder: Path,
    *,
    visible: Sequence[Path] = (),
    writable: Sequence[Path] = (),
    sandbox: Sandbox = SANDBOX,
) -> Ground:
    """The ground of a folder that holds a model's work and is no worktree: an export, an unpacked wheel."""
    used = sandbox_of(project, sandbox)
    if await used.kind() == NONE:
        return Ground(note=used.without)
    carried = await _carried(project) if project.get("path") else frozenset[str]()
    place = Place(real(folder), visible=tuple(visible), writable=tuple(writable), carried=carried)
    return Ground(used, place, True)


async def is_a_models_work(project: Json, worktree: Path) -> bool:
    """Whether a model has written on the project's branch, by its own work; False where it has no base commit."""
    return bool(project.get("base_commit")) and await has_a_models_work(worktree, await own_base(worktree, project))


async def place_around(project: Json, worktree: Path, scratch: Path) -> Place:
    """The place for a project's commands: what its interpreter needs can be seen, as far as a person put it there."""
    place = await place_of(worktree, scratch, interpreters(project))
    return replace(place, carried=await _carried(project))


async def _carried(project: Json) -> frozenset[str]:
    checkout = Path(str(project["path"]))
    roots, paths = {checkout, real(checkout)}, await git.tracked_files(checkout)
    return frozenset(f"{root}/{path}" for root in roots for path in paths)


async def has_a_models_work(worktree: Path, base: str) -> bool:
    """Whether an agent that was given a task has committed on the branch, by trailer or by name.

    All commits are asked about: those of a target that was merged in stand before the agent's own. Where git gives no
    full answer, it may have.
    """
    signers = await _signers(worktree, base)
    return signers is None or any(by_model for _, by_model in signers)


async def last_to_touch(worktree: Path, base: str, path: str) -> tuple[str, bool]:
    """Who was the branch's last to commit to a file, and whether that is an agent that was given a task. Where git
    gives no answer, it may be: ("", True)."""
    signers = await _signers(worktree, base, "-1", path=path)
    return signers[0] if signers else ("", True)


async def _signers(worktree: Path, base: str, *options: str, path: str = "") -> list[tuple[str, bool]] | None:
    """The authors of the branch's commits, newest first, and whether each is a model; None where git does not say."""
    wanted = f"--format=tformat:%an%x00%ae%x00%(trailers:key={TASK_TRAILER},keyonly)"
    places = ("--", path) if path else ()
    result = await git.git_result(worktree, "log", "-z", *options, wanted, "--end-of-options", f"{base}..HEAD", *places)
    if not result.ok or result.truncated:
        return None
    words = result.stdout.split("\0")
    return [
        (name, bool(task) or (mail == MAIL and name != git.FALLBACK_NAME))
        for name, mail, task in zip(words[0:-1:3], words[1::3], words[2::3], strict=False)
    ]


def interpreters(project: Json) -> tuple[Path, ...]:
    """What must be visible besides the system for a project's commands to run: the prepared environment, the virtual
    environments of the user's checkout, and what apm's own interpreter stands in where it is the project's."""
    checkout = Path(str(project["path"]))
    found = [checkout / ".venv", checkout / "venv"]
    if project.get("environment"):
        found.append(Path(str(project["environment"])))
    if str(interpreter(project)) == sys.executable:
        found += [Path(sys.prefix), Path(sys.base_prefix)]
    return tuple(found)
