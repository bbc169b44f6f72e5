"""One answer for many: what would happen to each is shown first; then it is done, batch by batch, or stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from core.sanitise import one_line
from tui.actions import bindings
from tui.background import in_background
from tui.questions.bulk import Outcome, Plan, Progress, Refusal, about, do_plan
from tui.screens.dialogs.dialog import Dialog
from tui.screens.dialogs.reason import ReasonDialog
from tui.text.words import Line, plural
from tui.widgets.document import BLANK, Document, Paragraph, heading
from tui.widgets.painted import PaintedLine

NAMED, ENDED = 3, 100
"""Questions that are named of each group, and of one whose answer ends work items."""
BAR_CELLS = 24


class ProgressLine(PaintedLine):
    """How far it has come; empty before it begins."""

    progress: Progress | None = None

    def halves(self, width: int) -> tuple[Line, Line]:
        shown = self.progress
        if shown is None:
            return (), ()
        full = BAR_CELLS * shown.at // max(shown.of, 1)
        bar: Line = ((" " + "●" * full, "run"), ("·" * (BAR_CELLS - full), "faint"))
        told = " stops after this batch" if shown.stop else f" {shown.at:,} of {shown.of:,}"
        return (*bar, (" " + told, "text")), ()


class BulkDialog(Dialog[Outcome]):
    """Its answer is what has come of it; None when it was left before anything was done."""

    PLACES: ClassVar[tuple[str, ...]] = ("bulk",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("bulk")]
    CSS_PATH = "../../styles/triage.tcss"

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.title_text = plan.deed.title
        self._progress: Progress | None = None
        self._is_drawn = False
        self._outcome: Outcome | None = None

    def body(self) -> Iterable[Widget]:
        yield Document(widget_id="plan")
        yield ProgressLine()

    def on_mount(self) -> None:
        document = self.query_one(Document)
        document.show(plan_paragraphs(self.plan))
        document.focus()
        self.call_after_refresh(self._arm)

    def _arm(self) -> None:
        self._is_drawn = True

    def applies(self, action_id: str) -> bool:
        return action_id != "bulk.yes" or bool(self.plan.steps)

    def action_do_it(self) -> None:
        """Keys that come before the plan is drawn do nothing."""
        if not self._is_drawn or self._progress is not None:
            return
        if not self.plan.steps:
            self.apm.tell("Nothing here takes that: n leaves, and the marks stay.")
        elif self.plan.needs_reason:
            count = plural(self.plan.needs_reason, "answer", "answers")
            words = f"not recommended there: the reason goes on record with {count}"
            self.apm.push_screen(ReasonDialog(self.plan.deed.title, words), self._with_reason)
        else:
            self._begin("")

    def _with_reason(self, reason: str | None) -> None:
        if reason is not None:
            self._begin(reason)

    def _begin(self, reason: str) -> None:
        line = self.query_one(ProgressLine)
        self._progress = line.progress = Progress(len(self.plan.steps), seen=line.refresh)
        line.add_class("-runs")
        in_background(self, self._do(reason, self._progress), group="writes")

    async def _do(self, reason: str, progress: Progress) -> None:
        self._outcome = await do_plan(self.plan, reason, self.apm.bridge.write, progress)
        self._close()

    def on_screen_resume(self) -> None:
        self._close()

    def _close(self) -> None:
        """Once it is through. Textual closes the dialog on top, whichever is told to: one over this one stays first."""
        if self._outcome is not None and self.app.screen is self:
            outcome, self._outcome = self._outcome, None
            self.dismiss(outcome)

    def action_out(self) -> None:
        """Before it runs: leave. While it runs: stop after the batch that is being written."""
        if self._progress is None:
            self.dismiss(None)
        else:
            self._progress.stop = True
            self.query_one(ProgressLine).refresh()


def plan_paragraphs(plan: Plan) -> list[Paragraph]:
    """What will happen, in groups; then what is left as it is, and why."""
    groups = plan.groups()
    wide = max((len(f"{count:,}") for count in (*(n for _, n, _ in groups), len(plan.refusals))), default=1)
    made: list[Paragraph] = []
    for words, count, due in groups:
        made.append(_counted(count, wide, words, "text"))
        if due:
            told = "your reason goes on record" if due == count else f"your reason goes on record with {due:,} of them"
            made.append(Paragraph(((" " * (wide + 4), "text"), (f"not recommended there: {told}", "ask")), wide + 4))
        steps = plan.of_group(words)
        made += _named([about(step.row) for step in steps], wide, ENDED if steps[0].ends else NAMED)
    if not groups:
        made.append(Paragraph(((" None of them takes that.", "ask"),)))
    if plan.refusals:
        made += [BLANK, heading(" Left as they are, and still marked")]
        made += refusal_paragraphs(plan.refusal_groups(), wide)
    return made


def refusal_paragraphs(groups: Sequence[tuple[str, Sequence[Refusal]]], wide: int) -> list[Paragraph]:
    made: list[Paragraph] = []
    for why, some in groups:
        made.append(_counted(len(some), wide, why, "ask"))
        made += _named([refused.about or str(refused.id) for refused in some], wide)
    return made


def _named(questions: Sequence[str], wide: int, most: int = NAMED) -> list[Paragraph]:
    """Which questions: the first of them, and how many there are besides."""
    lines = [*questions[:most], *([f"and {len(questions) - most:,} more"] if len(questions) > most else [])]
    return [Paragraph(((" " * (wide + 4), "text"), (one_line(line, 160), "dim")), wide + 6) for line in lines]


def _counted(count: int, wide: int, words: str, tone: str) -> Paragraph:
    return Paragraph(((f" {count:>{wide},}", "strong"), (" × ", "faint"), (one_line(words, 300), tone)), wide + 4)
