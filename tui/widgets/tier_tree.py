"""Pane 1: the three tiers, with what each agent does at this moment and how often it worked today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from core.registry.queries import narrowed, parse_query
from core.sanitise import one_line
from core.store import reads, reads_escalations
from core.store.rows import AgentRow, LiveRow
from tui.bridge import Change
from tui.tiers import NO_TEAM, Team, TierRow, only, open_groups, team, tier_rows
from tui.widgets.live import Live
from tui.widgets.row_list import Column, RowList
from tui.words import AGENT_MARKS, DAY, UNKNOWN, Line

COLUMNS = (Column("agent"), Column("state", 9), Column("runs", 4, right=True, rank=1))
EMPTY: tuple[Line, ...] = (
    (("The team of agents appears here.", "dim"),),
    (("apm agents import", "accent"), (" reads agents.yaml", "dim")),
)


class TierTree(Live, RowList[TierRow]):
    """The tree. Enter, `l` and `h` unfold and fold; what nobody folded opens where work is.

    Its filter is a query over the agents: words, and `tech:django`, `phase:I1`, `type:specialist` and the like.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("tree", "list")
    TITLE = "agents"
    FILTER_HINT = "words, !words, tech:django, phase:I1, type:specialist, cap:testing"

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.key, cells=_cells, empty=EMPTY, **options)
        self._team: Team = NO_TEAM
        self._agents: tuple[AgentRow, ...] = ()
        self._chosen: dict[str, bool] = {}

    @property
    def summary(self) -> str:
        running = sum(m.state == "running" for g in self._team.groups for m in g.members)
        return f"{running} running of {len(self._agents)}" if self._agents else ""

    async def read_anew(self, change: Change) -> None:
        def read(reader: reads.Connection, live: LiveRow, now: int) -> tuple[tuple[AgentRow, ...], Team]:
            agents = reads.agents(reader)
            counted = reads.counters(reader, since_day=now // DAY)
            return agents, team(agents, counted, live, reads_escalations.escalations(reader), now)

        self._agents, self._team = await self.apm.bridge.read(read)
        self._show()

    def _show(self) -> None:
        if not self._team.groups:
            self.set_rows(())
            return
        here = self.row.group if self.row is not None else None
        height = self.scrollable_content_region.height - 1
        self.set_rows(tier_rows(self._team, open_groups(self._team.groups, height, self._chosen, here)))

    def _matching(self) -> Sequence[TierRow]:
        if not self.filter_text.strip():
            return self._all
        found = only(self._team, {a.role for a in self._found()})
        return tier_rows(found, {g.key for g in found.groups})

    def _found(self) -> tuple[AgentRow, ...]:
        states = {m.role: m.state for g in self._team.groups for m in (*g.members, *((g.head,) if g.head else ()))}
        return narrowed(self._agents, parse_query(self.filter_text), lambda agent: states.get(agent.role, ""))

    @property
    def filter_note(self) -> str:
        return f"/{self.filter_text}: {len(self._found())} of {len(self._agents)}"

    def on_resize(self) -> None:
        self._show()

    def action_open(self) -> None:
        if self.row is not None and self.row.is_heading and self.row.group:
            self._fold(self.row, not self.row.is_open)

    def action_sideways(self, direction: int) -> None:
        row = self.row
        if row is not None and row.group and not row.is_heading and direction < 0:
            self.go_to(f"group:{row.group}")
        elif row is not None and row.group and row.is_heading and row.is_open == (direction < 0):
            self._fold(row, direction > 0)
        else:
            super().action_sideways(direction)

    def _fold(self, row: TierRow, is_open: bool) -> None:
        self._chosen[row.group] = is_open
        self._show()


def _cells(row: TierRow) -> tuple[Line, Line, Line]:
    mark = AGENT_MARKS.get(row.state, UNKNOWN)
    runs: Line = ((str(row.runs) if row.runs else "", "dim"),)
    if row.is_heading:
        fold = ("▾ " if row.is_open else "▸ ") if row.group else ""
        tone = "strong" if row.state == "idle" else mark.tone
        state: Line = mark.line() if row.state != "idle" else (("", "text"),)
        return ((fold, "faint"), (one_line(row.title), tone)), state, runs
    branch = "└ " if row.is_last else "├ "
    tone = "dim" if row.state == "idle" else "text"
    replayed: Line = (("↻", "ask"),) if row.runtime == "replay" else ()
    return ((branch, "faint"), (one_line(row.title), tone), *replayed), mark.line(), runs
