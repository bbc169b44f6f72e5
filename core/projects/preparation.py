"""Preparing a worktree: the project's own setup commands, run once before anything of it is tested or built."""

from __future__ import annotations

from pathlib import Path

from core.contract import ApmError, Json, digest_of
from core.projects.commands import Limits, run
from core.projects.loose import no_commits_files
from core.projects.settings import expand, interpreter
from core.sanitise import one_line

SECONDS = 900.0
"""What one setup command may take where the project's settings state no `time_limit`."""
MARKER = "prepared-"


async def prepare(project: Json, worktree: Path, scratch: Path) -> list[Json]:
    """Run `settings.setup` in the worktree, unless these very commands have run there; the evidence of what ran.

    `{environment}` is a folder of the project's own under `state/`, shared by its work items: a virtual environment
    that setup makes there is the interpreter of later commands. Raises ApmError naming the command that failed.

    The marker that they have run lists the files that no commit has at that moment.
    """
    commands = project["settings"].get("setup", [])
    done = scratch / f"{MARKER}{digest_of([commands, str(worktree)])[:16]}"
    if not commands or done.exists():
        return []
    limits = Limits(seconds=float(project["settings"].get("time_limit", SECONDS)))
    environment = Path(project["environment"])
    environment.parent.mkdir(parents=True, exist_ok=True)
    evidence = []
    for command in commands:
        argv = expand(command, python=interpreter(project), worktree=worktree, environment=environment)
        result = await run(argv, cwd=worktree, limits=limits)
        evidence.append(result.evidence(note="setup"))
        if not result.ok:
            tail = one_line(evidence[-1]["output_tail"][-300:], 300)
            change = "--setup …"
            how = "could not be started" if result.exit_code is None else f"ended with exit code {result.exit_code}"
            if result.timed_out:
                how, change = f"was stopped at its time limit of {limits.seconds:g} s", "--time-limit …` or `--setup …"
            how += f": {tail}" if tail else "."
            raise ApmError(
                f"The setup command {one_line(' '.join(argv))} of {project['name']} {how} "
                f"Mend it with `apm project set {project['name']} {change}`, then try again."
            )
    unfinished = done.with_suffix(".new")
    unfinished.write_bytes("\0".join(await no_commits_files(worktree)).encode())
    unfinished.replace(done)
    return evidence


def made_by_setup(scratch: Path) -> frozenset[str]:
    """The files that a worktree held besides its commit when its setup had run; of an elder apm's marker none."""
    markers = (marker for marker in scratch.glob(f"{MARKER}*") if not marker.suffix)
    names = (marker.read_bytes().decode().split("\0") for marker in markers)
    return frozenset(name for listed in names for name in listed if name)
