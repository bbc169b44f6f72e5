"""The scope review: what agents shall decide themselves, or no longer, on their record; a person's word on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from core.governance.decisions import DOMAIN_AGENTS
from core.governance.scope.evidence import Evidence
from core.governance.scope.proposing import status
from core.sanitise import one_line
from core.store.rows_governance import ScopeProposalRow
from tui.actions import bindings
from tui.background import in_background
from tui.governance import scope_deeds
from tui.governance.scope_reading import ReviewLine, read_seen
from tui.screens.pane_screen import PaneScreen
from tui.screens.scope.asking import ask_for_change
from tui.screens.scope.dialogs import PreviewDialog, WordDialog
from tui.screens.scope.panes import UNDECIDED, Grounds, Proposals, ProposalView
from tui.screens.scope.text import preview, preview_of_many
from tui.widgets.document import Paragraph
from tui.widgets.painted import plain
from tui.widgets.row_list import RowList

NO_WORD = "There is no word of a person here to take back."
TAKEN_BACK = frozenset({"approved", "rejected"})
"""States of a proposal in which a person's word is in force."""
WORDS_ON_ONE = frozenset({"scope.approve", "scope.reject", "scope.clarify"})


class ScopeReview(PaneScreen):
    """Every word is bound to what is drawn when its key is pressed."""

    PLACES: ClassVar[tuple[str, ...]] = ("scope", "panes")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("scope")]
    PANES = ("proposals", "proposal", "grounds")
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {
        ("proposals", 1): "proposal",
        ("proposal", -1): "proposals",
        ("proposal", 1): "grounds",
        ("grounds", -1): "proposal",
    }
    CSS_PATH = "../../styles/scope.tcss"

    def __init__(self, proposal: int | None = None) -> None:
        super().__init__()
        self._proposal = proposal

    def body(self) -> Iterable[Widget]:
        yield Proposals(widget_id="proposals", classes="pane")
        yield Horizontal(
            ProposalView(widget_id="proposal", classes="pane"),
            Grounds(widget_id="grounds", classes="pane"),
            id="proposal-below",
            classes="column",
        )

    def on_mount(self) -> None:
        if self._proposal is not None:
            self.show_proposal(self._proposal)

    @property
    def proposals(self) -> Proposals:
        return self.query_one(Proposals)

    def show_proposal(self, number: int) -> None:
        """Put the cursor on a proposal, at once or when it has been read."""
        if not self.proposals.go_to(("proposal", str(number))):
            self.proposals.wanted = number
            self.apm.bridge.ask(self.proposals)

    async def read_proposal(self) -> None:
        line = self.proposals.row
        row = line.proposal if line is not None else None
        folder, seen = self.apm.workspace.folder, None
        if row is not None:
            number = row.id
            seen = await self.apm.bridge.read(lambda reader, *_: read_seen(reader, number, folder))
        now_at = self.proposals.row
        if (line and line.key) != (now_at and now_at.key):
            return  # the cursor has gone on: what is read next is shown
        self.query_one(ProposalView).show_line(line, seen, self.apm.now())
        self.query_one(Grounds).show_evidence(seen)
        self.refresh_titles()
        self._show_what_applies()

    @on(RowList.Moved, "#proposals")
    def _moved(self) -> None:
        self.apm.bridge.ask(self.query_one(ProposalView))

    @on(RowList.Marked, "#proposals")
    def _marked(self) -> None:
        self.refresh_titles()
        self._show_what_applies()

    def _show_what_applies(self) -> None:
        if self.is_current:
            self.apm.show_keys()

    @on(RowList.Opened, "#proposals")
    def _entered(self, message: RowList.Opened) -> None:
        line: ReviewLine = message.row
        if line.question is not None:
            self.apm.open_question(line.question.id)
        elif line.wish is not None and line.wish.escalations:
            self.apm.open_question(line.wish.escalations[-1])
        else:
            self.go("proposal")

    @on(RowList.Opened, "#grounds")
    def _opened(self, message: RowList.Opened) -> None:
        one: Evidence = message.row
        if one.escalation is not None:
            self.apm.open_question(one.escalation)
        else:
            self.apm.tell(f"Nobody was asked about {one.what} {one.number}, so there is no question to open.")

    # What a person says

    def applies(self, action_id: str) -> bool | str:
        """What can be said of the row under the cursor; of marked rows a deed says itself why it cannot be done."""
        line = self.proposals.row
        row = line.proposal if line is not None else None
        if action_id == "scope.undo":
            return (row is not None and status(row) in TAKEN_BACK) or NO_WORD
        if action_id not in WORDS_ON_ONE or self.proposals.mark_count:
            return True
        if row is None:
            return "there is no proposal here"
        return status(row) in UNDECIDED or f"it is {status(row)} already; {_way_on(row)}"

    def action_approve(self) -> None:
        rows = self._waiting_in_hand("approve")
        if len(rows) > 1:
            self._approve_together(rows)
        elif rows:
            in_background(self, self._approve(rows[0]), group="dialogs")

    async def _approve(self, row: ScopeProposalRow) -> None:
        """Show what a yes does to the proposal as it was drawn, and take the yes."""
        folder = self.apm.workspace.folder
        seen = await self.apm.bridge.read(lambda reader, *_: read_seen(reader, row.id, folder))
        if seen is None:
            return
        look, title = preview(replace(seen, row=row)), f"Approve scope proposal {row.id}?"
        if row.recommendation != "approve":
            dialog: Any = WordDialog(
                title,
                look,
                "why",
                f"the master recommends to {row.recommendation}",
                needed="An approval that is not recommended needs a reason.",
                draft_key=scope_deeds.draft_of("approve", row),
            )
            self._then(dialog, lambda reason: self._approved([row], reason))
        else:
            confirm = PreviewDialog(title, look, "Approve it", "Leave it")
            self._then(confirm, lambda yes: self._approved([row]) if yes else None)

    def _approved(self, rows: Sequence[ScopeProposalRow], reason: str = "") -> None:
        scope_deeds.approve(self.apm, rows, reason)
        self.proposals.clear_marks()
        self._go_on(rows)

    def _go_on(self, rows: Sequence[ScopeProposalRow]) -> None:
        """The cursor on the next that still waits: those with a word go down to the decided ones."""
        said, lines = {row.id for row in rows}, self.proposals.rows
        at = next((n for n, line in enumerate(lines) if line.proposal is not None and line.proposal.id in said), 0)
        for line in (*lines[at:], *lines[:at]):
            if line.proposal is not None and line.proposal.id not in said and status(line.proposal) in UNDECIDED:
                self.proposals.go_to(line.key)
                return

    def _approve_together(self, rows: Sequence[ScopeProposalRow]) -> None:
        fit = [row for row in rows if row.recommendation == "approve" and row.risk == "low"]
        odd = next((row for row in rows if row not in fit), None)
        if odd is not None:
            self.apm.tell(
                f"Together go only those of low risk that are recommended; proposal {odd.id} is of {odd.risk} risk and "
                f"the master recommends to {odd.recommendation}."
            )
        if len(fit) == 1:
            in_background(self, self._approve(fit[0]), group="dialogs")
        elif fit:
            title = f"Approve {len(fit)} scope proposals together?"
            confirm = PreviewDialog(title, preview_of_many(fit), "Approve them", "Leave them")
            self._then(confirm, lambda yes: self._approved(fit) if yes else None)

    def action_reject(self) -> None:
        self._say(
            "reject",
            "Reject",
            "why",
            "it stays on the record; the same is not proposed again for four weeks",
            "A rejection needs a reason.",
            scope_deeds.reject,
        )

    def action_clarify(self) -> None:
        self._say(
            "clarify",
            "Ask about",
            "question",
            "the next review answers with fresh figures",
            "Write what you want to know.",
            scope_deeds.clarify,
        )

    def _say(self, key: str, verb: str, label: str, hint: str, needed: str, do: Any) -> None:
        """A word with a line of text, on the one proposal in hand."""
        rows = self._waiting_in_hand(key)
        if len(rows) > 1:
            self.apm.tell(f"One at a time: to {key} takes words of its own. esc drops the marks.")
        if len(rows) != 1:
            return
        row = rows[0]
        would = [Paragraph(((one_line(str(row.analysis.get("would", "")), 600), "strong"),))]
        draft = scope_deeds.draft_of(key, row)
        dialog = WordDialog(f"{verb} scope proposal {row.id}", would, label, hint, needed=needed, draft_key=draft)

        def say(said: str) -> None:
            do(self.apm, row, said)
            if key == "reject":
                self._go_on(rows)

        self._then(dialog, say)

    def action_take_back(self) -> None:
        line = self.proposals.row
        row = line.proposal if line is not None else None
        if row is None or status(row) not in TAKEN_BACK:
            self.apm.tell(NO_WORD)
            return
        text = (
            f"{one_line(row.decided_by or '', 60)} {row.decision} it: {one_line(row.reason or 'no reason given', 500)}"
        )
        dialog = WordDialog(
            f"Take back the word on scope proposal {row.id}",
            [Paragraph(((text, "text"),))],
            "why",
            "an approval's authority goes back to what it was" if row.decision == "approved" else "it may come again",
            needed="Taking it back needs a reason.",
            draft_key=scope_deeds.draft_of("undo", row),
        )
        self._then(dialog, lambda reason: scope_deeds.take_back(self.apm, row, reason))

    def action_review(self) -> None:
        scope_deeds.hold_review(self.apm)

    def action_propose(self) -> None:
        line = self.proposals.row
        row = line.proposal if line is not None else None
        at = (row.agent, row.kind) if row is not None else None
        asking = ask_for_change(self.apm, DOMAIN_AGENTS, self.show_proposal, at)
        in_background(self, asking, group="dialogs")

    def copied(self) -> tuple[str, str] | None:
        """The proposal in hand as text."""
        document = self.query_one(ProposalView)
        text = "\n".join(plain((*p.line, *p.tail)) for p in document.paragraphs)
        return (text, "the proposal") if text else None

    def _waiting_in_hand(self, deed: str) -> list[ScopeProposalRow]:
        """The proposals in hand that wait for a word: what else is marked is left out. None, and a sentence, where
        none of them does."""
        keys = set(self.proposals.in_hand())
        rows = [line.proposal for line in self.proposals.rows if line.key in keys and line.proposal is not None]
        waiting = [row for row in rows if status(row) in UNDECIDED]
        if waiting:
            return waiting
        if not rows:
            self.apm.tell(f"There is no proposal here to {deed}. R holds a review, p asks for a change.")
        else:
            self.apm.tell(f"Scope proposal {rows[0].id} is {status(rows[0])} already; {_way_on(rows[0])}")
        return []

    def _then(self, dialog: Any, use: Any) -> None:
        self.apm.push_screen(dialog, lambda given: None if given is None else use(given))


def _way_on(row: ScopeProposalRow) -> str:
    """What can be done about a proposal that waits for no word."""
    return "U takes that back." if status(row) in TAKEN_BACK else "p asks for the change anew."
