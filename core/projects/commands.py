"""Running another program without being hurt by it.

No shell, no inherited secrets, no terminal, bounded time, bounded memory, and no process left behind: each child
carries marks in its environment, by which also those are found that left its process group (setsid, double fork).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from core.contract import Json
from core.projects import processes
from core.projects.child import Child, Leftovers, to_the_end
from core.projects.child import Undecodable as Undecodable
from core.sanitise import sanitise

TAIL_CHARACTERS = 2_000
"""Output that goes into evidence; the whole of it is covered by the digest."""

_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TMP|TEMP|XDG_(CACHE|CONFIG|DATA)_HOME"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS"
    r"|(HTTPS?|ALL|NO|FTP)_PROXY|(https?|all|no|ftp)_proxy"
    r"|PIP_(INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|FIND_LINKS|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|CACHE_DIR|CONFIG_FILE)"
    r"|CARGO_HOME|RUSTUP_HOME|GOPATH|GOCACHE|GOPROXY|JAVA_HOME|NVM_DIR"
)
_workspace: ContextVar[str] = ContextVar("workspace", default="")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use. `output_bytes` is per stream: head and tail are kept, the middle is dropped."""

    seconds: float = 600.0
    output_bytes: int = 4 * 2**20


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command did. `exit_code` is None when it never started (`stderr` says why) or was killed by us (`note`
    says why); below zero it is the signal that ended it, as in `subprocess`.

    `output_digest` is SHA-256 over the SHA-256 of stdout followed by the SHA-256 of stderr (both as raw bytes):
    every byte is covered, also those that were dropped from `stdout` and `stderr` here.
    """

    argv: tuple[str, ...]
    cwd: str
    exit_code: int | None
    stdout: str
    stderr: str
    seconds: float
    started_at: int
    timed_out: bool
    truncated: bool
    output_digest: str
    not_found: bool
    note: str = ""
    """What apm had to do besides: kill leftovers, stop at the time limit."""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def output(self) -> str:
        """Both streams, stdout first, for whoever only reads."""
        return "\n".join(part for part in (self.stdout.rstrip("\n"), self.stderr.rstrip("\n")) if part)

    def noted(self, note: str) -> CommandResult:
        """The same with a note in front of its own; itself where there is nothing to note."""
        return replace(self, note="; ".join(part for part in (note, self.note) if part)) if note else self

    def evidence(self, *, tool: str = "", tool_version: str = "", note: str = "") -> Json:
        """The journal's record of this run: what was run where, how it ended, and a digest of all it printed."""
        return {
            "command": [sanitise(word, limit=1_000) for word in self.argv],
            "cwd": sanitise(self.cwd, keep_newlines=False),
            "exit_code": self.exit_code,
            "output_digest": self.output_digest,
            "output_tail": sanitise(self.output[-TAIL_CHARACTERS:], limit=TAIL_CHARACTERS),
            "seconds": self.seconds,
            "started_at": self.started_at,
            "timed_out": self.timed_out,
            "truncated": self.truncated,
            "tool": tool,
            "tool_version": tool_version,
            "note": "; ".join(part for part in (note, self.note) if part),
        }


@contextlib.contextmanager
def in_workspace(workspace_id: str) -> Iterator[None]:
    """Commands started inside (and in tasks created inside) carry the workspace's id, for `sweep_stale`."""
    token = _workspace.set(workspace_id)
    try:
        yield
    finally:
        _workspace.reset(token)


def workspace_marks(run_id: str) -> dict[str, str]:
    """The variables by which `sweep_stale` finds a program that is started by other means than `run`."""
    return processes.marks(run_id, _workspace.get(), stale_when_orphaned=True)


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    limits: Limits = DEFAULT,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    leftovers: Leftovers = "search",
    undecodable: Undecodable = "replace",
) -> CommandResult:
    """Run a program to its end or to its limit. Never raises for a program that fails or is not there.

    `env` adds to a minimal inherited environment. Cancelling the caller kills the program with all its children
    before the cancellation goes on.

    `leftovers="leave"` is for a command whose purpose is to start something that stays (a deploy). Its output is no
    longer read once the command ended, so what stays should write to a file. `undecodable` is what becomes of what is
    no UTF-8 in the standard output.
    """
    run_id, started_at = uuid.uuid4().hex, int(time.time() * 1000)
    child = Child(run_id, limits.output_bytes)
    marks = processes.marks(run_id, _workspace.get(), stale_when_orphaned=leftovers != "leave")
    environment = {**child_environment(os.environ), **marks, **(env or {})}
    words = tuple(argv)
    try:
        child.start(words, str(cwd), environment, stdin)
    except (OSError, ValueError, IndexError) as error:
        reason, not_found = _why_not_started(words, cwd, error)
        return _result(child, words, cwd, started_at, stderr=reason, not_found=not_found)
    try:
        await child.wait(limits.seconds, leftovers)
    except asyncio.CancelledError:
        await to_the_end(child.kill())
        raise
    finally:
        child.close()
    return _result(child, words, cwd, started_at, stderr=child.err.text(), undecodable=undecodable)


def _result(
    child: Child,
    argv: tuple[str, ...],
    cwd: Path,
    started_at: int,
    *,
    stderr: str,
    not_found: bool = False,
    undecodable: Undecodable = "replace",
) -> CommandResult:
    return CommandResult(
        argv=argv,
        cwd=str(cwd),
        exit_code=child.exit_code,
        stdout=child.out.text(undecodable),
        stderr=stderr,
        seconds=round(child.seconds, 3),
        started_at=started_at,
        timed_out=child.timed_out,
        truncated=child.out.dropped > 0 or child.err.dropped > 0,
        output_digest=child.output_digest,
        not_found=not_found,
        note="; ".join(child.notes),
    )


def _why_not_started(argv: tuple[str, ...], cwd: Path, error: Exception) -> tuple[str, bool]:
    """The reason in a sentence, and whether it is that the program is not there."""
    if not argv:
        return "The command is empty; give it at least the name of a program.", False
    if not cwd.is_dir():
        return f"The folder {cwd} does not exist, so {argv[0]!r} was not run there.", False
    if isinstance(error, FileNotFoundError) and not (cwd / argv[0]).exists():
        return f"The program {argv[0]!r} was not found; install it, or correct the command.", True
    return f"The program {argv[0]!r} could not be started: {error}.", False


def is_there(program: str, cwd: Path) -> bool:
    """Whether `run` can start a program in this folder: by its path, seen from there, or along PATH."""
    return shutil.which(str(cwd / program) if os.sep in program else program) is not None


def child_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a project's program may see: where things are, never keys or Python's state."""
    return {name: value for name, value in inherited.items() if _INHERITED.fullmatch(name)}


async def sweep_stale(workspace_id: str | None = None) -> int:
    """Kill what commands of a workspace left running when their apm died; returns how many processes.

    Without an id, of the workspace that `in_workspace` set. Commands of a living apm (a viewer beside the engine)
    are not touched.
    """
    workspace = _workspace.get() if workspace_id is None else workspace_id
    return await asyncio.to_thread(processes.kill_until_none, lambda: processes.stale(workspace))
