"""Many questions, and texts that are meant to harm: they stay few, small, clean and quick to list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import UsageError, canonical_json
from core.governance import clock, escalations, life, shown
from core.governance.escalations import Option
from core.store import reads_escalations
from core.store.reads_escalations import SECTIONS, Asked
from core.store.store import Reader
from core.store.transaction import Transaction
from tests.unit.escalation_place import HOUR, Place, question

HARM = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202eevil\u2066\u200b\x9b31m[bold red]<b>&amp;\x00"
FORBIDDEN = ("\x1b", "\x9b", "\x00", "\x07", "\u202e", "\u2066", "\u200b")
LONG = 10_000_000


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.store.close()


def hostile(**changes: Any) -> dict[str, Any]:
    return {
        "question": HARM,
        "missing": (HARM, HARM * 200),
        "details": {HARM: [HARM, {"deep": HARM}], "findings": [HARM]},
        "options": (Option("go", HARM, HARM), Option("stop", HARM * 200, HARM, ends=True)),
        "chain": (HARM,),
        **changes,
    }


def kept(place: Place, number: int) -> str:
    """All columns of the question as they stand in the database."""
    return repr(place.read(lambda r: r.sql("SELECT * FROM escalations WHERE id = ?", (number,))))


def test_the_same_question_ten_thousand_times_is_one_row(place: Place) -> None:
    def many(tx: Transaction) -> set[int]:
        return {escalations.raise_question(tx, question()) for _ in range(1_000)}

    numbers = {n for _ in range(10) for n in place.write(many)}

    assert numbers == {1}
    assert place.read(lambda r: r.sql("SELECT COUNT(*), MAX(count) FROM escalations")) == [(1, 10_000)]


def plans(reader: Reader, asked: Asked, **window: Any) -> list[str]:
    """How the database goes about each query of a page."""
    found: list[str] = []

    class Explained:
        def rows(self, query: Any) -> list[tuple[Any, ...]]:
            text, parameters = query.sql()
            found.append(" | ".join(str(row[3]) for row in reader.sql(f"EXPLAIN QUERY PLAN {text}", parameters)))
            return reader.rows(query)

    reads_escalations.page(Explained(), asked, **window)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("section", [None, *SECTIONS])
def test_a_page_walks_an_index_and_sorts_nothing(place: Place, section: str | None) -> None:
    def many(tx: Transaction) -> None:
        for n in range(300):
            urgency = ("IMMEDIATE", "DAILY", "WEEKLY")[n % 3]
            escalations.raise_question(tx, question(subject={"n": n}, urgency=urgency))

    place.write(many)
    after = place.row(150)

    found = place.read(lambda r: plans(r, Asked(section, place.clock.now), limit=500))
    found += place.read(lambda r: plans(r, Asked(section, place.clock.now), limit=50, after=after))

    assert len(found) >= 4
    assert all("USING INDEX" in plan and "TEMP B-TREE" not in plan and "SCAN" not in plan for plan in found), found


def test_the_next_moment_is_found_by_its_index(place: Place) -> None:
    found: list[str] = []

    class Explained:
        def __init__(self, reader: Reader) -> None:
            self.reader = reader

        def one(self, query: Any) -> None:
            text, parameters = query.sql()
            found.extend(str(row[3]) for row in self.reader.sql(f"EXPLAIN QUERY PLAN {text}", parameters))

    place.read(lambda r: clock.next_moment(Explained(r)))  # type: ignore[arg-type]

    assert len(found) == 1
    assert "INDEX escalation_next_at" in found[0]


def test_pages_one_after_the_other_are_the_whole_list(place: Place) -> None:
    for n in range(40):
        place.ask(n, urgency=("IMMEDIATE", "DAILY", "WEEKLY")[n % 3])
        place.later(HOUR if n % 4 == 0 else 0)
    whole = place.read(lambda r: reads_escalations.page(r))

    found: list[int] = []
    after = None
    while page := place.read(lambda r, a=after: reads_escalations.page(r, limit=7, after=a)):  # type: ignore[misc]
        found += [row.id for row in page]
        after = page[-1]

    assert found == [row.id for row in whole]
    assert len(found) == 40


def test_a_hostile_question_is_kept_clean_and_its_words_stay(place: Place) -> None:
    number = place.ask(1, **hostile())

    assert not [mark for mark in FORBIDDEN if mark in json.loads(json.dumps(kept(place, number)))]
    assert "\\x1b" not in kept(place, number)
    assert "\\u202e" not in kept(place, number)
    assert place.row(number).question == "evil[bold red]<b>&amp;"


def test_ten_megabytes_become_a_bounded_row_that_says_it_was_cut(place: Place) -> None:
    text = HARM * (LONG // len(HARM))
    number = place.ask(
        1, question=text, missing=[text] * 3, details={"log": text, "lines": [text[:5_000]] * 2_000}, chain=[text]
    )

    row = place.row(number)
    assert len(row.question) <= shown.MOST_QUESTION
    assert "cut" in row.question
    assert len(canonical_json(row.details)) < 2 * shown.MOST_ALL
    assert "more" in row.details["lines"][-1]
    assert all(len(entry) <= shown.MOST_LINE for entry in row.missing)


def test_what_would_be_taken_on_expiry_is_kept_however_long_the_rest(place: Place) -> None:
    details = {str(n): "x" * shown.MOST_TEXT for n in range(30)}
    number = place.ask(1, details=details, blocks="D1", expires_within_ms=HOUR, on_expiry="wait")
    place.later(HOUR)
    place.sweep()

    assert place.answers(number)[0].option == "wait"


def test_an_answer_is_bound_to_a_hostile_question_as_to_any_other(place: Place) -> None:
    number = place.ask(1, **hostile())
    before = place.row(number).payload_digest
    place.ask(1, **hostile(question=f"{HARM} more"))

    with pytest.raises(UsageError) as refused:
        place.answer(number, shown_digest=before)
    assert not [mark for mark in FORBIDDEN if mark in str(refused.value)]
    assert "question was evil[bold red]<b>&amp;, is evil[bold red]<b>&amp; more" in str(refused.value)

    place.answer(number, shown_digest=place.row(number).payload_digest)
    assert place.state(number) == "resolved"


def test_only_what_a_reader_can_see_tells_two_payloads_apart(place: Place) -> None:
    number = place.ask(1, question="Go on?")
    digest = place.row(number).payload_digest
    place.ask(1, question="Go\u200b on\x1b[1m?")

    assert place.row(number).payload_digest == digest


@pytest.mark.parametrize("words", ["", "%", "_", "0" * 64, "'; DROP TABLE escalations; --"])
def test_a_digest_that_is_none_is_refused(place: Place, words: str) -> None:
    number = place.ask()

    with pytest.raises(UsageError, match="never shown as that digest says"):
        place.answer(number, shown_digest=words)


def test_what_people_say_is_cleaned_and_bounded_too(place: Place) -> None:
    number = place.ask()
    place.write(lambda tx: life.assign(tx, number, to="gra\x1b[2Jce", by="a\u202eda", note=HARM))
    place.answer(number, reason=HARM * 100)
    place.write(lambda tx: life.undo(tx, number, by="ada", reason=HARM))

    given = place.answers(number)[0]
    said = [place.row(number).assigned_to, place.row(number).note, given.reason, given.undo_reason]
    assert not [(mark, text) for mark in FORBIDDEN for text in said if mark in (text or "")]
    assert "\x1b" not in json.dumps(place.events(number), ensure_ascii=False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=3), st.dictionaries(st.text(), json_values))
def test_a_payload_can_be_kept_and_is_the_same_when_it_is_made_again(
    text: str, missing: list[str], details: dict[str, Any]
) -> None:
    asked = question(question=text, missing=tuple(missing), details=details)
    again = question(question=text, missing=tuple(missing), details=details)

    kept_text = canonical_json(asked.payload)

    assert asked.payload_digest == again.payload_digest
    assert json.loads(kept_text.encode("utf-8")) == asked.payload
    assert not [mark for mark in FORBIDDEN if mark in kept_text]
