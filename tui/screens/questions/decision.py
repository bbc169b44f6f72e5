"""One question, everything it rests on, and its answers; after an answer the next question is there at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen

from core.contract import Json
from core.governance.asking import Said, open_ask, said_in
from core.governance.question_record import happenings, head
from core.sanitise import one_line
from core.store import reads, reads_escalations, states
from core.store.reads import Connection
from core.store.rows import AnswerRow, EscalationRow, EventRow, LiveRow, WorkItemRow
from tui.actions import bindings
from tui.background import in_background, is_left
from tui.bridge import Change
from tui.questions.deeds import QuestionDeeds
from tui.questions.forms import in_order
from tui.questions.overtaken import ENDED, ending
from tui.screens.questions.budget_text import Spending, spending_of
from tui.screens.questions.permission_text import is_permission
from tui.screens.questions.question_about import (
    about_paragraphs,
    closing_paragraphs,
    status_paragraph,
    thread_paragraphs,
)
from tui.screens.questions.question_text import question_paragraphs
from tui.subjects import tell_nothing_waits
from tui.widgets.cards import Card, Cards
from tui.widgets.document import BLANK, Document, Paragraph
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import DELEGATIONS, Live
from tui.widgets.queue import waiting_for_me
from tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from tui.app import ApmApp


NARROW_BELOW, SHORT_BELOW = 100, 60
"""Columns below which the circumstances stand under the question instead of beside it, and its number goes."""
TOLD_BY_LABELS = ("permission", "budget")
LOW_BELOW = 20
"""Rows of the screen below which answers are short where the question is what must be read."""
FOCUS_CLICK_SECONDS = 0.5
"""After the window got the focus: a click that comes sooner was to focus it, and takes no answer."""
NAMED_VALUES = 3
"""Of the values that an answer takes, so many are named on its card; the form has them all."""
GO_ON = "go on"
OPEN_OTHER = "open the other"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the screen shows: a question with its circumstances, and the queue it stands in."""

    question: EscalationRow
    item: WorkItemRow | None
    answers: tuple[AnswerRow, ...]
    waiting: tuple[int, ...]
    happened: tuple[EventRow, ...]
    said: tuple[Said, ...]
    spending: Spending | None
    """What its budgets hold, where it is about one."""
    read_to: int
    """The newest event when it was read: what happened is read on from there."""


class QuestionView(Live, Document):
    """The question itself; it reads for the whole screen."""

    UNMOVED_BY = DELEGATIONS

    async def read_anew(self, change: Change) -> None:
        await cast("Decision", self.screen).read_question()

    def on_resize(self) -> None:
        self.call_after_refresh(cast("Decision", self.screen).note_rest)


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
        self._text: list[Paragraph] = []
        self._aged: object = None

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
        wanted, before = self.escalation, self._shown
        known = before if before is not None and before.question.id == wanted else None
        shown = await self.apm.bridge.read(
            lambda reader, live, now: _read(reader, wanted, live, now, known, self.apm.person)
        )
        if not self.query(QuestionView):
            return  # left while it was read
        if shown is None:
            self.apm.complain(f"There is no question {wanted}.")
            self.dismiss()
        elif wanted == self.escalation:
            self._show(shown)

    def _show(self, shown: _Shown) -> None:
        before, row = self._shown, shown.question
        fresh = before is None or before.question.id != row.id
        self._shown, self._text = shown, question_paragraphs(row, shown.spending)
        self._order = shown.waiting if fresh else self._order
        if fresh or before is None or _cards(before) != _cards(shown):
            self._drawn = ""
            self._show_cards(shown)
            self.call_after_refresh(self._arm, row.payload_digest)
        elif before.question.payload_digest != row.payload_digest:
            self._drawn = ""
            self.call_after_refresh(self._arm, row.payload_digest)
        self._draw_text(from_top=fresh)
        self.apm.show_keys()

    def _draw_text(self, *, from_top: bool = False) -> None:
        """Everything but the answers; of it only what ages is drawn anew with time."""
        shown, now = self._shown, self.apm.now()
        if shown is None:
            return
        self._aged = _aged(shown, now)
        row = shown.question
        question, about = self.query_one(QuestionView), self.query_one("#about", Document)
        beside = self.app.size.width >= NARROW_BELOW
        around = about_paragraphs(row, shown.item, shown.answers, now, shown.happened, with_status=beside)
        place, is_short = _place_in_queue(shown), self.app.size.width < SHORT_BELOW
        status = [] if beside else [status_paragraph(row, now, place, is_named=True, short=is_short)]
        closing = closing_paragraphs(row, shown.answers, now)
        lead, *rest = self._text
        said = thread_paragraphs(shown.said, now)
        below = [] if beside else [BLANK, *around]
        question.show([*status, *closing, lead, *_behind_lead(rest, said), *below], from_top=from_top)
        about.show(around, from_top=from_top)
        title = f"question {row.id}"
        question.border_title = Content(f"{title}: {place} that wait for you" if place else title)
        question.border_subtitle = Content(_state_note(shown, now))
        self.call_after_refresh(self.note_rest)

    def note_rest(self) -> None:
        """Of what is to be permitted nothing stays below the edge unnoticed."""
        if not self.display:
            return  # left before it was drawn
        question = self.query_one(QuestionView)
        is_more = question.scroll_offset.y < question.max_scroll_y
        asked = self.question_shown()
        more = "   J reads on, more above" if is_more and asked is not None and is_permission(asked) else ""
        self.query_one("#answers").border_title = Content(f"answers{more}")

    def _show_cards(self, shown: _Shown, *, keep: bool = False) -> None:
        """Where labels tell enough, on a low screen they stand alone: what is asked has to be seen."""
        cards, view = _cards(shown), self.query_one(Cards)
        if shown.question.kind in TOLD_BY_LABELS and self.app.size.height < LOW_BELOW:
            cards = [replace(card, note="") for card in cards]
        view.show(cards, view.cursor if keep else _recommended_at(shown.question))

    def on_resize(self) -> None:
        if self._shown is not None:
            self._show_cards(self._shown, keep=True)
        self._draw_text()

    def _arm(self, digest: str) -> None:
        self._drawn = digest

    def question_shown(self) -> EscalationRow | None:
        return None if self._shown is None else self._shown.question

    def question_in_hand(self) -> EscalationRow | None:
        """The question, once it is drawn. Of one that has its answer it says so, and nothing is in hand."""
        shown = self._shown
        if shown is None or self.is_drawing():
            return None
        if states.escalation_state(shown.question, self.apm.now()) in ENDED:
            self.apm.tell(f"{ending(shown.question, shown.answers)} space goes on to the next.")
            return None
        return shown.question

    def is_drawing(self) -> bool:
        shown = self.question_shown()
        return shown is None or self._drawn != shown.payload_digest

    def question_left(self, question: EscalationRow) -> None:
        self._left.add(question.id)
        if question.id == self.escalation:
            self.go_on()

    def go_on(self) -> None:
        """To the next question that needs me, in the queue's order; back when there is none."""
        waiting = self._shown.waiting if self._shown is not None else ()
        passed = self._order[: self._order.index(self.escalation)] if self.escalation in self._order else ()
        following = [n for n in waiting if n != self.escalation and n not in self._left]
        following.sort(key=lambda n: n in passed)
        if not following:
            in_background(self.app, tell_nothing_waits(self.apm, "Nothing more waits for you."), group="next")
            if self.app.screen is self:
                # What was opened over it while the answer was written stays: it is another screen that would go.
                self.dismiss()
        elif not is_left(self):
            self.go_to(following[0])

    def go_to(self, escalation: int) -> None:
        self.escalation, self._drawn = escalation, ""
        self.apm.bridge.ask(self.query_one(QuestionView))

    def action_answer(self, number: int) -> None:
        shown = self._shown
        if not self.is_pressed():
            return
        if shown is None or self.is_drawing():
            self.say_not_drawn()
            return
        cards = self.query_one(Cards).cards
        if number > len(cards):
            self.apm.tell(f"This question has {len(cards)} answers.")
        elif cards[number - 1].key == GO_ON:
            self.go_on()
        elif cards[number - 1].key == OPEN_OTHER and shown.question.merged_into is not None:
            self.go_to(shown.question.merged_into)
        else:
            self.take(shown.question, shown.question.options[number - 1])

    @on(Cards.Taken)
    def _taken(self, message: Cards.Taken) -> None:
        if time.monotonic() - self.apm.focused_at >= FOCUS_CLICK_SECONDS:
            self.action_answer(self.query_one(Cards).cursor + 1)

    def applies(self, action_id: str) -> bool | str:
        if action_id == "decision.evidence" and (self._shown is None or self._shown.question.work_item is None):
            return "it is about no single work item, so no command was run for it"
        return super().applies(action_id)

    def action_evidence(self) -> None:
        from tui.screens.questions.evidence import EvidenceDialog

        question = self.question_shown()
        if question is not None:
            self.app.push_screen(EvidenceDialog(question))

    def action_scroll_text(self, direction: int) -> None:
        self.query_one(QuestionView).action_half(direction)
        self.call_after_refresh(self.note_rest)

    async def action_search(self) -> None:
        await self.query_one(QuestionView).action_search()

    def action_out(self) -> None:
        self.dismiss()

    def tick(self, now: int) -> None:
        """A second has passed; most of them change no word here."""
        if self._shown is not None and _aged(self._shown, now) != self._aged:
            self._draw_text()
            self.apm.show_keys()


def _read(
    reader: Connection, escalation: int, live: LiveRow, now: int, known: _Shown | None, person: str
) -> _Shown | None:
    question = reads.escalation(reader, escalation)
    if question is None:
        return None
    item = None
    if question.work_item is not None:
        item = reads.work_item(reader, question.work_item, live=live)
    question = question if item is None else replace(question, title=item.title)
    newest = head(reader)
    happened = known.happened if known is not None else ()
    happened += happenings(reader, question, after=known.read_to if known is not None else 0)
    answers = reads_escalations.answers(reader, escalation)
    waiting = waiting_for_me(reader, now, person)
    spending = spending_of(reader, question, now)
    return _Shown(question, item, answers, waiting, happened, said_in(happened), spending, newest)


def _aged(shown: _Shown, now: int) -> object:
    """What of the screen changes with time alone."""
    row = shown.question
    around = about_paragraphs(row, None, (), now, shown.happened)
    return around, thread_paragraphs(shown.said, now), closing_paragraphs(row, shown.answers, now)


def _behind_lead(rest: Sequence[Paragraph], said: Sequence[Paragraph]) -> list[Paragraph]:
    """What was said about the question stands before its sections, which begin with a blank line."""
    at = next((n for n, paragraph in enumerate(rest) if paragraph == BLANK), len(rest))
    return [*rest[:at], *said, *rest[at:]]


def _cards(shown: _Shown) -> list[Card]:
    """Its answers, or where it takes none any more, where to go from here."""
    row = shown.question
    if row.resolved_at is not None:
        return [Card(GO_ON, "On to the next question", "u takes back what you answered yourself")]
    if row.merged_into is not None:
        other = Card(OPEN_OTHER, f"Open question {row.merged_into}", "One answer is the answer of both.")
        return [other, Card(GO_ON, "On to the next question")]
    return [_card(row, option) for option in row.options]


def _card(row: EscalationRow, option: Json) -> Card:
    asks: dict[str, Any] = option.get("asks") or {}
    ids: dict[str, Any] = option.get("names") or {}
    names = [one_line(name.replace("_", " "), 30) for key in in_order(asks) for name in ids.get(key) or (key,)]
    shown = names if len(names) <= NAMED_VALUES + 1 else [*names[:NAMED_VALUES], f"{len(names) - NAMED_VALUES} more"]
    wanted = f" You give: {', '.join(shown)}." if shown else ""
    badge = "recommended" if option["key"] == row.recommended else ""
    return Card(option["key"], one_line(option["label"]), one_line(option.get("consequence", ""), 400) + wanted, badge)


def _recommended_at(row: EscalationRow) -> int:
    if row.resolved_at is not None or row.merged_into is not None:
        return 0
    return next((n for n, o in enumerate(row.options) if o["key"] == row.recommended), 0)


def _place_in_queue(shown: _Shown) -> str:
    if shown.question.id not in shown.waiting:
        return ""
    return f"{shown.waiting.index(shown.question.id) + 1} of {len(shown.waiting)}"


def _state_note(shown: _Shown, now: int) -> str:
    state = states.escalation_state(shown.question, now)
    if state == "acknowledged" and open_ask(shown.said) is not None:
        return "asked back"
    return "" if state == "open" else state
