"""One question, everything it rests on, and its answers; after an answer the next question is there at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen

from core.contract import Json
from core.sanitise import one_line
from core.store import reads, reads_escalations, states
from core.store.reads import Connection
from core.store.rows import AnswerRow, EscalationRow, LiveRow, WorkItemRow
from tui.actions import bindings
from tui.bridge import Change
from tui.deeds import QuestionDeeds
from tui.forms import in_order
from tui.screens.question_text import about_paragraphs, question_paragraphs
from tui.widgets.cards import Card, Cards
from tui.widgets.document import BLANK, Document
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.queue import waiting_for_me
from tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from tui.app import ApmApp


NARROW_BELOW = 100
"""Columns below which the circumstances stand under the question instead of beside it."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the screen shows: a question with its circumstances, and the queue it stands in."""

    question: EscalationRow
    item: WorkItemRow | None
    answers: tuple[AnswerRow, ...]
    waiting: tuple[int, ...]


class QuestionView(Live, Document):
    """The question itself; it reads for the whole screen."""

    async def read_anew(self, change: Change) -> None:
        await cast("Decision", self.screen).read_question()


class Decision(QuestionDeeds, Screen[None]):
    """An answer is bound to what is drawn: keys that come before the question is drawn answer nothing."""

    PLACES: ClassVar[tuple[str, ...]] = ("decision",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("decision")]

    def __init__(self, escalation: int) -> None:
        super().__init__()
        self.escalation = escalation
        self._shown: _Shown | None = None
        self._drawn = ""
        self._left: set[int] = set()
        self._order: tuple[int, ...] = ()
        """The queue as it stood when this question came up: what stood before it has been passed over."""

    @property
    def apm(self) -> ApmApp:
        return cast("ApmApp", self.app)

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Horizontal(
            Vertical(
                QuestionView(focusable=False, widget_id="question", classes="pane"),
                Cards(widget_id="answers"),
                id="asked",
            ),
            Document(focusable=False, widget_id="about", classes="pane"),
        )
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#about").border_title = Content("about")
        self.query_one("#answers").border_title = Content("answers")
        self.query_one(Cards).focus()

    def on_screen_resume(self) -> None:
        self.query_one(QuestionView).catch_up()
        self.query_one(TopLine).catch_up()
        self.apm.show_keys()

    async def read_question(self) -> None:
        wanted = self.escalation
        shown = await self.apm.bridge.read(lambda reader, live, now: _read(reader, wanted, live, now))
        if shown is None:
            self.apm.complain(f"There is no question {wanted}.")
            self.dismiss()
        elif wanted == self.escalation:
            self._show(shown)

    def _show(self, shown: _Shown) -> None:
        fresh = self._shown is None or self._shown.question.id != shown.question.id
        changed = fresh or self._shown is None or self._shown.question.payload_digest != shown.question.payload_digest
        self._shown = shown
        self._order = shown.waiting if fresh else self._order
        row, now = shown.question, self.apm.now()
        question = self.query_one(QuestionView)
        about = about_paragraphs(row, shown.item, shown.answers, now)
        beside = self.app.size.width >= NARROW_BELOW
        question.show([*question_paragraphs(row), *([] if beside else [BLANK, *about])], from_top=fresh)
        cast(Document, self.query_one("#about")).show(about, from_top=fresh)
        question.border_title = Content(self._place_in_queue(shown))
        question.border_subtitle = Content(_state_note(shown, now))
        if changed:
            self._drawn = ""
            self.query_one(Cards).show([_card(row, o) for o in row.options], _recommended_at(row))
            self.call_after_refresh(self._arm, row.payload_digest)

    def on_resize(self) -> None:
        if self._shown is not None:
            self._show(self._shown)

    def _arm(self, digest: str) -> None:
        self._drawn = digest

    def _place_in_queue(self, shown: _Shown) -> str:
        name = f"question {shown.question.id}"
        if shown.question.id not in shown.waiting:
            return name
        return f"{name}: {shown.waiting.index(shown.question.id) + 1} of {len(shown.waiting)} that wait for you"

    def question_in_hand(self) -> EscalationRow | None:
        """The question, once it is drawn and as long as it is open."""
        shown = self._shown
        if shown is None or self._drawn != shown.question.payload_digest:
            return None
        return shown.question

    def question_left(self, question: EscalationRow) -> None:
        self._left.add(question.id)
        self.go_on()

    def go_on(self) -> None:
        """To the next question that needs me, in the queue's order; back when there is none."""
        waiting = self._shown.waiting if self._shown is not None else ()
        passed = self._order[: self._order.index(self.escalation)] if self.escalation in self._order else ()
        following = [n for n in waiting if n != self.escalation and n not in self._left]
        following.sort(key=lambda n: n in passed)
        if not following:
            self.apm.tell("Nothing more waits for you.")
            self.dismiss()
            return
        self.escalation, self._drawn = following[0], ""
        self.apm.bridge.ask(self.query_one(QuestionView))

    def action_answer(self, number: int) -> None:
        question = self.question_in_hand()
        if question is None:
            return
        if number > len(question.options):
            self.apm.tell(f"This question has {len(question.options)} answers.")
            return
        self.take(question, question.options[number - 1])

    @on(Cards.Taken)
    def _taken(self, message: Cards.Taken) -> None:
        question = self.question_in_hand()
        if question is not None:
            self.action_answer(self.query_one(Cards).cursor + 1)

    def action_work_item(self) -> None:
        if self._shown is not None and self._shown.item is not None:
            self.apm.open_work_item(self._shown.item.id)
        else:
            self.apm.tell("This question is about no single work item.")

    def action_scroll_text(self, direction: int) -> None:
        self.query_one(QuestionView).action_half(direction)

    def action_out(self) -> None:
        self.dismiss()

    def tick(self, now: int) -> None:
        if self._shown is not None:
            self._show(self._shown)


def _read(reader: Connection, escalation: int, live: LiveRow, now: int) -> _Shown | None:
    question = reads.escalation(reader, escalation)
    if question is None:
        return None
    item = None
    if question.work_item is not None:
        item = reads.work_item(reader, question.work_item, live=live)
    return _Shown(question, item, reads_escalations.answers(reader, escalation), waiting_for_me(reader, now))


def _card(row: EscalationRow, option: Json) -> Card:
    asks: dict[str, Any] = option.get("asks") or {}
    wanted = f" You give: {', '.join(one_line(k.replace('_', ' '), 30) for k in in_order(asks))}." if asks else ""
    badge = "recommended" if option["key"] == row.recommended else ""
    return Card(option["key"], one_line(option["label"]), one_line(option.get("consequence", ""), 400) + wanted, badge)


def _recommended_at(row: EscalationRow) -> int:
    return next((n for n, o in enumerate(row.options) if o["key"] == row.recommended), 0)


def _state_note(shown: _Shown, now: int) -> str:
    state = states.escalation_state(shown.question, now)
    return "" if state == "open" else state
