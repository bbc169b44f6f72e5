"""What can be done to many questions at once: the same deeds as to one, each with what speaks against it."""

from __future__ import annotations

from collections.abc import Callable

from core.contract import Json, UsageError
from core.governance import life
from core.sanitise import one_line
from core.store import states
from core.store.rows import EscalationRow
from tui.questions import works as question_works
from tui.questions.bulk import Deed, Step
from tui.questions.works import Work

Judge = Callable[[EscalationRow, int], Step | str]


def accept(person: str) -> Deed:
    """Answer each with what is recommended there."""

    def judge(row: EscalationRow, now: int) -> Step | str:
        if row.recommended is None:
            return "nothing is recommended there: answer it with a number"
        return _answer(row, row.recommended)

    return _answering("Answer as recommended", judge, person)


def answer(key: str, label: str, person: str) -> Deed:
    """Answer each with the option of that key, where it is offered."""
    name = one_line(label, 60)

    def judge(row: EscalationRow, now: int) -> Step | str:
        if all(option["key"] != key for option in row.options):
            return f"no such answer there: {name}"
        return _answer(row, key)

    return _answering(f"Answer: {name}", judge, person)


def _answer(row: EscalationRow, key: str) -> Step | str:
    option = next(option for option in row.options if option["key"] == key)
    if option.get("asks"):
        return "takes values: fill it in by itself with e"
    recommended = key == row.recommended
    words = _words(option) + (" (recommended)" if recommended else "")
    return Step(row, words, key, needs_reason=not recommended)


def _words(option: Json) -> str:
    ends = ", which ends its work item" if option.get("ends") else ""
    return one_line(str(option["label"]), 60) + ends


def _answering(title: str, judge: Judge, person: str) -> Deed:
    def work(step: Step, reason: str) -> Work:
        why = reason if step.needs_reason else ""
        return question_works.answer_work(step.row, step.option, None, why, person)

    return Deed(title, "answered", judge, work, "open again")


def seen(person: str) -> Deed:
    """No reminders for half an hour."""
    words = "seen: no reminders for 30 minutes"
    return Deed(
        words.capitalize(),
        "seen",
        lambda row, now: Step(row, words),
        lambda step, _: question_works.acknowledge_work(step.row, person),
    )


def snooze(until: int, name: str, person: str) -> Deed:
    """Put away until a moment, in milliseconds since the epoch."""
    words = f"put away: {name}"
    return Deed(
        words.capitalize(),
        "put away",
        lambda row, now: Step(row, words),
        lambda step, _: question_works.snooze_work(step.row, until, person),
    )


def hand_over(to: str, note: str, person: str) -> Deed:
    name = one_line(to, 40)

    def judge(row: EscalationRow, now: int) -> Step | str:
        return f"{name} has it already" if row.assigned_to == to else Step(row, f"handed to {name}")

    return Deed(
        f"Hand over to {name}",
        f"handed to {name}",
        judge,
        lambda step, _: question_works.assign_work(step.row, to, note, person),
    )


def escalate(reason: str, person: str) -> Deed:
    """One urgency up."""

    def judge(row: EscalationRow, now: int) -> Step | str:
        rank = states.URGENCIES.index(row.urgency)
        if not rank:
            return "immediate already: hand it over, or answer it"
        return Step(row, f"{row.urgency.lower()} becomes {states.URGENCIES[rank - 1].lower()}")

    return Deed(
        "Press: one urgency up",
        "pressed",
        judge,
        lambda step, _: question_works.escalate_work(step.row, reason, person),
    )


def merge(into: EscalationRow, person: str) -> Deed:
    """The others wait for the answer to `into`."""

    def judge(row: EscalationRow, now: int) -> Step | str:
        try:
            life.check_alike(row, into)
        except UsageError as refusal:
            return str(refusal).removeprefix(f"Escalation {row.id} ").removesuffix(".")
        return Step(row, f"merged into question {into.id}, whose answer is theirs")

    return Deed(
        f"Merge into question {into.id}: {one_line(into.question, 40)}",
        f"merged into question {into.id}",
        judge,
        lambda step, _: question_works.merge_work([step.id], into.id, person),
        "questions of their own again",
    )
