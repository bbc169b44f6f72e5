from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from core.store.schema import WorkItem
from core.store.transaction import Transaction
from tests.app.diff_place import BRANCH, OPEN, changed, released
from tests.app.driving import SMALL, USUAL, WIDE, lines_of, notices, opened, press, screen_text, settle
from tests.app.seeding import SeededWorkspace
from tests.app.test_hostile import EVIL, is_visible
from tests.unit.git_project import commit
from tests.unit.git_project import git as by_hand
from tui.screens.work.diff import DiffScreen, Files
from tui.screens.work.diff_text import DiffView, shown


@pytest.fixture(autouse=True)
def _user_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads no settings of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def files_of(pilot: Pilot[int]) -> Files:
    return pilot.app.screen.query_one(Files)


def patch_of(pilot: Pilot[int]) -> str:
    return "\n".join(lines_of(pilot.app.screen.query_one(DiffView)))


async def go_to(pilot: Pilot[int], path: str, part: str = "committed") -> None:
    assert files_of(pilot).go_to((part, path))
    await settle(pilot)


async def test_d_shows_what_a_work_item_changes(busy_workspace: SeededWorkspace) -> None:
    place = changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        assert isinstance(pilot.app.screen, DiffScreen)
        text = screen_text(pilot)
    assert f"{BRANCH} since it left main at {place.base[:12]}" in text
    assert "7 files  +12  -7" in text


async def test_each_file_has_its_status_name_and_counts(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        rows = [" ".join(line.replace("▌", " ").split()) for line in lines_of(files_of(pilot))]
    assert "~ changed tax.py src/ledger +8 -4" in rows
    assert "→ renamed rules.md docs" in rows
    assert "- removed notes.txt -1" in rows
    assert "+ added logo.png binary" in rows


async def test_lines_bear_a_sign_and_their_numbers_on_both_sides(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        await go_to(pilot, "src/ledger/tax.py")
        lines = [" ".join(line.split()) for line in patch_of(pilot).splitlines()]
    assert "@@ -1,12 +1,16 @@" in lines
    assert "1 - from decimal import ROUND_HALF_UP, Decimal" in lines
    assert "1 + from decimal import ROUND_HALF_EVEN, Decimal" in lines
    assert '3 3 CENT = Decimal("0.01")' in lines


async def test_tabs_are_spaces_and_a_long_line_is_cut(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        await go_to(pilot, "src/ledger/tax.py")
        await press(pilot, "enter", "G")
        drawn = patch_of(pilot)
    assert "\t" not in drawn
    line = next(line for line in drawn.splitlines() if "amount.quantize" in line)
    assert "+     return amount.quantize" in line
    assert line.rstrip().endswith("…")


async def test_what_is_no_line_is_said_in_words(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        await go_to(pilot, "docs/rules.md")
        assert "renamed from docs/old-rules.md" in patch_of(pilot)
        await go_to(pilot, "tools/check.sh")
        assert "mode 100644 is now 100755: it can be run" in patch_of(pilot)
        await go_to(pilot, "logo.png")
        assert "Git shows no text of it: it is binary" in patch_of(pilot)


async def test_what_nobody_committed_stands_apart(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        assert "not committed" in "\n".join(lines_of(files_of(pilot)))
        await go_to(pilot, "src/ledger/tax.py", "loose")
        assert "rounded last" in patch_of(pilot)
        await go_to(pilot, "scratch.py", "loose")
        assert "Git does not know this file yet." in patch_of(pilot)
        assert "print('tried something')" in patch_of(pilot)
        await go_to(pilot, "", "loose")
        assert "2 files changed in" in patch_of(pilot)


async def test_the_whole_change_is_told_with_its_commits(busy_workspace: SeededWorkspace) -> None:
    place = changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN, "g")
        drawn = patch_of(pilot)
    assert f"{place.head[:8]} Raise the rates, with a test  Ada" in drawn
    assert "2 commits" in drawn
    assert "2 files in its worktree not committed" in drawn


async def test_brackets_step_through_what_changed_from_file_to_file_and_back(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        await go_to(pilot, "src/ledger/rates.py")
        view = pilot.app.screen.query_one(DiffView)
        assert view.place == "change 1 of 2"
        await press(pilot, "right_square_bracket")
        assert view.place == "change 2 of 2"
        await press(pilot, "right_square_bracket")
        assert files_of(pilot).row is not None
        assert files_of(pilot).row.key == ("committed", "src/ledger/tax.py")  # type: ignore[union-attr]
        await press(pilot, "left_square_bracket")
        assert view.TITLE == "src/ledger/rates.py"
        assert view.place == "change 2 of 2"


async def test_behind_the_last_change_there_is_none(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN, "G", "right_square_bracket")
        assert notices(pilot)[-1] == "That was the last change."


@pytest.mark.parametrize("pane", ["1", "2"])
async def test_y_copies_a_diff_that_git_can_apply(busy_workspace: SeededWorkspace, pane: str) -> None:
    place = changed(busy_workspace)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        await go_to(pilot, "src/ledger/tax.py")
        await press(pilot, pane, "y")
    copied = (busy_workspace.state / "copied.txt").read_text()
    by_hand(place.repo, "apply", "--check", str(busy_workspace.state / "copied.txt"))
    assert copied.startswith("diff --git a/src/ledger/tax.py")


async def test_a_released_work_item_shows_its_merge(busy_workspace: SeededWorkspace) -> None:
    place = changed(busy_workspace)
    merge = released(busy_workspace, place)
    commit(place.repo, {"later.txt": "later\n"}, "later")
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        assert f"merged into main as {merge[:12]}" in screen_text(pilot)
        assert "later.txt" not in screen_text(pilot)


async def test_it_follows_the_branch(busy_workspace: SeededWorkspace) -> None:
    changed(busy_workspace)
    worktree = busy_workspace.state / "worktrees" / "ledger" / BRANCH.removeprefix("apm/")
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        by_hand(worktree, "add", "scratch.py")
        by_hand(worktree, "commit", "-q", "-m", "more")
        await busy_workspace.store.write(lambda tx: tx.event("delegation.recorded", work_item=6))
        await settle(pilot)
        assert files_of(pilot).go_to(("committed", "scratch.py"))


async def test_without_a_branch_it_says_so_and_what_makes_one(busy_workspace: SeededWorkspace) -> None:
    def unbranch(tx: Transaction) -> None:
        tx.update(WorkItem, 6, branch=None, base_commit=None)
        tx.event("test.changed", work_item=6)

    changed(busy_workspace)
    busy_workspace.store.write_now(unbranch)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        assert "It has no branch yet: the engine makes one when its first phase begins." in " ".join(
            patch_of(pilot).split()
        )
        await press(pilot, "right_square_bracket", "y", "escape")
        assert not isinstance(pilot.app.screen, DiffScreen)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_without_a_project_the_reason_stands_there_once_and_no_key_steps(
    busy_workspace: SeededWorkspace, size: tuple[int, int]
) -> None:
    def without_project(tx: Transaction) -> None:
        tx.update(WorkItem, 6, project=None)
        tx.event("test.changed", work_item=6)

    busy_workspace.store.write_now(without_project)
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, *OPEN)
        shown = screen_text(pilot)
        assert shown.count("It has no project") == 1
        assert "next change" not in shown
        await press(pilot, "right_square_bracket")
        assert notices(pilot)[-1] == "There is no change to step to."


async def test_a_project_that_is_gone_is_said(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        assert "/projects/ledger is not there" in screen_text(pilot)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_both_panes_can_be_read_at_every_size(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    changed(busy_workspace)
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, *OPEN)
        await go_to(pilot, "src/ledger/tax.py")
        assert "tax.py" in screen_text(pilot)
        await press(pilot, "enter")
        assert "ROUND_HALF" in screen_text(pilot)
        assert pilot.app.screen.query_one(DiffView).size.width >= 40


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_hostile_names_and_lines_are_harmless(busy_workspace: SeededWorkspace, size: tuple[int, int]) -> None:
    changed(busy_workspace)
    worktree = busy_workspace.state / "worktrees" / "ledger" / BRANCH.removeprefix("apm/")
    evil = EVIL.replace("\x00", "").replace("/", "|")
    (worktree / evil[:60]).write_text(EVIL * 3 + "\n" + "日本語" * 400)
    (worktree / "large.txt").write_text("[/] x\x1b[2J" * 1_000_000)
    async with opened(busy_workspace, size) as pilot:
        await press(pilot, *OPEN)
        drawn = screen_text(pilot)
        for row in list(files_of(pilot).rows):
            files_of(pilot).go_to(row.key)
            await press(pilot, "2")
            strips = pilot.app.screen._compositor.render_strips()
            drawn += "".join(segment.text for strip in strips for segment in strip)
            assert {sum(cell_len(segment.text) for segment in strip) for strip in strips} == {size[0]}
    assert [f"{ord(c):x}" for c in drawn if c != "\n" and not is_visible(c)] == []


def test_a_line_of_a_file_can_do_nothing_to_the_terminal() -> None:
    assert shown("\x1b]0;x\x07a\u202eb\tc\r") == "ab  c␍"
    assert len(shown("x" * 10_000)) == 1_001


async def test_a_patch_that_cannot_be_shown_is_told(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*_: object) -> None:
        raise ValueError("no such form")

    changed(busy_workspace)
    monkeypatch.setattr("tui.screens.work.diff.patch_of", break_down)
    async with opened(busy_workspace) as pilot:
        await press(pilot, *OPEN)
        assert "That failed. ValueError: no such form" in notices(pilot)
