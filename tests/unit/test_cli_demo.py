"""How the demo prepares a workspace: the team's file is changed in two words, and its questions answered."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path

import pytest

from core.contract import ApmError
from core.demo import run, sample
from core.governance.escalations import Option, Question, raise_question
from core.orchestration.work_items import cancel
from core.registry.catalog import default_path
from core.store import reads, reads_escalations
from core.store.transaction import Transaction
from core.workspace import Workspace


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agents.yaml"
    path.write_bytes(default_path().read_bytes())
    return path


def test_two_words_of_the_file_change_and_can_be_changed_back(file: Path) -> None:
    before = file.read_text()
    own = run.runtimes_of(file, run.CODERS)
    assert own == dict.fromkeys(run.CODERS, "auto")
    run.change_runtimes(file, dict.fromkeys(run.CODERS, "replay"))
    changed = [d for d in difflib.ndiff(before.splitlines(), file.read_text().splitlines()) if d[0] in "+-"]
    assert sorted(changed) == sorted(["-     runtime: auto", "+     runtime: replay"] * 2)
    run.change_runtimes(file, own)
    assert file.read_text() == before


def test_an_agent_without_a_runtime_of_its_own_is_named(file: Path) -> None:
    before = file.read_text()
    with pytest.raises(ApmError, match=r"ac-writer has no `runtime:` line"):
        run.change_runtimes(file, {"ac-writer": "replay"})
    assert file.read_text() == before


def test_a_prepared_workspace_has_project_work_item_and_cassette(tmp_path: Path) -> None:
    workspace, demo = run.prepare(tmp_path / "demo")
    with workspace:
        item = workspace.store.read_now(lambda r: reads.work_item(r, demo.work_item))
        assert item is not None
        assert (item.state, item.project) == ("ready", sample.NAME)
        assert workspace.cassette == sample.cassette_path()
        coders = [workspace.store.read_now(lambda r, c=c: reads.agent(r, c)) for c in run.CODERS]  # type: ignore[misc]
        assert [c.runtime for c in coders if c] == ["replay", "replay"]


def test_preparing_again_makes_nothing_new(tmp_path: Path) -> None:
    first, demo = run.prepare(tmp_path)
    first.close()
    second, again = run.prepare(tmp_path)
    with second:
        assert again == demo
        assert len(second.store.read_now(reads.work_items)) == len(second.store.read_now(reads.projects)) == 1


@pytest.mark.parametrize("step", ["change_runtimes", "_begin"])
def test_cut_short_anywhere_it_still_knows_what_the_coders_ran_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run, step, cut)
        with pytest.raises(KeyboardInterrupt):
            run.prepare(tmp_path)
    workspace, demo = run.prepare(tmp_path)
    with workspace:
        workspace.store.write_now(lambda tx: cancel(tx, demo.work_item, by="ada"))
        run.finish(workspace, demo)
    assert (tmp_path / "agents.yaml").read_bytes() == default_path().read_bytes()


def test_a_demo_that_is_over_leaves_the_file_alone(tmp_path: Path) -> None:
    workspace, demo = run.prepare(tmp_path)
    with workspace:
        workspace.store.write_now(lambda tx: cancel(tx, demo.work_item, by="ada"))
        run.finish(workspace, demo)
    run.prepare(tmp_path)[0].close()
    assert (tmp_path / "agents.yaml").read_bytes() == default_path().read_bytes()


def test_what_stands_where_the_sample_would_go_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / sample.NAME).mkdir()
    (tmp_path / sample.NAME / "mine.txt").write_text("mine")
    with pytest.raises(ApmError, match="something is there"):
        run.prepare(tmp_path)
    assert (tmp_path / sample.NAME / "mine.txt").read_text() == "mine"


def ask(tx: Transaction, work_item: int, *, asks: bool = False, number: int = 1) -> int:
    go_on = Option("go-on", "Go on", "It goes on.", asks={"why": "text"} if asks else {})
    return raise_question(
        tx,
        Question(
            kind="gate",
            subject={"n": number},
            question="Go on?",
            urgency="DAILY",
            options=(go_on, Option("stop", "Stop", "It ends.", ends=True)),
            recommended="go-on",
            chain=("master-orchestrator", "ac-writer"),
            work_item=work_item,
            phase="D1",
            blocks="D1",
        ),
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return run.prepare(tmp_path)[0]


def test_a_question_gets_its_recommended_answer_by_a_rule(workspace: Workspace) -> None:
    with workspace:
        number = workspace.store.write_now(lambda tx: ask(tx, 1))
        assert workspace.store.write_now(lambda tx: run.answer_open(tx, 1, Counter())) == 1
        given = workspace.store.read_now(lambda r: reads_escalations.answers(r, number))
        assert [(a.option, a.by, a.provenance) for a in given] == [("go-on", "apm demo", "rule")]
        assert workspace.store.write_now(lambda tx: run.answer_open(tx, 1, Counter())) == 0


def test_values_are_never_made_up(workspace: Workspace) -> None:
    with workspace:
        workspace.store.write_now(lambda tx: ask(tx, 1, asks=True))
        with pytest.raises(run.NeedsAPerson, match="cannot make up") as raised:
            workspace.store.write_now(lambda tx: run.answer_open(tx, 1, Counter()))
        assert raised.value.exit_code == 3
        assert len(workspace.store.read_now(reads_escalations.escalations)) == 1


def test_a_question_that_keeps_coming_back_is_not_answered_for_ever(workspace: Workspace) -> None:
    asked: Counter[str] = Counter()
    with workspace:
        for number in range(run.MOST_ANSWERS):
            workspace.store.write_now(lambda tx, n=number: ask(tx, 1, number=n))  # type: ignore[misc]
            workspace.store.write_now(lambda tx: run.answer_open(tx, 1, asked))
        workspace.store.write_now(lambda tx: ask(tx, 1, number=99))
        with pytest.raises(ApmError, match="did not help"):
            workspace.store.write_now(lambda tx: run.answer_open(tx, 1, asked))
