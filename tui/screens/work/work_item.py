"""One work item: its phases, what their gates measured, who did what, and the artifacts that were handed on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widget import Widget

from core.governance.budget_reads import Standing, rules_in_force, standings, warn_at
from core.governance.budgets import Spender
from core.phases import PHASE_BY_CODE
from core.sanitise import one_line
from core.store import reads, reads_escalations, reads_governance
from core.store.reads import Connection
from core.store.reads_spending import PhaseCost, costs_by_phase
from core.store.rows import (
    ArtifactRow,
    DecisionRow,
    DelegationRow,
    EscalationRow,
    GateResultRow,
    LiveRow,
    PhaseCell,
    PhaseRunRow,
    WorkItemRow,
)
from core.store.rows_governance import ConflictRow
from tui.actions import bindings
from tui.bridge import Change
from tui.questions.work_item_deeds import WorkItemDeeds
from tui.screens.pane_screen import PaneScreen, PaneTabs
from tui.screens.questions.gate_text import gate_paragraphs, overtaken_by, round_note
from tui.screens.work.cost_text import Doing, doing_cells, phase_cells, running_rows, total_line
from tui.text.moments import moment
from tui.text.words import DELEGATION_MARKS, UNKNOWN, Line, phase_cell, span_of_time
from tui.widgets.columns import Column
from tui.widgets.document import Document
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.painted import PaintedLine
from tui.widgets.pipeline import is_held_besides, shown_state, state_line
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine

TOLD = Change(told=True)
"""Nothing has changed but what running delegations tell."""
ROOMY = 100
"""Cells of width from which the headline tells tokens and budget beside what it cost."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one work item that the screen shows."""

    item: WorkItemRow
    runs: tuple[PhaseRunRow, ...]
    gates: tuple[GateResultRow, ...]
    delegations: tuple[DelegationRow, ...]
    running: tuple[DelegationRow | Doing, ...]
    artifacts: tuple[ArtifactRow, ...]
    questions: tuple[EscalationRow, ...]
    decisions: tuple[DecisionRow, ...]
    conflicts: tuple[ConflictRow, ...]
    costs: tuple[PhaseCost, ...]
    """What calls have cost that have ended."""
    budget: Standing
    warn_at: int

    def gate(self, phase: str) -> GateResultRow | None:
        """The newest result of a phase's gate."""
        return next((g for g in reversed(self.gates) if g.phase == phase), None)

    @property
    def broken_link(self) -> ArtifactRow | None:
        """The first artifact whose parent is none of those before it: the first of all needs none."""
        before: set[str] = set()
        for n, artifact in enumerate(self.artifacts):
            if artifact.parent not in before and (n or artifact.parent is not None):
                return artifact
            before.add(artifact.digest)
        return None


class Headline(PaintedLine):
    """Number, title and state of the work item."""

    item: reactive[WorkItemRow | None] = reactive(None)
    cost: reactive[Line] = reactive(())
    short_cost: reactive[Line] = reactive(())

    def halves(self, width: int) -> tuple[Line, Line]:
        if self.item is None:
            return (), ()
        facts = self.item.facts
        impact = f"  impact {facts.impact}" if facts.impact is not None else ""
        about = f"  {self.item.type}  {one_line(self.item.project or 'no project', 30)}{impact}"
        branch = f"  {one_line(facts.branch, 60)}" if facts.branch else ""
        left: Line = ((f" #{self.item.id} ", "accent"), (one_line(self.item.title), "strong"), (about + branch, "dim"))
        cost = self.cost if width >= ROOMY else self.short_cost
        until = self.item.rests_until if shown_state(self.item) == "resting" else None
        told: Line = ((f" until {moment(until, self.apm.now())}", "ask"),) if until is not None else ()
        if is_held_besides(self.item):
            told = ((", paused", "dim"),)
        return left, (("  ", "text"), *cost, *state_line(self.item), *told, (" ", "text"))


class Phases(RowList[PhaseCell]):
    """Pane 1: the six phases with their state, time and gate."""

    TITLE = "phases"
    COLUMNS = (Column("", 2), Column("phase", least=8), Column("state", 7), Column("gate", 6))
    PAID = (*COLUMNS, Column("tokens", 6, right=True, rank=2), Column("cost", 8, right=True, rank=1))
    """Where calls of models were paid."""
    summary = ""


class GateView(Document):
    """Pane 2: what the gate of the phase under the cursor measured."""

    TITLE = "gate"
    summary = ""


class Delegations(RowList["DelegationRow | Doing"]):
    """Pane 3: who was asked, on what, how it ended, executed by what, how long it took.

    At its top it follows what comes, so that what runs now is in sight; elsewhere it stays where it is read.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("delegations", "list")
    TITLE = "delegations"
    COLUMNS = (
        Column("phase", 5),
        Column("agent", least=14),
        Column("task", 5, rank=2),
        Column("status", 9),
        Column("runtime", 11, rank=1),
        Column("time", 5, right=True),
    )
    summary = ""

    def _arrange(self, cursor: int, top: int) -> None:
        is_at_top = self._cursor == 0 and self.scroll_offset.y == 0
        super()._arrange(*((0, 0) if is_at_top else (cursor, top)))


class Artifacts(RowList[ArtifactRow]):
    """Pane 4: the chain of artifacts, each with the digest of the one that it was made of."""

    TITLE = "artifacts"
    COLUMNS = (Column("type", least=14), Column("digest", 8), Column("made of", 10), Column("by", 18, rank=1))
    summary = ""


class Reader(Live, Widget):
    """Takes no room: it reads for the whole screen."""

    FOLLOWS_RUNNING = True

    async def read_anew(self, change: Change) -> None:
        screen = cast("WorkItemScreen", self.screen)
        await (screen.hear() if change == TOLD else screen.read_facts())


class WorkItemScreen(WorkItemDeeds, PaneScreen):
    """The cursor in the phases decides which gate is shown."""

    PLACES: ClassVar[tuple[str, ...]] = ("work_item", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("work_item")]
    PANES: ClassVar[tuple[str, ...]] = ("phases", "gate", "delegations", "artifacts")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("phases", 1): "gate",
        ("gate", -1): "phases",
        ("artifacts", 1): "delegations",
        ("delegations", -1): "artifacts",
    }

    def __init__(self, work_item: int) -> None:
        super().__init__()
        self.work_item = work_item
        self._facts: Facts | None = None

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Headline()
        yield PaneTabs()
        yield from self.body()
        yield Reader()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        phases = Phases(
            Phases.COLUMNS, key=lambda c: c.phase, cells=self._phase_cells, widget_id="phases", classes="pane"
        )
        delegations = Delegations(
            Delegations.COLUMNS,
            key=_delegation_key,
            cells=_delegation_cells,
            empty=((("No agent has been asked yet.", "dim"),),),
            widget_id="delegations",
            classes="pane",
        )
        artifacts = Artifacts(
            Artifacts.COLUMNS, key=lambda a: a.id, cells=self._artifact_cells, widget_id="artifacts", classes="pane"
        )
        yield Horizontal(
            Vertical(phases, artifacts, id="item-left", classes="column"),
            Vertical(GateView(widget_id="gate", classes="pane"), delegations, id="item-right", classes="column"),
        )

    def work_item_in_hand(self) -> WorkItemRow | None:
        return self._facts.item if self._facts is not None else None

    async def read_facts(self) -> None:
        facts = await self.apm.bridge.read(lambda reader, live, now: _read(reader, self.work_item, live, now))
        if facts is None:
            self.apm.complain(f"There is no work item {self.work_item}.")
            self.dismiss()
            return
        if not self.query(Headline):
            return  # left while it was read
        before, self._facts = self._facts, facts
        headline = self.query_one(Headline)
        headline.item = facts.item
        paid = facts.costs, facts.budget, facts.warn_at
        headline.cost, headline.short_cost = total_line(*paid), total_line(*paid, short=True)
        phases = self.pane("phases")
        columns, codes = Phases.PAID if facts.costs else Phases.COLUMNS, map(_with_round, facts.item.cells)
        phases.columns = (Column("", max(map(len, codes))), *columns[1:])
        phases.set_rows(facts.item.cells)
        if self._follows_work(before) and facts.item.phase:
            phases.go_to(facts.item.phase)
        self._show_delegations()
        self.pane("artifacts").set_rows(facts.artifacts)
        broken = facts.broken_link
        told = f"broken at {one_line(broken.type, 30)}" if broken is not None else "the chain is whole"
        self.pane("artifacts").summary = told if facts.artifacts else ""
        self._show_gate()
        self.refresh_titles()
        self.apm.show_keys()

    def _follows_work(self, before: Facts | None) -> bool:
        """Whether the cursor stands where the work was, with nobody reading what the gate there said."""
        cell = self.pane("phases").row
        at_work = before is None or (cell is not None and cell.phase == before.item.phase)
        return at_work and not self.pane("gate").has_focus

    async def hear(self) -> None:
        """What its running delegations tell of themselves now."""
        running = await self.apm.bridge.read(lambda _, live, now: running_rows(self.work_item, live, now))
        if self._facts is not None and self.query(Headline):
            self._facts = replace(self._facts, running=running)
            self._show_delegations()
            self.refresh_titles()

    def _show_delegations(self) -> None:
        if self._facts is not None:
            pane, running = self.pane("delegations"), self._facts.running
            pane.set_rows((*running, *reversed(self._facts.delegations)))
            count = sum(isinstance(row, DelegationRow) for row in running)
            pane.summary = f"{f'{count} running, ' if count else ''}{len(self._facts.delegations)} recorded"

    def tick(self, now: int) -> None:
        super().tick(now)
        if self._facts is not None and self._facts.item.state == "running":
            self.pane("phases").redraw()
            self.pane("delegations").redraw()

    @on(RowList.Moved)
    def _moved(self, message: RowList.Moved) -> None:
        if message.rows.id == "phases":
            self._show_gate()
            self.refresh_titles()

    def _show_gate(self) -> None:
        cell = self.pane("phases").row
        if cell is None or self._facts is None:
            return
        gate = self.pane("gate")
        found = self._facts.gate(cell.phase)
        gate.summary = round_note(found, self._facts.runs)
        gate.show(gate_paragraphs(cell, found, self._facts), from_top=f"gate {cell.phase}" != gate.TITLE)
        gate.TITLE = f"gate {cell.phase}"

    @on(RowList.Opened)
    def _open(self, message: RowList.Opened) -> None:
        from tui.screens.work.detail import ArtifactDetail, DelegationDetail

        if self.unfold(str(message.rows.id)):
            return
        row: Any = message.row
        if isinstance(row, PhaseCell):
            asked = [q for q in self._facts.questions if q.phase == row.phase] if self._facts else []
            if asked:
                self.apm.open_question(asked[0].id)
            else:
                self.go("gate")
        elif isinstance(row, ArtifactRow):
            self.apm.push_screen(ArtifactDetail(row))
        elif isinstance(row, DelegationRow | Doing):
            self.apm.push_screen(DelegationDetail(row if isinstance(row, DelegationRow) else row.row))

    def action_diff(self) -> None:
        self.apm.open_diff(self.work_item)

    def _artifact_cells(self, row: ArtifactRow) -> tuple[Line, ...]:
        broken = self._facts.broken_link if self._facts is not None else None
        made_of: Line = ((f"← {row.parent[:8]}", "dim"),) if row.parent else (("the first", "faint"),)
        if broken is not None and broken.id == row.id:
            made_of = ((f"✗ {(row.parent or 'nothing')[:8]}", "bad"),)
        return (
            ((one_line(row.type, 40), "text"),),
            ((row.digest[:8], "run"),),
            made_of,
            ((one_line(row.producer, 40), "faint"),),
        )

    def _phase_cells(self, cell: PhaseCell) -> tuple[Line, ...]:
        gate = self._facts.gate(cell.phase) if self._facts else None
        reached = cell.status != ""
        return (
            ((cell.phase, "accent" if reached else "faint"), (_with_round(cell)[len(cell.phase) :], "ask")),
            ((PHASE_BY_CODE[cell.phase].title, "text" if reached else "faint"),),
            phase_cell(cell, self.apm.now()),
            _met(gate, self._facts.runs) if gate is not None and self._facts is not None else (("", "text"),),
            *(phase_cells(self._facts.costs, cell.phase) if self._facts is not None and self._facts.costs else ()),
        )


def _with_round(cell: PhaseCell) -> str:
    """As `I1/2`; a first round goes without its number."""
    return f"{cell.phase}/{cell.round}" if cell.round > 1 else cell.phase


def _met(gate: GateResultRow, runs: Sequence[PhaseRunRow]) -> Line:
    """How many criteria of a gate are met; grey where that was measured in a round of before."""
    met = sum(bool(c.get("passed")) for c in gate.criteria)
    tone = "faint" if overtaken_by(gate, runs) is not None else "good" if gate.passed else "ask"
    return ((f"{met} of {len(gate.criteria)}", tone),)


def _read(reader: Connection, work_item: int, live: LiveRow, now: int) -> Facts | None:
    item = reads.work_item(reader, work_item, live=live)
    if item is None:
        return None
    return Facts(
        item,
        reads.phase_runs(reader, work_item),
        reads.gate_results(reader, work_item),
        reads.delegations(reader, work_item),
        running_rows(work_item, live, now),
        reads.artifacts(reader, work_item),
        reads_escalations.escalations(reader, work_item=work_item),
        tuple(reversed(reads.decisions(reader, work_item=work_item))),
        tuple(reversed(reads_governance.conflicts(reader, work_item=work_item))),
        tuple(costs_by_phase(reader, work_item)),
        standings(reader, Spender(work_item, "", 0, ""), now, ("work_item",))[0],
        warn_at(rules_in_force(reader)),
    )


def _delegation_key(row: DelegationRow | Doing) -> tuple[Any, ...]:
    if isinstance(row, Doing):
        return (*_delegation_key(row.row), "doing")
    return row.phase, row.round, row.agent, row.subject


def _delegation_cells(row: DelegationRow | Doing) -> tuple[Line, ...]:
    if isinstance(row, Doing):
        return doing_cells(row)
    mark = DELEGATION_MARKS.get(row.status, UNKNOWN)
    return (
        ((row.phase, "dim"), (f"/{row.round}" if row.round > 1 else "", "ask")),
        ((one_line(row.agent, 60), "text"),),
        ((one_line(row.subject, 20), "dim"),),
        mark.line(),
        ((one_line(row.runtime, 30), "ask" if row.runtime == "replay" else "dim"),),
        ((span_of_time(row.milliseconds), "run" if row.status == "RUNNING" else "dim"),),
    )
