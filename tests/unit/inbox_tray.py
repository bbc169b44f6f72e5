"""The inbox of a workspace, watched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.contract import Json
from core.governance import authority
from core.orchestration.inbox import Inbox
from core.orchestration.lease import HeldStore
from core.store import reads
from core.store.store import Store

KINDS = ("api_endpoints", "db_schema", "component_design", "performance", "caching", "refactoring")


def grants(*kinds: str, mode: str = "escalate", by: str = "ada") -> str:
    entries = [{"authority": {"agent": "technical", "kind": k, "mode": mode}, "reason": "too early"} for k in kinds]
    return json.dumps({"decided_by": by, "decisions": entries})


@dataclass
class Tray:
    """An inbox, its folder, and what it told. `drop` puts a whole file there at once."""

    store: Store
    state: Path
    held: HeldStore
    told: list[str] = field(default_factory=list)
    following: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.folder = self.state / "inbox"
        self.inbox = Inbox(self.held, self.state, self.told.append)

    def drop(self, name: str, text: str | bytes) -> Path:
        draft = self.state / f"draft-{name}"
        draft.write_bytes(text if isinstance(text, bytes) else text.encode())
        return draft.rename(self.folder / name)

    def names(self, folder: str = "") -> list[str]:
        found = self.folder / folder
        return sorted(path.name for path in found.iterdir() if path.is_file()) if found.is_dir() else []

    def reasons(self, name: str) -> str:
        return (self.folder / "rejected" / f"{name}.reasons.txt").read_text(encoding="utf-8")

    def mode(self, kind: str) -> str:
        found = self.store.read_now(lambda r: authority.in_force(r, "technical", kind))
        assert found is not None
        return found.mode

    def events(self, kind: str) -> list[Json]:
        return [e.payload for e in self.store.read_now(lambda r: reads.events(r, limit=10_000)) if e.kind == kind]

    def is_applied(self, *names: str) -> Callable[[], bool]:
        """Whether these have been applied, as a condition to wait for."""
        return lambda: self.names("applied") == sorted(names) and not self.names()

    def follow(self) -> None:
        self.following = asyncio.create_task(self.inbox.follow())

    async def stop(self) -> None:
        if self.following is not None:
            self.following.cancel()
            await asyncio.gather(self.following, return_exceptions=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 — the file system sets no event of ours
                await asyncio.sleep(0.01)
