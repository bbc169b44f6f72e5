"""What archived work has cost: its calls go with it, and every budget and sum over time counts what it did before."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agents.session import OverBudget, Usage
from core.governance import budgets
from core.governance.budgets import Spender
from core.governance.escalations import Option, Question, raise_question
from core.orchestration import work_items
from core.store import reads
from core.store.archiving import archive_some
from core.store.audit import verify
from core.store.replay import replay
from core.store.store import Store
from core.store.transaction import Transaction
from tests.fresh import fresh_store, fresh_workspace
from tests.unit.command_line import CommandLine
from tui.screens.questions.budget_text import spending_of

DAY_MS = 86_400_000
NOW = 20_000 * DAY_MS + 3_600_000
RULES = {"workspace": {"dollars": 1.0, "tokens": None}}


class Clock:
    """Stands still at `now`."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def a_call(tx: Transaction, work_item: int, how: str, dollars: float = 0.25) -> None:
    """One that was paid, whose model has no price, or whose end nobody saw."""
    spender = Spender(work_item, "D1", 1, "ac-writer")
    held = budgets.reserve(tx, spender, {}, "anthropic", "m", 100, None if how == "unpriced" else dollars)
    if how == "lost":
        budgets.lose_open(tx)
    else:
        budgets.settle(tx, spender, {}, held, Usage(input=30, dollars=None if how == "unpriced" else dollars))


def create(store: Store) -> int:
    return store.write_now(lambda tx: work_items.create(tx, title="x", body=""))


def end(store: Store, number: int) -> None:
    store.write_now(lambda tx: work_items.cancel(tx, number, "ada"))


def close_the_table(store: Store) -> None:
    """The newest rows of all tables, which stay, are those of work that goes on."""
    store.write_now(lambda tx: a_call(tx, create_in(tx), "paid"))


def create_in(tx: Transaction) -> int:
    return work_items.create(tx, title="goes on", body="")


def counted(store: Store, moments: tuple[int, ...] = (NOW,)) -> list[tuple[float, ...]]:
    """What the day of each moment and the workspace have used; a sum in another order differs in its last digit."""

    def read(scope: str, moment: int) -> tuple[float, ...]:
        found = store.read_now(lambda r: budgets.spent(r, scope, Spender(0, "", 0, ""), moment))
        return tuple(round(value, 6) for value in found)

    return [read(scope, moment) for scope in ("day", "workspace") for moment in moments]


def check_whole(store: Store) -> None:
    assert store.read_now(lambda r: verify(r, store.key)).faults == ()
    found = store.read_now(lambda r: replay(r, store.key, store.path.parent))
    assert [t for t in found.tables if not t.is_equal] == []


def calls_in(database: Path) -> int:
    with closing(sqlite3.connect(database)) as file:
        return int(file.execute("SELECT COUNT(*) FROM spend").fetchone()[0])


@settings(max_examples=15, deadline=None)
@given(
    work=st.lists(
        st.lists(st.tuples(st.sampled_from(("paid", "unpriced", "lost")), st.integers(0, 3)), max_size=4),
        min_size=1,
        max_size=5,
    ),
    steps=st.integers(1, 2),
)
def test_budgets_count_what_they_did_whatever_is_archived(
    tmp_path_factory: pytest.TempPathFactory, work: list[list[tuple[str, int]]], steps: int
) -> None:
    """In one go or in two, calls of four days, counted as of each of these."""
    clock = Clock()
    days = tuple(NOW - back * DAY_MS for back in range(4))
    with fresh_store(tmp_path_factory.mktemp("state"), clock=clock) as store:
        for calls in work:
            number = create(store)
            for how, back in calls:
                clock.now = NOW - back * DAY_MS
                store.write_now(lambda tx, number=number, how=how: a_call(tx, number, how))  # type: ignore[misc]
            clock.now = NOW
        close_the_table(store)
        before = counted(store, days)

        for step in range(steps):
            for number in range(1, len(work) + 1)[step::steps]:
                end(store, number)
            archive_some(store, NOW + DAY_MS, f"2026-01-0{step + 1}")

        assert counted(store, days) == before
        assert calls_in(store.path) == 1
        check_whole(store)


def test_what_a_clock_ahead_has_used_counts_on_its_own_day_once_it_is_archived(tmp_path: Path) -> None:
    clock = Clock()
    with fresh_store(tmp_path, clock=clock) as store:
        number = create(store)
        clock.now += 30 * DAY_MS
        store.write_now(lambda tx: a_call(tx, number, "paid", 0.5))
        clock.now -= 30 * DAY_MS
        end(store, number)
        store.write_now(create_in)
        store.write_now(lambda tx: budgets.reserve(tx, Spender(2, "D1", 1, "x"), {}, "a", "m", 1, 0.0))
        archive_some(store, NOW + 31 * DAY_MS, "2026-01-01")

        assert calls_in(store.path) == 1
        days = [counted(store, (NOW + d * DAY_MS,))[0][0] for d in (0, 1, 30, 31)]
        assert days == [0.0, 0.0, 0.5, 0.0]
        assert counted(store)[-1][0] == 0.5


def test_calls_and_their_events_go_and_the_archive_has_them(tmp_path: Path) -> None:
    with fresh_store(tmp_path, clock=Clock()) as store:
        number = create(store)
        for how in ("paid", "unpriced"):
            store.write_now(lambda tx, how=how: a_call(tx, number, how))  # type: ignore[misc]
        end(store, number)
        close_the_table(store)

        copied = archive_some(store, NOW + DAY_MS, "2026-01-01")

        assert copied is not None
        assert copied.rows["spend"] == 2
        assert calls_in(copied.path) == 2
        kinds = [kind for (kind,) in store.read_now(lambda r: r.sql("SELECT kind FROM events ORDER BY seq"))]
        assert sorted(k for k in kinds if k.startswith("spend.")) == ["spend.reserved", "spend.settled"]


def test_a_limit_of_the_workspace_goes_on_to_hold(tmp_path: Path) -> None:
    with fresh_store(tmp_path, clock=Clock()) as store:
        number = create(store)
        store.write_now(lambda tx: a_call(tx, number, "paid", 0.9))
        end(store, number)
        close_the_table(store)
        archive_some(store, NOW + DAY_MS, "2026-01-01")
        again = create(store)

        with pytest.raises(OverBudget, match="workspace's budget"):
            store.write_now(lambda tx: budgets.reserve(tx, Spender(again, "D1", 1, "x"), RULES, "a", "m", 1, 0.2))


def test_work_with_a_call_whose_end_is_open_stays(tmp_path: Path) -> None:
    with fresh_store(tmp_path, clock=Clock()) as store:
        number = create(store)
        store.write_now(lambda tx: budgets.reserve(tx, Spender(number, "D1", 1, "x"), {}, "a", "m", 1, 0.2))
        end(store, number)
        close_the_table(store)

        assert archive_some(store, NOW + DAY_MS, "2026-01-01") is None


def test_an_archive_of_an_apm_that_left_spending_where_it_was_is_still_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.store import archiving, spend_totals
    from core.store.schema import Spend

    monkeypatch.setattr(archiving, "MOVED", tuple(model for model in archiving.MOVED if model is not Spend))
    monkeypatch.setattr(archiving, "FAMILIES", archiving.FAMILIES - {"spend"})
    monkeypatch.setattr(spend_totals, "add", lambda tx, items: None)
    event = Transaction.event
    monkeypatch.setattr(
        Transaction, "event", lambda tx, kind, **f: event(tx, kind, **{k: v for k, v in f.items() if k != "tables"})
    )
    with fresh_store(tmp_path, clock=Clock()) as store:
        number = create(store)
        store.write_now(lambda tx: a_call(tx, number, "paid"))
        end(store, number)
        close_the_table(store)
        before = counted(store)

        assert archive_some(store, NOW + DAY_MS, "2026-01-01") is not None

        assert counted(store) == before
        assert calls_in(store.path) == 2
        check_whole(store)


def test_what_archived_work_cost_is_read_from_its_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = CommandLine(fresh_workspace(tmp_path / "ws"), capsys, monkeypatch)
    with Store.open(line.folder / "state", clock=Clock()) as store:
        number = create(store)
        store.write_now(lambda tx: a_call(tx, number, "paid"))
        end(store, number)
        close_the_table(store)
    shown = line("work-item", "show", str(number), "--json").json
    total = line("budget", "show", "--json").json

    assert line("archive", "--before", "2025-01-01", "--json").json["archives"][0]["work_items"] == [number]

    assert line("archive", "show", str(number), "--json").json["cost"] == shown["cost"]
    assert shown["cost"]["dollars"] == 0.25
    assert line("budget", "show", "--json").json == total
    refused = line("budget", "show", "--work-item", str(number))
    assert (refused.code, f"apm archive show {number}" in refused.err) == (2, True)
    assert json.loads(line("replay", "--verify", "--json").out)["ok"] is True


def test_a_question_about_archived_spending_says_nothing_rather_than_zero(tmp_path: Path) -> None:
    with fresh_store(tmp_path, clock=Clock()) as store:
        number = create(store)
        store.write_now(lambda tx: a_call(tx, number, "paid"))
        asked = store.write_now(lambda tx: raise_question(tx, about_the_budget_of(number)))
        row = store.read_now(lambda r: reads.escalation(r, asked))
        assert row is not None
        assert store.read_now(lambda r: spending_of(r, row, NOW)) is not None
        end(store, number)
        close_the_table(store)

        archive_some(store, NOW + DAY_MS, "2026-01-01")

        assert store.read_now(lambda r: spending_of(r, row, NOW)) is None


def about_the_budget_of(number: int) -> Question:
    told = {"work_item": number, "phase": "D1", "round": 1, "agent": "ac-writer", "subject": ""}
    options = (Option("stop", "Stop", "It ends."),)
    return Question("budget", told, "More?", "DAILY", options, "stop", ("ac-writer",), number, details={"budget": told})
