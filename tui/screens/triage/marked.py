"""What the keys of a question do where questions are marked: the same to all of them, once its plan was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from core.contract import ApmError, Json
from core.governance.people import known_people
from core.sanitise import one_line
from core.store import reads_triage
from core.store.reads import Connection
from core.store.rows import LiveRow
from core.store.transaction import Transaction
from tui.background import in_background
from tui.questions import bulk_deeds
from tui.questions.bulk import BATCH, Deed, Done, Outcome, Plan, in_short, make_plan, take_back
from tui.questions.snoozing import HINT, PRESETS, moment_of
from tui.screens.dialogs.choice import Choice, ChoiceDialog
from tui.screens.dialogs.dialog import Dialog
from tui.screens.dialogs.reason import LineDialog
from tui.screens.questions.hand_over import Handed, HandOverForm
from tui.screens.triage.bulk import BulkDialog
from tui.text.words import plural
from tui.undoing import Undo
from tui.widgets.document import Paragraph

if TYPE_CHECKING:
    from tui.app import ApmApp
    from tui.screens.triage.screen import Triage

T = TypeVar("T")

MOST_OTHERS = 9
"""Answers that a choice offers; there is a digit for each."""
OTHER_TIME = "other"
NONE_LEFT = "Nothing was done: none of the marked questions is in the list any more."


class Many:
    """The marked questions. Each method says whether there are any; without, the question in hand is meant."""

    def __init__(self, triage: Triage) -> None:
        self._triage = triage
        self._digests: dict[int, str] = {}
        """What each marked question was when it was marked."""
        self._is_planning = False

    @property
    def apm(self) -> ApmApp:
        return self._triage.apm

    # The keys

    def accept(self) -> bool:
        return self._for_all(lambda: bulk_deeds.accept(self.apm.person))

    def answer(self, option: Json) -> bool:
        """The same answer to all: the option of the question in sight, by its key."""
        return self._for_all(lambda: bulk_deeds.answer(option["key"], option["label"], self.apm.person))

    def acknowledge(self) -> bool:
        return self._for_all(lambda: bulk_deeds.seen(self.apm.person))

    def merge(self) -> bool:
        """Into the question in sight."""
        if not self._triage.inbox.mark_count:
            return False
        into = self._triage.inbox.question_for_key()
        if into is not None:
            self._plan(bulk_deeds.merge(into, self.apm.person), without=into.id)
        return True

    def snooze(self) -> bool:
        def put_away(picked: str) -> None:
            if picked == OTHER_TIME:
                self._ask_moment()
            else:
                preset = PRESETS[int(picked)]
                self._put_away(preset.until(self.apm.now()), preset.name)

        choices = [
            *(Choice(str(n), preset.name) for n, preset in enumerate(PRESETS)),
            Choice(OTHER_TIME, "another time …"),
        ]
        return self._ask(lambda: ChoiceDialog("Put them away for how long?", choices), put_away)

    def _ask_moment(self) -> None:
        dialog = LineDialog(
            "Put them away until when?",
            [Paragraph(((HINT, "dim"),))],
            "a span of time, a time of day, or a date",
            needed="Say until when, or leave with esc.",
            check=lambda typed: moment_of(typed, self.apm.now()),
        )
        self._ask(lambda: dialog, lambda typed: self._put_away(moment_of(typed, self.apm.now()), f"until {typed}"))

    def _put_away(self, until: int, name: str) -> None:
        self._plan(bulk_deeds.snooze(until, one_line(name, 60), self.apm.person))

    def escalate(self) -> bool:
        def press(reason: str) -> None:
            self._plan(bulk_deeds.escalate(reason, self.apm.person))

        return self._ask(lambda: LineDialog("Make them more urgent", [], "why, if you want to say"), press)

    def assign(self) -> bool:
        if not self._triage.inbox.mark_count:
            return False
        in_background(self._triage, self._assign(), group="dialogs")
        return True

    async def _assign(self) -> None:
        known = await self._read(lambda reader, *_: known_people(reader))
        others = [name for name in known or () if name != self.apm.person]

        def handed(given: Handed) -> None:
            self.apm.drafts.pop("assign:marked", None)
            self._plan(bulk_deeds.hand_over(given.to, given.note, self.apm.person))

        count = plural(self._triage.inbox.mark_count, "question")
        self._ask(lambda: HandOverForm(f"Hand over {count}", others, "assign:marked"), handed)

    def other(self) -> bool:
        """Another answer than the recommended one, of those that the marked questions offer."""
        if not self._triage.inbox.mark_count:
            return False
        in_background(self._triage, self._offer_others(), group="dialogs")
        return True

    async def _offer_others(self) -> None:
        numbers = self._numbers()
        rows = await self._read(lambda reader, *_: reads_triage.asked(reader, numbers))
        if rows is None:
            return
        offered = Counter(
            (option["key"], option["label"])
            for row in rows.values()
            for option in row.options
            if option["key"] != row.recommended and not option.get("asks")
        ).most_common(MOST_OTHERS)
        if not offered:
            self.apm.tell("None of the marked questions has another answer that takes no values.")
            return
        labels = {str(n): key_and_label for n, (key_and_label, _) in enumerate(offered)}
        choices = [
            Choice(str(n), one_line(label), f"{count:,} of {len(rows):,} offer it beside what is recommended")
            for n, ((_, label), count) in enumerate(offered)
        ]
        self._ask(
            lambda: ChoiceDialog("Which other answer?", choices),
            lambda n: self._plan(bulk_deeds.answer(*labels[n], self.apm.person)),
        )

    # From the key to the plan, and on

    def _for_all(self, deed: Callable[[], Deed]) -> bool:
        if not self._triage.inbox.mark_count:
            return False
        self._plan(deed())
        return True

    def _ask(self, dialog: Callable[[], Dialog[T]], use: Callable[[T], None]) -> bool:
        """Ask what the deed needs first; what the dialog is closed with goes to `use`, unless it was left."""
        if not self._triage.inbox.mark_count:
            return False
        self.apm.push_screen(dialog(), lambda given: None if given is None else use(given))
        return True

    def _numbers(self, without: int = 0) -> tuple[int, ...]:
        """In the list's order. Never the one under the cursor where the last mark went while a dialog was open."""
        inbox = self._triage.inbox
        return tuple(int(str(key)) for key in inbox.in_hand() if key != without) if inbox.mark_count else ()

    def _plan(self, deed: Deed, *, without: int = 0) -> None:
        if not self._is_planning:
            self._is_planning = True
            in_background(self._triage, self._show_plan(deed, without), group="dialogs")

    async def _show_plan(self, deed: Deed, without: int) -> None:
        try:
            numbers = self._numbers(without)
            if not self._triage.inbox.mark_count:
                self.apm.tell(NONE_LEFT)
                return
            await self.note_marks()
            digests = dict(self._digests)
            plan = await self._read(
                lambda reader, _, now: make_plan(deed, numbers, reads_triage.asked(reader, numbers), digests, now)
            )
        finally:
            self._is_planning = False
        if plan is not None and self.apm.screen is self._triage:
            self.apm.push_screen(BulkDialog(plan), lambda outcome: self._came(plan, outcome))

    async def _read(self, work: Callable[[Connection, LiveRow, int], T]) -> T | None:
        try:
            return await self.apm.bridge.read(work)
        except ApmError as error:
            self.apm.complain(str(error))
            return None

    async def note_marks(self) -> None:
        """Keep what the marked questions are at this moment: an answer is bound to that."""
        marked = self._triage.inbox.marked
        self._digests = {number: digest for number, digest in self._digests.items() if number in marked}
        new = [int(str(key)) for key in marked if key not in self._digests]
        if new:
            found = await self._read(lambda reader, *_: reads_triage.digests(reader, new))
            self._digests |= found or {}

    # What came of it

    def _came(self, plan: Plan, outcome: Outcome | None) -> None:
        if outcome is None:
            return
        left = (*(refusal.id for refusal in (*plan.refusals, *outcome.failed)), *outcome.left)
        self._triage.inbox.keep_marks(left)
        if outcome.done:
            self.apm.undo.push(undo_of(self.apm, plan.deed, outcome.done))
            stay = f" {len(left):,} stay marked." if left else ""
            self.apm.tell(f"{plural(len(outcome.done), 'question')} {plan.deed.done}.{stay} u takes it back.")
        if outcome.failed:
            self.apm.complain(f"Not {plan.deed.done}, and still marked: {in_short(outcome.failed)}.")


def undo_of(app: ApmApp, deed: Deed, done: Sequence[Done]) -> Undo:
    """Takes all of it back that can be, batch by batch; and says which could not."""

    async def run() -> None:
        taken, refused = await take_back(done, app.bridge.write)
        if taken:
            app.tell(f"{plural(taken, 'question')} {deed.undone}.")
        if refused:
            app.complain(f"{plural(len(refused), 'question')} could not be taken back: {in_short(refused)}.")

    def start() -> None:
        in_background(app, run(), group="writes")

    def begin(tx: Transaction) -> None:
        """Nothing is written in this transaction: thousands of questions would keep the writer for seconds."""
        app.call_later(start)

    takes_long = len(done) > BATCH
    return Undo(f"Taking back what was done to {plural(len(done), 'question')}." if takes_long else "", begin)
