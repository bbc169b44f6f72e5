"""Who is in the team: what each agent does and did, what it may decide, and how that is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from core.governance.context import ContextFiles
from core.registry.queries import narrowed, parse_query
from core.sanitise import one_line
from core.store.rows import AgentRow, DelegationRow
from tui.actions import bindings
from tui.background import in_background
from tui.bridge import Change
from tui.governance.agent_reading import SeenAgent, TeamRow, documents_of, read_agent, read_folders, read_team
from tui.screens.pane_screen import PaneScreen
from tui.screens.scope.asking import ask_for_change
from tui.screens.team.agent_text import agent_paragraphs
from tui.text.words import AGENT_MARKS, DELEGATION_MARKS, UNKNOWN, Line, whole_time
from tui.widgets.columns import Column
from tui.widgets.document import Document
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.painted import plain
from tui.widgets.row_list import RowList

COLUMNS = (
    Column("agent", least=16),
    Column("now", 9),
    Column("tier", 4, right=True, rank=6),
    Column("type", 12, rank=3),
    Column("phase", 5, rank=4),
    Column("runtime", 9, rank=2),
    Column("today", 5, right=True, rank=1),
    Column("ever", 6, right=True, rank=5),
    Column("failed", 6, right=True, rank=5),
    Column("last used", 9, right=True, rank=4),
)
EMPTY: tuple[Line, ...] = (
    (("There is no team yet.", "dim"),),
    (("apm agents import", "accent"), (" reads agents.yaml", "dim")),
)
RUNS = (
    Column("", 9),
    Column("item", 5, right=True, rank=2),
    Column("phase", 5, rank=1),
    Column("what", least=8),
    Column("took", 4, right=True, rank=3),
    Column("ago", 4, right=True),
)
NO_RUNS: tuple[Line, ...] = ((("Nothing was delegated to it lately.", "dim"),),)


class TeamList(Live, RowList[TeamRow]):
    """Pane 1: everybody. Its filter is a query over the agents, as in the tier tree."""

    UNMOVED_BY = DELEGATIONS
    TITLE = "agents"
    FILTER_HINT = "words, !words, tech:django, phase:I1, type:specialist, cap:testing, tier:3"

    def __init__(self, wanted: str | None = None, **options: Any) -> None:
        """`wanted` is an agent to go to once the team has been read."""
        super().__init__(COLUMNS, key=lambda row: row.role, cells=self._cells, empty=EMPTY, **options)
        self._wanted = wanted

    @property
    def summary(self) -> str:
        running = sum(row.state == "running" for row in self._all)
        return f"{running} running of {self.total}" if self.total else ""

    async def read_anew(self, change: Change) -> None:
        self.set_rows(await self.apm.bridge.read(read_team))
        if self._wanted is not None and self.go_to(self._wanted):
            self._wanted = None

    def _matching(self) -> Sequence[TeamRow]:
        if not self.filter_text.strip():
            return self._all
        states = {row.role: row.state for row in self._all}
        found = narrowed([r.agent for r in self._all], parse_query(self.filter_text), lambda a: states[a.role])
        roles = {agent.role for agent in found}
        return [row for row in self._all if row.role in roles]

    def _cells(self, row: TeamRow) -> tuple[Line, ...]:
        agent, ever = row.agent, row.ever
        tone = "text" if agent.is_active else "faint"
        name: Line = ((one_line(agent.role, 64), tone),)
        replayed: Line = ((" ↻", "ask"),) if agent.runtime == "replay" else ()
        gone: Line = (("  inactive", "ask"),) if not agent.is_active else ()
        used = whole_time(self.apm.now() - ever.last_at) if ever is not None and ever.last_at else ""
        return (
            (*name, *replayed, *gone),
            AGENT_MARKS.get(row.state, UNKNOWN).line(),
            ((str(agent.tier), "dim"),),
            ((one_line(agent.agent_type, 12), "dim"),),
            ((agent.phase or "", "dim"),),
            ((one_line(agent.runtime, 12), "dim"),),
            ((str(row.runs_today or ""), "text"),),
            ((str(ever.runs) if ever is not None else "", "dim"),),
            ((str(ever.failures or "") if ever is not None else "", "bad"),),
            ((used, "faint"),),
        )


class AgentView(Live, Document):
    """Pane 2: the agent under the cursor in words."""

    UNMOVED_BY = DELEGATIONS
    TITLE = "agent"
    summary = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._role: str | None = None

    async def read_anew(self, change: Change) -> None:
        await cast("Agents", self.screen).read_agent()

    def show_agent(self, seen: SeenAgent | None, documents: ContextFiles | None, now: int) -> None:
        role = seen.row.role if seen is not None else None
        fresh, self._role = role != self._role, role
        self.show(agent_paragraphs(seen, documents, now) if seen is not None else (), from_top=fresh)


class Runs(RowList[DelegationRow]):
    """Pane 3: what was delegated to it lately; enter opens it."""

    TITLE = "delegations"

    def __init__(self, **options: Any) -> None:
        super().__init__(RUNS, key=lambda row: row.id, cells=self._cells, empty=NO_RUNS, **options)

    @property
    def summary(self) -> str:
        return f"the newest {self.total}" if self.total else ""

    def _cells(self, row: DelegationRow) -> tuple[Line, ...]:
        return (
            DELEGATION_MARKS.get(row.status, UNKNOWN).line(),
            ((f"#{row.work_item}", "dim"),),
            ((row.phase, "dim"),),
            ((one_line(row.subject, 40), "text"),),
            ((whole_time(row.milliseconds), "dim"),),
            ((whole_time(self.apm.now() - row.at), "faint"),),
        )


class Agents(PaneScreen):
    """Authority is never changed here: what a person asks for becomes a proposal."""

    PLACES: ClassVar[tuple[str, ...]] = ("team", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("team")]
    PANES = ("team", "member", "runs")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("team", 1): "member",
        ("member", -1): "team",
        ("member", 1): "runs",
        ("runs", -1): "member",
    }
    CSS_PATH = "../../styles/agents.tcss"

    def __init__(self, role: str | None = None) -> None:
        super().__init__()
        self._role = role
        self._documents: tuple[str, ContextFiles] | None = None
        """The documents of the domain agent that was shown last: looking for them costs a walk over the disk."""

    def body(self) -> Iterable[Widget]:
        yield TeamList(self._role, widget_id="team", classes="pane")
        yield Horizontal(
            AgentView(widget_id="member", classes="pane"),
            Runs(widget_id="runs", classes="pane"),
            id="team-below",
            classes="column",
        )

    @property
    def row(self) -> TeamRow | None:
        return self.query_one(TeamList).row

    async def read_agent(self) -> None:
        row = self.row
        seen = None
        if row is not None:
            asked = row
            seen = await self.apm.bridge.read(lambda reader, *_: read_agent(reader, asked))
        documents = await self._documents_of(row.agent) if row is not None else None
        if (row and row.role) == (self.row and self.row.role):
            self.query_one(AgentView).show_agent(seen, documents, self.apm.now())
            self.query_one(Runs).set_rows(seen.runs if seen is not None else ())
            self.refresh_titles()

    async def _documents_of(self, agent: AgentRow) -> ContextFiles | None:
        if agent.agent_type != "domain":
            return None
        if self._documents is None or self._documents[0] != agent.role:
            folder = self.apm.workspace.folder
            folders = await self.apm.bridge.read(lambda reader, *_: read_folders(reader, folder))
            self._documents = agent.role, await asyncio.to_thread(documents_of, agent, folders)
        return self._documents[1]

    @on(RowList.Moved, "#team")
    def _moved(self) -> None:
        self.apm.bridge.ask(self.query_one(AgentView))

    @on(RowList.Opened, "#team")
    def _entered(self) -> None:
        self.go("member")

    @on(RowList.Opened, "#runs")
    def _opened(self, message: RowList.Opened) -> None:
        from tui.screens.work.detail import DelegationDetail

        self.apm.push_screen(DelegationDetail(message.row))

    def action_edit(self) -> None:
        row = self.row
        if row is None or row.agent.agent_type != "domain":
            self.apm.tell("Only domain agents decide by authority: technical, strategy, ux and gtm.")
            return
        in_background(self, ask_for_change(self.apm, [row.role], self._show_proposal), group="dialogs")

    def _show_proposal(self, number: int) -> None:
        from tui.screens.scope.screen import ScopeReview

        self.apm.push_screen(ScopeReview(number))

    def action_proposals(self) -> None:
        self.apm.action_go("scope")

    def copied(self) -> tuple[str, str] | None:
        """The agent in hand as text."""
        text = "\n".join(plain((*p.line, *p.tail)) for p in self.query_one(AgentView).paragraphs)
        return (text, "the agent") if text else None
