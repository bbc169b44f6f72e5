"""Runs the real command line in this process, and kills it with SIGKILL at the fault point that it is told.

A fault point has a name: `before delegation.recorded 3` is the third such event of the journal, written and not yet
committed; `after` is the same one on the disk, with nobody told of it. Outward acts have such points too, by what
they do: `before git tag v0.2.0`, `after deployment 0.2.0`, `before notice file …`.

The product knows nothing of this: what writes events and what acts outward is wrapped here, before `apm` begins.
"""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.agents import deployment
from core.governance.notices import delivery
from core.orchestration import engine
from core.orchestration.runtimes import Available, available_runtimes
from core.projects import git
from core.store.carried import carried
from core.store.chain import StoredEvent
from core.store.store import Store
from core.store.transaction import Transaction
from tests.chaos.team import ChaosTeam, Counted
from tests.e2e.apm_process import query
from tui.cli.main import main

ENDLESS = ("engine.",)
"""Kinds that every process writes anew: killed at for the first two only, or no chain of kills would come to an end."""
MOST_OF_ENDLESS = 2
ACTING_GIT = frozenset(
    {"add", "apply", "branch", "clean", "commit", "commit-tree", "merge", "reset", "tag", "update-ref", "worktree"}
)
"""What of git changes a repository; `worktree list` does not."""
REPEATED_GIT = frozenset({"add", "apply", "clean", "reset"})
"""What of that is done again and again: told apart by the number of delegations on record before it."""
RECORDED = "delegation.recorded"
_COMMIT = re.compile(r"[0-9a-f]{40}")
NEXT, EACH_KIND = "next", "each kind"
"""In the place of points' names: the first one at which nobody was killed yet, or the first of a new kind, at one of
its two sides."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one process is to run and where it dies; `later` seconds are added to its clock."""

    words: tuple[str, ...]
    ledger: str
    cassette: str = ""
    """Where the team's commits are; without it the workspace's own agents work."""
    kill: tuple[str, ...] = ()
    """Points, each of which kills one process, the first that comes to it; or `NEXT`, or `EACH_KIND`."""
    later: float = 0.0
    app: bool = False
    """Open the app on the workspace instead, without a terminal."""
    out: str = os.devnull

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        told = json.loads(text)
        return cls(**{**told, "words": tuple(told["words"]), "kill": tuple(told["kill"])})


@dataclass
class Ledger:
    """The outside count: a file of lines `what key`, each written whole, beside other processes that do the same."""

    path: Path
    killed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.killed = {key for what, key in read_lines(self.path) if what == "killed"}

    def note(self, what: str, key: str) -> None:
        os.write(self._file, f"{os.getpid()} {what} {key}\n".encode())


def kind_of(point: str) -> str:
    """What a point is one of: an event's kind, or the kind of an outward act."""
    words = point.split()[1:]
    return " ".join(words[: 2 if words[0] in ("git", "notice", "record") else 1])


def read_lines(path: Path) -> list[tuple[str, str]]:
    """(what, key) of each line."""
    found = (line.split(" ", 2) for line in path.read_text().splitlines())
    return [(what, key) for _, what, key in found]


class Chaos:
    """Passes every fault point, and kills the process at the one that is meant."""

    def __init__(self, order: Order) -> None:
        self.order, self.ledger = order, Ledger(Path(order.ledger))
        self._names: dict[int, str] = {}
        self._recorded = 0
        """Delegations on record, as far as this process knows: what tells one `git add` from another."""

    def point(self, *names: str) -> None:
        """Pass these, which are one moment."""
        meant = [name for name in names if name not in self.ledger.killed and self._is_meant(name)]
        for name in names:
            self.ledger.note("killed" if name in meant else "passed", name)
        if meant:
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_meant(self, name: str) -> bool:
        if EACH_KIND not in self.order.kill:
            return not {name, NEXT}.isdisjoint(self.order.kill)
        kind = kind_of(name)
        side = "after" if zlib.crc32(kind.encode()) % 2 else "before"
        return name.startswith(side) and kind not in {kind_of(killed) for killed in self.ledger.killed}

    def install(self) -> None:
        self._watch_events()
        self._watch_acts()
        self._folder = folder = Path(self.order.words[1])
        self._recorded = next(iter(query(folder, "SELECT count(*) FROM delegations")), (0,))[0]
        note = self.ledger.note
        team = ChaosTeam(Path(self.order.cassette)).as_runtimes() if self.order.cassette else None

        def available(*args: Any, **named: Any) -> Available:
            found = available_runtimes(*args, **named)
            by_name = found.by_name if team is None else team
            return replace(found, by_name={name: Counted(runtime, note) for name, runtime in by_name.items()})

        _put(engine, "available_runtimes", available)
        if self.order.later:
            now, later = time.time_ns, int(self.order.later * 1e9)
            _put(time, "time_ns", lambda: now() + later)

    def _watch_events(self) -> None:
        write, publish = Transaction.event, Store._publish

        def event(tx: Transaction, kind: str, /, **named: Any) -> int:
            # Not by way of the transaction, which would write what waits sooner than it does.
            recorded = query(self._folder, "SELECT count(*) FROM events WHERE kind = ?", kind)
            counted = next(iter(recorded), (0,))[0] + sum(one.kind == kind for one in tx.events) + 1
            seq = write(tx, kind, **named)
            self._names[seq] = name = f"{kind} {counted}"
            if kind == RECORDED:
                self._recorded = counted
            if self._counts(*name.split()):
                self.point(f"before {name}")
            return seq

        def published(store: Store, events: Sequence[StoredEvent]) -> Any:
            names = [self._names.pop(one.seq) for one in events]
            for one, name in zip(events, names, strict=True):
                self.ledger.note("event", name)
                if one.kind == RECORDED:
                    self.ledger.note("recorded", _key_of(one))
            self.point(*(f"after {name}" for name in names if self._counts(*name.split())))
            return publish(store, events)

        _put(Transaction, "event", event)
        _put(Store, "_publish", published)

    @staticmethod
    def _counts(kind: str, counted: str) -> bool:
        return not kind.startswith(ENDLESS) or int(counted) <= MOST_OF_ENDLESS

    def _watch_acts(self) -> None:
        self._around(git, "run", self._git_act)
        self._around(deployment, "run", _deployment)
        self._around(delivery, "send", lambda channel, subject, *_, **__: f"notice {channel.name} {subject}")
        for module, name, named in (
            (deployment, "write_json", lambda path, _: f"record {path.name}"),
            (delivery, "append", lambda _, lines: f"notice file {lines[0].partition(' ')[2]}"),
        ):
            self._around_plain(module, name, named)

    def _git_act(self, argv: Sequence[str], *, cwd: Path, stdin: bytes = b"", **_: Any) -> str:
        """What a call of git changes, in words that are the same in every process; "" for one that only reads."""
        words = [word for word in argv[1:] if "=" not in word and word != "-c"]
        verb, rest = words[0], [Path(word).name for word in words[1:] if word == "-d" or not word.startswith("-")]
        names = [word for word in rest if not _COMMIT.search(word)]
        if verb not in ACTING_GIT or (verb == "worktree" and rest[0] == "list") or (verb == "tag" and not names):
            return ""
        told = stdin.decode(errors="replace").splitlines()[0] if stdin and verb != "add" else ""
        since = f"after {self._recorded}" if verb in REPEATED_GIT else ""
        return " ".join(word for word in ("git", verb, *names, told, "in", cwd.name, since) if word)

    def _around(self, module: Any, name: str, named: Callable[..., str]) -> None:
        act = getattr(module, name)

        @functools.wraps(act)
        async def wrapped(*args: Any, **told: Any) -> Any:
            what = named(*args, **told)
            if not what:
                return await act(*args, **told)
            self.point(f"before {what}")
            result = await act(*args, **told)
            self.point(f"after {what}")
            return result

        _put(module, name, wrapped)

    def _around_plain(self, module: Any, name: str, named: Callable[..., str]) -> None:
        act = getattr(module, name)

        @functools.wraps(act)
        def wrapped(*args: Any, **told: Any) -> Any:
            self.point(f"before {named(*args, **told)}")
            result = act(*args, **told)
            self.point(f"after {named(*args, **told)}")
            return result

        _put(module, name, wrapped)


def _put(place: Any, name: str, value: Any) -> None:
    setattr(place, name, value)


def _key_of(event: StoredEvent) -> str:
    """The key of a recorded delegation."""
    rows = carried(json.loads(event.payload), seq=event.seq, at=event.at, work_item=event.work_item)
    row = next(values for table, _, values in rows if table == "delegations")
    return " ".join(str(row[part]) for part in ("phase", "round", "agent", "subject")).strip()


def _deployment(argv: Sequence[str], **_: Any) -> str:
    return f"{Path(argv[1]).stem} {argv[-1]}"


def run(order: Order) -> int:
    """Run one order in this process; its exit code, unless it is killed."""
    Chaos(order).install()
    if order.app:
        from tui.app import ApmApp
        from tui.cli import main as command_line

        _put(command_line, "has_screen", lambda: True)
        _put(ApmApp, "run", functools.partialmethod(ApmApp.run, headless=True))
    return main(order.words)


if __name__ == "__main__":
    sys.exit(run(Order.from_json(sys.argv[1])))
