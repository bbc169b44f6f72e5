"""The header: what is governed, by which runtime, what runs, what waits for you, what today has cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual.reactive import reactive

from core.registry.importing import read_refused
from core.sanitise import one_line
from core.store import reads
from core.store.reads import Connection
from core.store.rows import HeaderCounts, LiveRow
from tui.bridge import Change
from tui.widgets.live import Live
from tui.widgets.painted import PaintedLine, cells_of
from tui.words import Line, Span

MOST_BROKEN = 60
"""Characters of what is wrong in the team's files: enough for file, line and key. `apm doctor` tells the rest."""
NOTHING_COUNTED = HeaderCounts(0, 0, 0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the header tells."""

    projects: tuple[str, ...] = ()
    replay: bool = False
    is_viewer: bool = False
    """Another process holds the lease."""
    counts: HeaderCounts = NOTHING_COUNTED
    broken: str = ""
    """The first thing that is wrong in the team's files, while they cannot be brought in."""


class TopLine(Live, PaintedLine):
    """One line, whatever the width: what is less pressing is left out first, the word replay never."""

    facts: reactive[HeaderFacts] = reactive(HeaderFacts())

    async def read_anew(self, change: Change) -> None:
        facts = await self.apm.bridge.read(_read)
        self.facts = replace(facts, is_viewer=self.apm.is_viewer)

    def halves(self, width: int) -> tuple[Line, Line]:
        counts = self.facts.counts
        right = _counts(counts, long=True)
        left = self._left(long=True)
        if cells_of(left) + cells_of(right) + 2 > width:
            right = _counts(counts, long=False)
        if cells_of(left) + cells_of(right) + 2 > width:
            left = self._left(long=False)
        return left, right

    def _left(self, *, long: bool) -> Line:
        names = [one_line(name, 40) for name in self.facts.projects]
        shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        spans: list[Span] = [(" apm ", "strong")]
        if long and shown:
            spans += [(" ", "text"), (shown, "dim"), (" ", "text")]
        if self.facts.replay:
            spans += [(" ", "text"), (" REPLAY: recorded answers " if long else " REPLAY ", "loud")]
        if self.facts.broken:
            spans += [(" ", "text"), (f" {self.facts.broken} " if long else " agents.yaml ", "loud")]
        if self.facts.is_viewer and long:
            spans += [("  ", "text"), ("viewer: another apm drives", "ask")]
        return tuple(spans)


def _read(reader: Connection, live: LiveRow, now: int) -> HeaderFacts:
    return HeaderFacts(
        projects=tuple(p.name for p in reads.projects(reader)),
        replay=any(agent.runtime == "replay" for agent in reads.agents(reader)),
        counts=reads.header_counts(reader, now, live),
        broken=one_line(read_refused(reader).partition("\n")[0], MOST_BROKEN),
    )


def _counts(counts: HeaderCounts, *, long: bool) -> Line:
    gap: Span = ("   " if long else " ", "text")
    running: Span = (f"● {counts.running}" + (" running" if long else ""), "run" if counts.running else "dim")
    waiting: Span = (
        f"◆ {counts.waiting_for_you}" + (" waiting for you" if long else ""),
        "ask" if counts.waiting_for_you else "dim",
    )
    spans: list[Span] = [running, gap, waiting]
    if counts.overdue:
        spans += [gap, (f"▲ {counts.overdue}" + (" overdue" if long else " late"), "bad")]
    if long:
        spans += [gap, (f"${counts.cost_today:,.2f} today", "dim")]
    return (*spans, (" ", "text"))
