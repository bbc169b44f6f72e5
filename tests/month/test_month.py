"""The month comes out the same every time, its figures are those that stand here, and a wrong one is noticed."""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.governance.performance import performance
from core.store.store import Store
from tests.month import __main__ as month
from tests.month import reckoning
from tests.month.figures import AGENTS

ROOT = Path(__file__).parents[2]
OWN = ("days", "deeds", "figures", "arithmetic", "story", "reckoning", "checks")
"""The modules that know the plan and nothing of the product."""
APART = {"events": {"mac"}, "chain_head": {"mac", "signature"}, "schema_migration": {"applied"}}
"""Columns that hang on the workspace's own key, or that say when its database was made."""


@dataclass(frozen=True)
class Played:
    code: int
    out: str
    err: str
    workspace: Path

    def rows(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        """Every row of every table, as far as the month makes them."""
        with sqlite3.connect(self.workspace / "state" / "apm.db") as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in sorted(tables):
                every = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                names = ", ".join(name for name in every if name not in APART.get(table, ()))
                yield from ((table, row) for row in database.execute(f"SELECT {names} FROM {table} ORDER BY 1"))
        database.close()


def play(folder: Path, **changed: str) -> Played:
    """A process of its own, with another seed for hashes and in another time zone."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("APM_")}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.month", "--keep", str(folder)],
        cwd=ROOT,
        env={**kept, **changed},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Played(ended.returncode, ended.stdout, ended.stderr, folder)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Played]:
    folder = tmp_path_factory.mktemp("months")
    return (
        play(folder / "one", PYTHONHASHSEED="1", TZ="Europe/Berlin"),
        play(folder / "other", PYTHONHASHSEED="2", TZ="Pacific/Auckland"),
    )


def test_two_runs_print_the_same_bytes_and_find_nothing_wrong(twice: tuple[Played, Played]) -> None:
    one, other = twice
    assert (one.code, one.err) == (0, "")
    assert one.out == other.out
    assert "figures of apm's tables are those of the plan." in one.out.splitlines()[-1]


def test_two_runs_leave_the_same_rows(twice: tuple[Played, Played]) -> None:
    one, other = (list(played.rows()) for played in twice)
    assert len(one) > 2_000
    assert one == other


@pytest.mark.parametrize(
    "line",
    [
        # 24 of 25: (0.96 + 0.076829 - 1.959964 x sqrt(0.001536 + 0.001537)) / 1.153658
        "expansion ux.information_architecture 24 of 25 accepted, lower bound 0.8046; "
        "spares 10.0 questions a week at 120 s: 0.33 h",
        # 22 of 22: 1 / (1 + 3.841459 / 22)
        "expansion technical.external_service 22 of 22 accepted, lower bound 0.8513; "
        "spares 12.0 questions a week at 120 s: 0.4 h",
        # 19 of 20: (0.95 + 0.096036 - 1.959964 x sqrt(0.002375 + 0.002401)) / 1.192073
        "technical.breaking_change (escalate) 19 of 20, lower bound 0.7639 no: the bound is below 0.80",
        "gtm.customer_reference (escalate) 30 of 30, lower bound 0.8865 no: a ceiling, which no record lifts",
        "technical.external_service (escalate) 36 of 36, lower bound 0.9036 no: rejected, and cooling down",
        # 24 of 24 would carry it; 16 of them were answered before the SOP changed.
        "strategy.target_market (escalate) 8 of 8, lower bound 0.6756 no: fewer than 20 answers; "
        "16 under a former SOP do not count",
        "Fri 5 June 16:00 contraction gtm.social_media 4 of 5 of its own decisions stand, lower bound 0.3755",
        "Wed 10 June 10:20 contraction gtm.social_media 5 of 7 of its own decisions stand, lower bound 0.3589",
        "collaboration strategy and gtm 4 conflicts, 2 settled by a rule",
        "Mon 15 June 10:15 ux.information_architecture becomes autonomous: from then on it decided 31 itself and 0 "
        "went to a person",
        "Mon 15 June 10:19 gtm.social_media becomes escalate: from then on it decided 0 itself and 12 went to a person",
        "together 503 4 337 162 159 157 1 2 11 2 1 1",
    ],
)
def test_the_figures_that_were_worked_out_by_hand(twice: tuple[Played, Played], line: str) -> None:
    found = [" ".join(printed.split()) for printed in twice[0].out.splitlines()]
    assert line in found


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agents_own_page_says_what_the_month_held(twice: tuple[Played, Played], agent: str) -> None:
    with Store.open(twice[0].workspace / "state") as store:
        shown = store.read_now(lambda r: performance(r, agent))

    assert shown.to_json() == reckoning.page(agent)


def test_what_is_counted_from_the_plan_asks_nothing_of_the_product() -> None:
    for name in OWN:
        tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
        froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        ours = {found for found in froms | plain if found.split(".")[0] in ("core", "tui", "tests")}
        assert ours <= {"tests.month", *(f"tests.month.{own}" for own in OWN)}, name


def test_a_figure_that_is_counted_otherwise_ends_in_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reckoning, "LEAST_CONFLICTS", 4)

    assert month.main([]) == 1

    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("reviews[4].lines") for line in told[-10:])
