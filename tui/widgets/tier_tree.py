"""Pane 1: the three tiers, with what each agent does at this moment and how often it worked today."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from core.sanitise import one_line
from tui.bridge import Change
from tui.governance.tiers import NO_TEAM, Task, Team, TierRow, only, open_groups, team, tier_rows
from tui.pace import Pace
from tui.text.amounts import dollars, price, tokens, used
from tui.text.words import AGENT_MARKS, DAY, UNKNOWN, Line, whole_time
from tui.widgets.columns import Column
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.reads_team import Asker
    from core.store.rows import AgentRow, LiveRow

COLUMNS = (Column("agent", least=17), Column("now", 11), Column("today", 5, right=True, rank=1))
PAID = (*COLUMNS, Column("cost", 9, right=True, rank=2))
"""Where models were paid today."""
SHORT_BELOW = 60
"""Cells below which what a delegation has used is told without its units."""
EMPTY: tuple[Line, ...] = (
    (("The team of agents appears here.", "dim"),),
    (("apm agents import", "accent"), (" reads agents.yaml", "dim")),
)
UNASKED = DELEGATIONS | {"phase.entered", "work_item.created", "work_item.accepted"}
"""Kinds of events that leave open what the team asks."""


class TierTree(Live, RowList[TierRow]):
    """The tree. Enter, `l` and `h` unfold and fold; what nobody folded opens where work is. Enter on an agent opens it.

    Its filter is a query over the agents: words, and `tech:django`, `phase:I1`, `type:specialist` and the like.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("tree", "list")
    TITLE = "agents"
    FOLLOWS_RUNNING = True
    FILTER_HINT = "words, !words, tech:django, phase:I1, type:specialist, cap:testing"

    def __init__(self, **options: Any) -> None:
        super().__init__(COLUMNS, key=lambda row: row.key, cells=self._cells, empty=EMPTY, **options)
        self._team: Team = NO_TEAM
        self._agents: tuple[AgentRow, ...] = ()
        self._askers: tuple[Asker, ...] = ()
        self._chosen: dict[str, bool] = {}
        self._opened: frozenset[str] = frozenset()
        self._pace = Pace(self.set_timer, lambda: self.apm.bridge.ask(self))
        self._missed = False
        self._asked_at = 0

    @property
    def summary(self) -> str:
        running = sum(m.state == "running" for g in self._team.groups for m in g.members)
        return f"{running} running of {len(self._agents)}" if self._agents else ""

    async def read_anew(self, change: Change) -> None:
        self._missed = self._missed or change.everything or not change.kinds <= UNASKED
        asks = self._missed and self._pace.is_due()
        known = () if change.everything or any(kind.startswith("agents.") for kind in change.kinds) else self._agents

        def read(reader: Connection, live: LiveRow, now: int) -> tuple[tuple[AgentRow, ...], Any, Team, float]:
            from core.store import reads, reads_team

            began = time.thread_time()
            asked = reads_team.askers(reader, now) if asks else self._askers
            took = time.thread_time() - began
            agents = known or reads.agents(reader)
            return agents, asked, team(agents, reads.counters(reader, day=now // DAY), live, asked), took

        self._agents, self._askers, self._team, took = await self.apm.bridge.read(read)
        if asks:
            self._missed, self._asked_at = False, self.apm.now()
            self._pace.took(took)
        self._show()

    def tick(self, now: int) -> None:
        """What runs counts up; questions that were put away come back."""
        if any(row.tasks for row in self.rows):
            self.redraw()
        if now - self._asked_at >= 20_000:
            self._missed, self._asked_at = True, now
            self.apm.bridge.ask(self)

    def _show(self) -> None:
        if not self._team.groups:
            self.set_rows(())
            return
        here = self.row.group if self.row is not None else None
        paid = any(g.tokens or g.dollars for g in self._team.groups)
        if paid != (len(self.columns) == len(PAID)):
            self.columns = PAID if paid else COLUMNS
            self._strips.clear()
        height = self.scrollable_content_region.height - 1
        self._opened = open_groups(self._team.groups, height, self._chosen, here, self._opened)
        self.set_rows(tier_rows(self._team, self._opened))

    def _matching(self) -> Sequence[TierRow]:
        if not self.filter_text.strip():
            return self._all
        found = only(self._team, {a.role for a in self._found()})
        return tier_rows(found, {g.key for g in found.groups})

    def _found(self) -> tuple[AgentRow, ...]:
        from core.registry.queries import narrowed, parse_query

        states = {m.role: m.state for g in self._team.groups for m in (*g.members, *((g.head,) if g.head else ()))}
        return narrowed(self._agents, parse_query(self.filter_text), lambda agent: states.get(agent.role, ""))

    @property
    def let_through(self) -> str:
        return f"{len(self._found())} of {len(self._agents)}"

    def on_resize(self) -> None:
        self._show()

    def action_open(self) -> None:
        row = self.row
        if row is not None and row.is_heading and row.group:
            self._fold(row, not row.is_open)
        elif row is not None and row.teller:
            from tui.screens.work.detail import DelegationDetail
            from tui.screens.work.running import running_row

            task = row.tasks[0]
            self.apm.push_screen(DelegationDetail(running_row(task.work_item, task.phase, row.teller, task.subject)))
        elif row is not None:
            from tui.screens.team.agents import Agents

            self.apm.push_screen(Agents(row.key))

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

    def _cells(self, row: TierRow) -> tuple[Line, ...]:
        if row.teller:
            return self._told(row)
        cost: tuple[Line, ...] = (_cost(row),) if len(self.columns) == len(PAID) else ()
        return (*self._own(row), *cost)

    def _told(self, row: TierRow) -> tuple[Line, ...]:
        """What one of its delegations does, and at the right edge what that has used."""
        task = row.tasks[0]
        subject = f"{one_line(task.subject, 32)} " if task.subject else ""
        told: Line = (("  " if row.is_last else "│ ", "faint"), (f"{subject}{task.doing}", "run"))
        if not task.tokens:
            return (told,)
        short = self.size.width < SHORT_BELOW
        spent = f"{tokens(task.tokens)} {price(task.dollars)}" if short else used(task.tokens, task.dollars)
        return told, ((spent, "dim"),)

    def _own(self, row: TierRow) -> tuple[Line, Line, Line]:
        mark = AGENT_MARKS.get(row.state, UNKNOWN)
        runs: Line = ((str(row.runs) if row.runs else "", "dim"),)
        today: Line = ((f"✗{row.failures} ", "bad"), *runs) if row.failures else runs
        if row.is_heading:
            fold = ("▾ " if row.is_open else "▸ ") if row.group else ""
            tone = "strong" if row.state == "idle" else mark.tone
            state: Line = mark.line() if row.state != "idle" else (("", "text"),)
            return ((fold, "faint"), (one_line(row.title), tone)), state, today
        branch = "└ " if row.is_last else "├ "
        tone = "dim" if row.state == "idle" else "text"
        replayed: Line = ((" ↻", "ask"),) if row.runtime == "replay" else ()
        doing = self._doing(row.tasks) if row.tasks and row.state == "running" else mark.line()
        return ((branch, "faint"), (one_line(row.title), tone), *replayed), doing, today

    def _doing(self, tasks: tuple[Task, ...]) -> Line:
        """The one task that runs by its work item, several by their number; and since when, the longest."""
        spent = whole_time(self.apm.now() - tasks[0].since)
        what = f"#{tasks[0].work_item}" if len(tasks) == 1 else f"{len(tasks)} runs"
        return ((f"● {what} {spent}", "run"),)


def _cost(row: TierRow) -> Line:
    """What today has cost; in tokens, where no price is known."""
    if not row.dollars:
        return ((f"{tokens(row.tokens)} tok" if row.tokens else "", "dim"),)
    return ((dollars(row.dollars), "dim"),)
