"""Asking back: the thread of a question, its silence meanwhile, and who hears of it when they run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError, failed, succeeded
from core.governance import asking, escalations
from core.governance.asking import Said
from core.runtimes.models.material import request_told
from core.store import reads_escalations
from tests.unit.command_line import CommandLine
from tests.unit.engine_run import Run
from tests.unit.escalation_place import DAY, HOUR, MINUTE, START, Place
from tests.unit.scripted import OUTPUTS, Scripted
from tests.unit.test_cli_escalation_life import question as asked_question


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


def ask_back(place: Place, number: int, text: str = "How long?", by: str = "ada") -> int:
    return place.write(lambda tx: asking.ask_back(tx, number, text, by=by))


def reply(place: Place, number: int, text: str = "A week.", **given: Any) -> int:
    return place.write(lambda tx: asking.reply(tx, number, text, **{"by": "grace", **given}))


def thread(place: Place, number: int) -> tuple[Said, ...]:
    row = place.row(number)
    return place.read(lambda r: asking.thread(r, row))


def test_what_was_asked_and_replied_stands_in_its_order_with_who_and_when(place: Place) -> None:
    number = place.ask()
    ask_back(place, number)
    place.later(HOUR)
    reply(place, number)
    ask_back(place, number, "And then?", by="linus")

    said = [(s.what, s.text, s.by, s.at) for s in thread(place, number)]
    assert said == [
        ("question", "How long?", "ada", START),
        ("reply", "A week.", "grace", START + HOUR),
        ("question", "And then?", "linus", START + HOUR),
    ]
    assert asking.open_ask(thread(place, number)) is not None


def test_until_there_is_a_reply_it_needs_nobody_and_stays_due(place: Place) -> None:
    number = place.ask()
    ask_back(place, number)
    assert (place.state(number), place.row(number).due_at) == ("acknowledged", START + DAY)
    assert place.row(number).acknowledged_until == START + DAY

    reply(place, number)
    assert place.state(number) == "open"


@pytest.mark.parametrize(
    ("urgency", "waits"),
    [("IMMEDIATE", HOUR), ("DAILY", DAY), ("WEEKLY", 7 * DAY)],
)
def test_the_silence_ends_when_it_is_due_or_after_a_week(place: Place, urgency: str, waits: int) -> None:
    number = place.ask(urgency=urgency)
    ask_back(place, number)
    place.later(waits - 1)
    place.sweep()
    assert place.state(number) == "acknowledged"
    place.later(1)
    place.sweep()
    assert place.state(number) == "open"


def test_what_is_overdue_already_waits_for_half_an_hour(place: Place) -> None:
    number = place.ask(urgency="IMMEDIATE")
    place.later(2 * HOUR)
    ask_back(place, number)
    assert place.row(number).acknowledged_until == place.clock.now + 30 * MINUTE


def test_one_question_at_a_time(place: Place) -> None:
    number = place.ask()
    ask_back(place, number)
    with pytest.raises(UsageError, match="ada has asked 'How long\\?' and has no reply yet"):
        ask_back(place, number, "Really?")


@pytest.mark.parametrize("text", ["", "  \n", "\x1b[2J"])
def test_nothing_is_neither_a_question_nor_a_reply(place: Place, text: str) -> None:
    number = place.ask()
    with pytest.raises(UsageError, match="say what you want to know"):
        ask_back(place, number, text)
    ask_back(place, number)
    with pytest.raises(UsageError, match="an empty reply"):
        reply(place, number, text)


def test_a_reply_needs_something_that_was_asked(place: Place) -> None:
    number = place.ask()
    with pytest.raises(UsageError, match="nothing was asked"):
        reply(place, number)


def test_only_a_person_asks_and_an_answered_question_is_asked_nothing(place: Place) -> None:
    number = place.ask()
    with pytest.raises(UsageError, match="is how apm signs"):
        ask_back(place, number, by="rule")
    place.answer(number)
    with pytest.raises(UsageError, match="is resolved"):
        ask_back(place, number)


def test_an_agents_reply_is_told_as_one(place: Place) -> None:
    number = place.ask()
    ask_back(place, number)
    reply(place, number, by="definition-orch", provenance="agent")
    last = thread(place, number)[-1]
    assert (last.by, last.provenance) == ("definition-orch", "agent")


def test_what_was_asked_can_be_taken_back_until_somebody_replies(place: Place) -> None:
    number = place.ask()
    before = place.row(number)
    asked = ask_back(place, number)
    after = place.row(number)

    place.write(lambda tx: asking.unask(tx, before, after, asked=asked, by="ada"))
    assert (thread(place, number), place.state(number)) == ((), "open")

    asked = ask_back(place, number)
    after = place.row(number)
    reply(place, number)
    with pytest.raises(UsageError, match="there is a reply to that already"):
        place.write(lambda tx: asking.unask(tx, before, after, asked=asked, by="ada"))


def test_each_question_has_its_own_thread_whatever_else_happened(place: Place) -> None:
    numbers = [place.ask(n) for n in range(1, 13)]
    place.later(2 * DAY)
    for number in numbers:
        ask_back(place, number, f"about {number}?")
    assert [[s.text for s in thread(place, n)] for n in numbers] == [[f"about {n}?"] for n in numbers]


def test_text_is_cleaned_and_bounded(place: Place) -> None:
    number = place.ask()
    ask_back(place, number, "why\x1b]52;c;ZXZpbA==\x07 now?" + "x" * 10_000)
    [said] = thread(place, number)
    assert said.text.startswith("why now?x")
    assert len(said.text) == asking.MOST_TEXT


class TestThePipeline:
    async def test_whoever_writes_code_hears_what_was_asked_about_its_failure(self, run: Run) -> None:
        """The second try gets the thread of the question that the first one led to."""
        tries: list[Any] = []
        told: list[str] = []

        def implement(request: Any) -> Any:
            tries.append(request.context.get("asked_back"))
            told.append(request_told(request, ""))
            if len(tries) == 1:
                return failed("code-implementer", "the schema is not mine to change")
            return succeeded("code-implementer", OUTPUTS["code-implementer"])

        await run.add(until="I1", title="add auth")
        await run.start(Scripted(code_implementer=implement))
        await run.settle()
        [asked] = await run.questions()
        await run.do(lambda tx, number: asking.ask_back(tx, number, "Which table?", by="ada"), asked.id)
        await run.do(lambda tx, number: asking.reply(tx, number, "users", by="grace"), asked.id)
        await run.answer("retry")
        await run.settle()

        assert tries[0] is None
        [talked] = tries[1]
        assert [(s["what"], s["text"], s["by"]) for s in talked["thread"]] == [
            ("question", "Which table?", "ada"),
            ("reply", "users", "grace"),
        ]
        person = told[1].split("<person-")[1].split("</person-")[0]
        assert "Which table?" in person
        assert "the schema is not mine to change" in told[1]
        assert "the schema is not mine" not in person, "what an agent wrote is not among a person's words"


class TestTheCommandLine:
    @pytest.fixture
    def line(self, line: CommandLine) -> CommandLine:
        line.write(lambda tx: escalations.raise_question(tx, asked_question()))
        return line

    def test_ask_and_reply_are_shown_with_the_question(self, line: CommandLine) -> None:
        asked = line("escalation", "ask", "1", "How long?", "--by", "ada")
        assert "silent until there is a reply" in asked.out
        shown = line("escalation", "show", "1")
        assert "ada asked at" in shown.out
        assert "How long?" in shown.out
        assert "Nobody has replied yet." in shown.out

        line("escalation", "reply", "1", "A week.", "--by", "grace")
        found = line("escalation", "show", "1", "--json").json
        assert found["status"] == "open"
        assert [(s["what"], s["text"], s["by"], s["provenance"]) for s in found["thread"]] == [
            ("question", "How long?", "ada", "human"),
            ("reply", "A week.", "grace", "human"),
        ]

    def test_a_question_that_nobody_asked_about_has_an_empty_thread(self, line: CommandLine) -> None:
        assert line("escalation", "show", "1", "--json").json["thread"] == []

    def test_refusals_are_one_sentence_and_change_nothing(self, line: CommandLine) -> None:
        refused = line("escalation", "reply", "1", "A week.", "--by", "grace")
        assert refused.code == 2
        assert "nothing was asked that waits for a reply" in refused.err


def test_a_thread_does_not_count_as_an_answer(place: Place) -> None:
    number = place.ask()
    ask_back(place, number)
    reply(place, number)
    assert place.read(lambda r: reads_escalations.answers(r, number)) == ()
