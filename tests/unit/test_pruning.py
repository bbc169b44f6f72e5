"""What grows in `state/` beside the database goes by rule, and nothing else does; logs keep to their limit."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import log_files
from core.orchestration import lease, work_items
from core.orchestration.duties import PRUNE_MS, Duties
from core.orchestration.lease import HeldStore
from core.store.pruning import RULES, Rule, prune, to_prune
from core.store.schema import Project
from core.store.store import Store
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.unit.command_line import CommandLine
from tui.cli import logs


def make(path: Path, days: float, now: int) -> Path:
    """A file by its suffix, else a folder with a file in it, last changed so many days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".db", ".part", ".json", ".md", ".yaml"):
        path.write_text("x")
    else:
        path.mkdir()
        (path / "file").write_text("x")
    os.utime(path, (now / 1000 - days * 86_400,) * 2)
    return path


def pruned(store: Store, state: Path) -> set[str]:
    found = store.read_now(lambda r: to_prune(state, r, store.clock()))
    return {str(path.relative_to(state)) for path in prune(found)}


NAMES = {
    "*-before-[0-9]*.db": "apm-before-0002_registry-{}.db",
    "replay-*": "replay-{}",
    "archive-*.db.part*": "archive-2026-01-{}.db.part",
    "releases/*/*/": "releases/shop/1.{}",
    "scratch/*/": "scratch/9{}",
    "environments/*/": "environments/gone{}",
    "inbox/applied/*": "inbox/applied/{}.json",
    "inbox/rejected/*": "inbox/rejected/{}.json",
    "briefings/*.md": "briefings/briefing-{}.md",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.pattern)
def test_a_rule_keeps_the_newest_and_the_young_and_lets_the_others_go(workspace: Workspace, rule: Rule) -> None:
    now = workspace.store.clock()
    name = NAMES[rule.pattern]
    old = [make(workspace.state / name.format(n), rule.days + 1 + n, now) for n in range(rule.newest + 2)]
    young = [make(workspace.state / name.format(1_000 + n), rule.days - 0.5, now) for n in range(1)]

    gone = pruned(workspace.store, workspace.state)

    kept = max(0, rule.newest - len(young))
    assert gone == {str(path.relative_to(workspace.state)) for path in old[kept:]}
    assert all(path.exists() for path in [*young, *old[:kept]])
    assert pruned(workspace.store, workspace.state) == set()


def test_what_something_open_needs_stays_however_old_it_is(workspace: Workspace) -> None:
    def write(tx: Transaction) -> int:
        facts = {"path": "/p", "target": "main", "tech": "{}", "settings": "{}", "created_at": tx.now}
        for name, removed in (("shop", None), ("sold", tx.now)):
            tx.insert(Project, name=name, removed_at=removed, **facts)
            tx.event("project.added")
        return work_items.create(tx, title="open", project=None)

    store, state = workspace.store, workspace.state
    number = store.write_now(write)
    needed = [f"scratch/{number}", "environments/shop", "environments/no-project"]
    for name in (*needed, f"scratch/{number + 1}", "environments/sold"):
        make(state / name, 400, store.clock())

    assert pruned(store, state) == {f"scratch/{number + 1}", "environments/sold"}


def test_nothing_else_in_the_folder_is_touched(workspace: Workspace) -> None:
    store, state = workspace.store, workspace.state
    names = [
        "archive-2020-01-01.db",
        "settings.yaml",
        "inbox/new.json",
        "releases/shop/monitor.json",
        "worktrees/shop/1-x",
    ]
    there = [make(state / name, 4_000, store.clock()) for name in names]
    (state / "scratch").mkdir()
    (state / "scratch" / "link").symlink_to(make(state / "elsewhere", 4_000, store.clock()))

    assert pruned(store, state) == set()
    assert all(path.exists() for path in there)


def test_a_file_that_vanishes_meanwhile_keeps_no_rule_from_being_applied(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, state = workspace.store.clock(), workspace.state
    vanishing, stays = (make(state / name, 400, now) for name in ("archive-2026-01-1.db.part", "scratch/91"))
    lstat = Path.lstat

    def gone(path: Path) -> os.stat_result:
        if path == vanishing:
            path.unlink()
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", gone)

    assert pruned(workspace.store, state) == {str(stays.relative_to(state))}


async def test_whoever_drives_tidies_at_the_beginning_and_once_a_day(workspace: Workspace) -> None:
    store, state = workspace.store, workspace.state
    held = await store.write(lease.take)
    duties = Duties(HeldStore(store, lambda: held), state, lambda: workspace.catalog, lambda _: None)
    make(state / "scratch" / "91", 30, store.clock())
    await duties.run_due()
    left = make(state / "scratch" / "92", 30, store.clock())
    await duties.run_due()

    assert [path.name for path in (state / "scratch").iterdir()] == ["92"]
    now = store.clock() + PRUNE_MS
    store.clock = lambda: now
    await duties.run_due()
    assert not left.exists()


def test_the_programs_log_makes_room_and_one_older_is_kept(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 10_000)
    logs.log_into(line.folder / "state", is_shown=False)
    for number in range(300):
        logging.getLogger("apm.test").error("%s %s", number, "x" * 200)
    kept = logs.keep_trace(ValueError("y" * 500))
    logs.stop_logging()

    found = {path.name: path.stat().st_size for path in (line.folder / "state" / "logs").iterdir()}
    assert set(found) == {"apm.log", "apm.log.1"}
    assert max(found.values()) <= 10_000
    assert kept is not None
    assert "yyyy" in kept.read_text()


def test_processes_that_log_at_once_lose_no_line_of_the_last_two_files(tmp_path: Path) -> None:
    """Each writes 200 lines of 101 bytes; 60,000 bytes hold 594 of them, so one log is put aside and none is lost."""
    path = tmp_path / "apm.log"
    code = (
        "import sys, pathlib\nfrom core.log_files import append\n"
        "for n in range(200): append(pathlib.Path(sys.argv[1]), [f'{sys.argv[2]} {n} '.ljust(100, 'x')], 60_000)"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "abcd"]
    assert [process.wait() for process in started] == [0] * 4

    lines = [*path.with_name("apm.log.1").read_text().splitlines(), *path.read_text().splitlines()]
    assert {" ".join(text.split()[:2]) for text in lines} == {f"{name} {n}" for name in "abcd" for n in range(200)}


def test_a_line_longer_than_a_log_has_one_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    log_files.append(path, ["y" * 100, "z"], 50)

    assert (path.with_name("x.log.1").read_text(), path.read_text()) == ("y" * 100 + "\n", "z\n")
