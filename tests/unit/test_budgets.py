"""Budgets: reserved before a call is sent, settled after, raised by people alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.session import Allowance, OverBudget, Reservation, Usage
from core.contract import Json, UsageError
from core.governance import budgets, escalations, life
from core.governance.budget_questions import budget_question, set_budget
from core.governance.budgets import Amounts, Spender
from core.governance.clock import sweep
from core.orchestration import work_items
from core.store import reads, reads_escalations
from core.store.schema import Event
from core.store.store import Store
from core.store.transaction import MS_PER_DAY, Transaction
from tests.fresh import fresh_store

MORNING = 20_000 * MS_PER_DAY + 8 * 3_600_000
ADA = Spender(1, "D1", 1, "ac-writer")
BOB = Spender(2, "I1", 1, "code-implementer", "T1")
RULES: Json = {"day": {"dollars": 10.0, "tokens": None}, "work_item": {"dollars": 4.0, "tokens": 1_000}}
DAY: Json = {"day": RULES["day"]}


class Clock:
    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with fresh_store(tmp_path / "state", clock=clock) as opened:
        for _ in (ADA, BOB):
            opened.write_now(lambda tx: work_items.create(tx, title="x", body=""))
        yield opened


def reserve(
    store: Store, spender: Spender, dollars: float | None, tokens: int = 10, rules: Json = RULES
) -> Reservation:
    return store.write_now(lambda tx: budgets.reserve(tx, spender, rules, "anthropic", "m", tokens, dollars))


def settle(
    store: Store, spender: Spender, what: Reservation, dollars: float | None, tokens: int = 10, rules: Json = RULES
) -> None:
    usage = Usage(input=tokens, dollars=dollars)
    store.write_now(lambda tx: budgets.settle(tx, spender, rules, what, usage, "req_1"))


def left(store: Store, spender: Spender, rules: Json = RULES) -> Allowance:
    return store.read_now(lambda r: budgets.allowance(r, spender, rules, MORNING))


def ask(store: Store, spender: Spender, dollars: float = 5.0, tokens: int = 10, rules: Json = RULES) -> int:
    with pytest.raises(OverBudget) as over:
        reserve(store, spender, dollars, tokens, rules)
    question = budget_question(str(over.value), over.value.budget, ("master-orchestrator",), MORNING)
    return store.write_now(lambda tx: escalations.raise_question(tx, question))


def answer(store: Store, number: int, option: str, **more: Any) -> None:
    store.write_now(lambda tx: escalations.resolve(tx, number, option=option, by="ada", reason="it pays", **more))


def limit_of(store: Store, scope: str, spender: Spender, rules: Json = RULES, moment: int = MORNING) -> budgets.Limit:
    return store.read_now(lambda r: budgets.limit_of(r, scope, spender, moment, rules))


def undo(store: Store, number: int, by: str = "ada") -> None:
    store.write_now(lambda tx: life.undo(tx, number, by=by, reason="too much"))


def is_open(store: Store, number: int) -> bool:
    return number in [row.id for row in store.read_now(reads_escalations.escalations)]


def kinds(store: Store) -> list[str]:
    return [kind for (kind,) in store.read_now(lambda r: r.rows(Event.select(Event.kind).order_by(Event.seq)))]


def test_a_call_takes_the_most_it_can_cost_and_gives_back_what_it_did_not_use(store: Store) -> None:
    held = reserve(store, ADA, 3.0, 900)
    assert left(store, ADA) == Allowance(100, 1.0)

    settle(store, ADA, held, 0.5, 200)

    assert left(store, ADA) == Allowance(800, 3.5)


def test_what_has_no_room_is_refused_by_the_narrowest_budget_and_nothing_is_written(store: Store) -> None:
    settle(store, ADA, reserve(store, ADA, 3.0), 0.5, 200)
    reserve(store, ADA, 2.0)
    before = kinds(store)

    says = (
        r"The work item's budget of \$4\.00 has no room .* \$0\.50 used and \$2\.00 held by calls that have not ended, "
    )
    with pytest.raises(OverBudget, match=says + r"up to \$2\.00 needed"):
        reserve(store, ADA, 2.0)

    assert kinds(store) == before


def test_tokens_hold_a_model_that_has_no_price(store: Store) -> None:
    reserve(store, ADA, None, 990)

    with pytest.raises(OverBudget, match="of 1,000 tokens has no room"):
        reserve(store, ADA, None, 11)


def test_calls_of_several_work_items_share_the_day(store: Store) -> None:
    for spender, dollars in ((ADA, 4.0), (BOB, 4.0)):
        reserve(store, spender, dollars)

    with pytest.raises(OverBudget, match="Today's budget"):
        reserve(store, Spender(9, "D1", 1, "ac-writer"), 3.0)


def test_a_day_ends_at_midnight(store: Store, clock: Clock) -> None:
    settle(store, ADA, reserve(store, ADA, 4.0), 4.0)
    settle(store, BOB, reserve(store, BOB, 4.0), 4.0)
    clock.now += MS_PER_DAY

    reserve(store, Spender(9, "D1", 1, "ac-writer"), 4.0)


def test_what_a_clock_ahead_has_used_counts_on_that_day_and_on_no_day_before(store: Store, clock: Clock) -> None:
    day = 30 * MS_PER_DAY
    clock.now += day
    settle(store, ADA, reserve(store, ADA, 3.0), 3.0)
    reserve(store, BOB, 2.0)
    clock.now -= day

    used = {d: used_on(store, MORNING + d * MS_PER_DAY) for d in (-1, 0, 1, 29, 30, 31)}

    assert used == {-1: 0.0, 0: 0.0, 1: 0.0, 29: 0.0, 30: 5.0, 31: 0.0}
    assert left(store, Spender(9, "D1", 1, "ac-writer")).dollars == 4.0
    assert left(store, ADA).dollars == 1.0
    spent = store.read_now(lambda r: budgets.spent(r, "workspace", ADA, MORNING))
    assert (spent.dollars, spent.calls) == (5.0, 2)


def used_on(store: Store, moment: int) -> float:
    return store.read_now(lambda r: budgets.spent(r, "day", ADA, moment)).dollars


def test_a_word_for_the_day_by_a_clock_ahead_holds_on_that_day_alone(store: Store, clock: Clock) -> None:
    clock.now += 30 * MS_PER_DAY
    store.write_now(lambda tx: set_budget(tx, "day", Amounts(500.0, None), by="ada", reason="today only"))
    clock.now -= 30 * MS_PER_DAY

    assert [limit_on(store, MORNING + d * MS_PER_DAY) for d in (0, 29, 30, 31)] == [10.0, 10.0, 500.0, 10.0]
    store.write_now(lambda tx: set_budget(tx, "day", Amounts(20.0, None), by="ada", reason="today only"))
    assert [limit_on(store, MORNING + d * MS_PER_DAY) for d in (0, 1, 30)] == [20.0, 10.0, 500.0]


def limit_on(store: Store, moment: int) -> float | None:
    return limit_of(store, "day", ADA, moment=moment).dollars


@given(calls=st.lists(st.tuples(st.integers(1, 3), st.floats(0.01, 3.0), st.floats(0.0, 1.0)), max_size=40))
def test_no_order_of_calls_side_by_side_overshoots(tmp_path_factory: pytest.TempPathFactory, calls: Any) -> None:
    """Each entry reserves for a work item; the share says how much of an earlier open one is used when it ends."""
    with fresh_store(tmp_path_factory.mktemp("s") / "state", clock=Clock()) as store:
        running: list[tuple[Spender, Reservation]] = []
        for item, dollars, share in calls:
            spender = Spender(item, "D1", 1, "ac-writer")
            try:
                running.append((spender, reserve(store, spender, dollars, 1)))
            except OverBudget:
                if running:
                    who, held = running.pop(0)
                    settle(store, who, held, (held.dollars or 0) * share, 1)
            for who in [s for s, _ in running]:
                used = store.read_now(lambda r, who=who: budgets.spent(r, "work_item", who, MORNING))  # type: ignore[misc]
                assert used.dollars <= 4.0 + 1e-9
            assert store.read_now(lambda r: budgets.spent(r, "day", ADA, MORNING)).dollars <= 10.0 + 1e-9


def test_a_call_that_nobody_saw_end_counts_as_its_most(store: Store) -> None:
    reserve(store, ADA, 3.0, 500)

    assert store.write_now(budgets.lose_open) == 1

    used = store.read_now(lambda r: budgets.spent(r, "work_item", ADA, MORNING))
    assert (used.dollars, used.tokens, used.settled_dollars, used.lost) == (3.0, 500, 0.0, 1)
    assert store.write_now(budgets.lose_open) == 0


def test_people_are_told_once_when_most_of_it_is_used(store: Store) -> None:
    for dollars in (3.0, 0.3, 0.2):
        settle(store, ADA, reserve(store, ADA, dollars), dollars)

    assert kinds(store).count("budget.warned") == 1


def test_a_call_of_yesterday_that_ends_today_tells_nobody_again_about_today_s_budget(
    store: Store, clock: Clock
) -> None:
    of_yesterday = reserve(store, BOB, 1.0, rules=DAY)
    clock.now += MS_PER_DAY
    settle(store, ADA, reserve(store, ADA, 8.5, rules=DAY), 8.5, rules=DAY)

    settle(store, BOB, of_yesterday, 1.0, rules=DAY)

    assert kinds(store).count("budget.warned") == 1


@pytest.mark.parametrize(
    ("option", "more", "expected"),
    [
        ("allow", {}, Amounts(8.0, 1_000)),
        ("amount", {"answer": {"limit": {"dollars": 6.5, "tokens": 5_000}}}, Amounts(6.5, 5_000)),
        ("uncapped", {}, Amounts(None, None)),
    ],
)
def test_an_answer_allows_what_it_says(store: Store, option: str, more: Any, expected: Amounts) -> None:
    number = ask(store, ADA)

    answer(store, number, option, **more)

    limit = limit_of(store, "work_item", ADA)
    assert (limit.amounts, limit.by) == (expected, "ada")


def test_allowing_more_is_always_enough_for_the_call_that_waits(store: Store) -> None:
    number = ask(store, ADA, dollars=9.5)

    answer(store, number, "allow")

    reserve(store, ADA, 9.5)


def test_another_work_item_keeps_its_own_limit(store: Store) -> None:
    answer(store, ask(store, ADA), "allow")

    with pytest.raises(OverBudget):
        reserve(store, BOB, 5.0)


@pytest.mark.parametrize("limit", [{}, {"dollars": 0}, {"tokens": -1}, {"euros": 3}])
def test_an_amount_that_is_none_is_refused(store: Store, limit: Json) -> None:
    number = ask(store, ADA)

    with pytest.raises(UsageError):
        answer(store, number, "amount", answer={"limit": limit})

    assert is_open(store, number)


def test_an_undone_answer_puts_the_limit_back(store: Store) -> None:
    number = ask(store, ADA)
    answer(store, number, "uncapped")

    undo(store, number)

    assert limit_of(store, "work_item", ADA).amounts == (4.0, 1_000)
    assert is_open(store, number)


def test_dollars_and_tokens_of_one_budget_are_allowed_and_undone_each_by_itself(store: Store) -> None:
    dollars, tokens = ask(store, ADA, 5.0), ask(store, ADA, 1.0, tokens=1_500)
    with pytest.raises(UsageError, match="about another budget"):
        store.write_now(lambda tx: life.merge(tx, [tokens], into=dollars, by="ada"))
    for number in (dollars, tokens):
        answer(store, number, "allow")
    assert limit_of(store, "work_item", ADA).amounts == (8.0, 2_000)

    undo(store, tokens)

    assert limit_of(store, "work_item", ADA).amounts == (8.0, 1_000)


@pytest.mark.parametrize(("leading", "limit"), [(0, 20.0), (1, 31.0)])
def test_one_answer_to_merged_questions_allows_what_was_shown_and_no_more(
    store: Store, leading: int, limit: float
) -> None:
    asked = [ask(store, ADA, 11.0, rules=DAY), ask(store, BOB, 31.0, rules=DAY)]
    store.write_now(lambda tx: life.merge(tx, [asked[1 - leading]], into=asked[leading], by="ada"))
    answer(store, asked[leading], "allow")
    found = limit_of(store, "day", ADA, DAY)
    assert (found.dollars, found.by) == (limit, "ada")


def test_a_question_about_another_budget_is_not_merged(store: Store) -> None:
    first, other = ask(store, ADA, 5.0), ask(store, BOB, 11.0, rules={"workspace": {"dollars": 10.0, "tokens": None}})
    with pytest.raises(UsageError, match=f"Escalation {other} is about another budget than {first}"):
        store.write_now(lambda tx: life.merge(tx, [other], into=first, by="ada"))


@pytest.mark.parametrize("option", ["allow", "uncapped"])
def test_an_answer_about_a_day_that_nobody_saw_end_allows_nothing_on_the_next(
    store: Store, clock: Clock, option: str
) -> None:
    number = ask(store, ADA, 11.0, rules=DAY)
    clock.now += MS_PER_DAY
    answer(store, number, option)
    found = limit_of(store, "day", ADA, DAY, moment=clock.now)
    assert (found.dollars, found.by) == (10.0, "agents.yaml")


def test_an_answer_that_is_given_and_undone_again_puts_the_limit_back_again(store: Store, clock: Clock) -> None:
    number = ask(store, ADA)
    for option in ("uncapped", "stop", "allow"):
        clock.now += 1_000
        answer(store, number, option)
        clock.now += 1_000
        undo(store, number)

    assert limit_of(store, "work_item", ADA).amounts == (4.0, 1_000)


def test_an_answer_is_not_undone_when_a_person_has_set_the_budget_since(store: Store) -> None:
    number = ask(store, ADA)
    answer(store, number, "allow")
    store.write_now(lambda tx: set_budget(tx, "work_item", Amounts(50.0, None), by="bob", reason="more", work_item=1))

    with pytest.raises(UsageError, match="set anew"):
        undo(store, number)

    assert limit_of(store, "work_item", ADA).dollars == 50.0


def test_an_answer_about_one_delegation_is_undone_whatever_was_answered_about_the_one_beside_it(store: Store) -> None:
    rules: Json = {"delegation": {"dollars": 4.0, "tokens": None}}
    first, other = (Spender(1, "D1", 1, agent) for agent in ("value-articulator", "risk-notary"))
    asked = [ask(store, spender, rules=rules) for spender in (first, other)]
    for number in asked:
        answer(store, number, "uncapped")

    undo(store, asked[0])

    assert [limit_of(store, "delegation", spender, rules).dollars for spender in (first, other)] == [4.0, None]


def test_one_answer_to_merged_questions_about_the_day_is_undone_as_one(store: Store) -> None:
    first, other = (ask(store, spender, 11.0, rules=DAY) for spender in (ADA, BOB))
    store.write_now(lambda tx: life.merge(tx, [other], into=first, by="ada"))
    answer(store, first, "allow")
    assert limit_on(store, MORNING) == 20.0

    undo(store, first)

    assert limit_on(store, MORNING) == 10.0
    assert is_open(store, first)


def test_an_answer_about_a_day_that_is_over_is_undone_without_a_limit_for_today(store: Store, clock: Clock) -> None:
    number = ask(store, ADA, 11.0, rules=DAY)
    answer(store, number, "allow")
    clock.now += MS_PER_DAY

    undo(store, number, by="bob")

    limit = limit_of(store, "day", ADA, moment=clock.now)
    assert (limit.dollars, limit.by) == (10.0, "agents.yaml")


def test_a_question_about_the_day_ends_with_it_and_allows_nothing_on_the_next(store: Store, clock: Clock) -> None:
    def ask(tx: Transaction) -> int:
        with pytest.raises(OverBudget) as over:
            budgets.reserve(tx, ADA, {"day": {"dollars": 10.0}}, "anthropic", "m", 10, 11.0)
        return escalations.raise_question(tx, budget_question(str(over.value), over.value.budget, ("x",), tx.now))

    number = store.write_now(ask)
    clock.now = MORNING - MORNING % MS_PER_DAY + MS_PER_DAY
    store.write_now(sweep)

    found = store.read_now(lambda r: reads.escalation(r, number))
    assert found is not None
    assert found.resolved_at == clock.now
    store.write_now(lambda tx: escalations.resolve(tx, number, option="allow", by="ada"))
    given = store.read_now(lambda r: reads_escalations.answers(r, number))
    assert [(a.option, a.by, a.late) for a in given] == [("again", "time-out", False), ("allow", "ada", True)]
    limit = limit_of(store, "day", ADA, moment=clock.now)
    assert (limit.dollars, limit.by) == (10.0, "agents.yaml")


def test_one_answer_about_the_day_serves_all_who_asked(store: Store) -> None:
    asked = [ask(store, spender, 11.0, rules=DAY) for spender in (ADA, BOB)]

    answer(store, asked[0], "allow")

    assert not any(is_open(store, number) for number in asked)


def test_looking_again_at_the_day_serves_nobody_else(store: Store) -> None:
    asked = [ask(store, spender, 11.0, rules=DAY) for spender in (ADA, BOB)]

    answer(store, asked[0], "again")

    assert is_open(store, asked[1])


def test_a_persons_word_beside_a_question_closes_it(store: Store) -> None:
    number = ask(store, ADA)

    store.write_now(
        lambda tx: set_budget(tx, "work_item", Amounts(50.0, None), by="ada", reason="it pays", work_item=1)
    )

    assert not is_open(store, number)
    reserve(store, ADA, 20.0, rules={**RULES, "day": {}})


def test_a_file_cannot_sign_for_a_budget(store: Store) -> None:
    with pytest.raises(UsageError):
        store.write_now(lambda tx: set_budget(tx, "day", Amounts(50.0, None), by="agents.yaml", reason="more"))


def test_the_question_says_what_each_answer_leads_to(store: Store) -> None:
    number = ask(store, ADA)

    row = store.read_now(lambda r: reads.escalation(r, number))

    assert row is not None
    assert row.options[0]["label"] == "Allow up to $8.00"
    assert row.blocks == "D1"
    assert row.options[-1]["ends"]


@pytest.mark.parametrize(("cap", "needed"), [(3.0, 0.5), (0.5, 3.0)])
def test_going_on_needs_as_much_again_as_the_cap_of_who_counts_for_itself(
    store: Store, clock: Clock, cap: float, needed: float
) -> None:
    found = {"unit": "dollars", "limit": cap, "needed": needed}

    told = store.read_now(lambda r: budgets.exhausted(r, ADA, RULES, clock.now, found))

    assert (told["scope"], told["needed"]) == ("work_item", 3.0)
