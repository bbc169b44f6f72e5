"""A budget has no room: what was used of what, what the next call needs, what the work item cost; and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store.schema import Budget
from tests.app import money
from tests.app.asked import answers
from tests.app.driving import SMALL, WIDE, app_in, notices, opened, press, screen_text, settle
from tests.app.seeding import MINUTE, SeededWorkspace
from tui.questions import forms
from tui.screens.questions.answer_form import AnswerForm
from tui.screens.questions.decision import QuestionView
from tui.widgets.document import Document

ASKED = 8
KEYS = {".": "full_stop", "$": "dollar_sign", ",": "comma", " ": "space"}


@pytest.fixture
def spent(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = money.spending(tmp_path)
    made.at(2 * MINUTE, money.over)
    yield made
    made.close()


async def ask(pilot: Any) -> None:
    app_in(pilot).open_question(ASKED)
    await settle(pilot)


async def type_(pilot: Any, text: str) -> None:
    await press(pilot, *(KEYS.get(c, c) for c in text))


def lines(document: Document) -> list[str]:
    return ["".join(text for text, _ in (*p.line, *p.tail)).rstrip() for p in document.paragraphs]


def budgets_of(made: SeededWorkspace) -> list[tuple[Any, ...]]:
    query = Budget.select(Budget.scope, Budget.work_item, Budget.cost, Budget.tokens, Budget.by).order_by(Budget.id)
    return made.store.read_now(lambda r: r.rows(query))


async def test_it_tells_what_is_used_of_what_and_what_the_work_item_cost(spent: SeededWorkspace) -> None:
    async with opened(spent) as pilot:
        await ask(pilot)
        told = lines(pilot.app.screen.query_one(QuestionView))
    assert told[0] == "#7 Export reports as CSV"
    assert told[1].startswith("The work item's budget of $5.00 has no room for the next call of code-implementer")
    at = told.index("Measured")
    assert [" ".join(line.split()) for line in told[at + 1 : at + 7]] == [
        "the next call up to $0.62 code-implementer",
        "this delegation $0.38 of $3.00 ✓ 12 %",
        "48.9k of 5.0M tok ✓ 0 %",
        "the work item $4.71 of $5.00 ✗ no room, 94 %",
        "today (UTC) $4.71 of $50.00 ✓ 9 %",
        "the workspace $4.71, 456k tok · no limit",
    ]
    at = told.index("What work item 7 has cost so far")
    assert [" ".join(line.split()) for line in told[at + 1 :]] == [
        "D1 ac-writer 1 call 21.4k tok no price",
        "P1 decomposer 1 call 18.2k tok $0.07",
        "I1 code-implementer 7 calls 417k tok $4.64",
        "all 9 calls 456k tok $4.71+",
        "+ 1 call no price is known of",
    ]


async def test_the_inbox_tells_the_same(spent: SeededWorkspace) -> None:
    async with opened(spent) as pilot:
        await press(pilot, "t", "slash", *"budget", "enter")
        told = lines(pilot.app.screen.query_one("#preview", Document))
    assert any("✗ no room, 94 %" in line for line in told)
    assert any(line.startswith(" I1 code-implementer") for line in told)


@pytest.mark.parametrize(("key", "option", "left"), [("1", "allow", [(10.0, None)]), ("a", "allow", [(10.0, None)])])
async def test_one_key_allows_more(spent: SeededWorkspace, key: str, option: str, left: list[Any]) -> None:
    async with opened(spent, SMALL) as pilot:
        await ask(pilot)
        await press(pilot, key)
        assert [a.option for a in await answers(spent, ASKED)] == [option]
    assert [(cost, tokens) for _, _, cost, tokens, _ in budgets_of(spent)] == left


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_another_amount_is_typed_field_by_field_and_an_empty_one_keeps_what_holds(
    spent: SeededWorkspace, size: tuple[int, int]
) -> None:
    async with opened(spent, size) as pilot:
        await ask(pilot)
        await press(pilot, "2")
        assert "dollars  $5.00 now" in screen_text(pilot)
        assert "tokens  no limit now" in screen_text(pilot)
        await type_(pilot, "7.5")
        await press(pilot, "tab", "tab")
        await type_(pilot, "nearly done")
        await press(pilot, "f2")
        given = await answers(spent, ASKED)
    assert [(a.option, a.answer, a.reason) for a in given] == [("amount", {"limit": {"dollars": 7.5}}, "nearly done")]
    assert budgets_of(spent) == [("work_item", money.EXPORT, 7.5, None, "ada")]


@pytest.mark.parametrize(
    ("dollars", "tokens", "told", "field"),
    [
        ("", "", "Nothing is filled in yet.", "value-limit-dollars"),
        ("soon", "", "dollars: 'soon' is no number", "value-limit-dollars"),
        ("5", "1,500", "tokens: '1,500' may be 1500 or 1.500", "value-limit-tokens"),
    ],
)
async def test_a_fault_leads_to_the_amount_it_is_about(
    spent: SeededWorkspace, dollars: str, tokens: str, told: str, field: str
) -> None:
    async with opened(spent) as pilot:
        await ask(pilot)
        await press(pilot, "2")
        await type_(pilot, dollars)
        await press(pilot, "tab")
        await type_(pilot, tokens)
        await press(pilot, "tab", "x", "f2")
        assert told in screen_text(pilot)
        assert app_in(pilot).focused is pilot.app.screen.query_one(f"#{field}")


async def test_what_is_refused_can_be_mended_where_it_was_written(spent: SeededWorkspace) -> None:
    async with opened(spent) as pilot:
        await ask(pilot)
        await press(pilot, "2", "0", "tab", "tab", "x", "f2")
        assert "dollars must be above 0" in notices(pilot)[-1]
        await press(pilot, "2")
        assert isinstance(pilot.app.screen, AnswerForm)
        assert pilot.app.screen.by_value() == {"limit": "dollars: 0\ntokens: ", "reason": "x"}
        await press(pilot, "end", "backspace", "6", "f2")
    assert budgets_of(spent) == [("work_item", money.EXPORT, 6.0, None, "ada")]


@pytest.mark.parametrize(
    ("typed", "number"),
    [("$25", 25.0), ("2,5", 2.5), ("500k", 500_000.0), ("1.5M", 1_500_000.0), ("1,500,000", 1_500_000.0), ("2h", 2.0)],
)
def test_amounts_are_read_as_they_are_usually_written(typed: str, number: float) -> None:
    assert forms.read_values({"limit": "numbers"}, {"limit": f"tokens: {typed}"}) == {"limit": {"tokens": number}}
