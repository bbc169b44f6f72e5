"""What a branch changed, read from real repositories, and unified diffs of any texts read back into both sides."""

from __future__ import annotations

import difflib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.projects import git
from core.projects.changes import (
    MOST_FILES,
    PATCH_BYTES,
    ChangedFile,
    Changes,
    Hunk,
    Patch,
    changes,
    parse_patches,
    patch_of,
    patch_text,
    span_of,
)
from core.projects.git import GitError
from tests.unit.git_project import commit
from tests.unit.git_project import git as by_hand


@pytest.fixture(autouse=True)
def _user_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git reads no settings of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "my projéct"
    commit(repo, {"a.txt": "one\ntwo\nthree\n", "gone.txt": "bye\n", "old name.txt": "stays\nthe\nsame\n"}, "first")
    return repo


def told(found: Changes) -> dict[str, tuple[str, int | None, int | None]]:
    return {file.path: (file.status, file.added, file.removed) for file in found.files}


def side(hunks: Iterable[Hunk], leave_out: str) -> list[str]:
    """The lines of one side, those that lie outside the hunks not among them."""
    return [line.text for hunk in hunks for line in hunk.lines if line.sign != leave_out]


async def patch_in(repo: Path, found: Changes, path: str) -> Patch:
    return await patch_of(repo, found, next(file for file in found.files if file.path == path))


async def test_each_file_is_told_with_how_it_changed_and_how_many_lines(repo: Path) -> None:
    base = await git.head(repo)
    by_hand(repo, "mv", "old name.txt", "new ü.txt")
    head = commit(repo, {"a.txt": "one\n2\nthree\nfour\n", "dir/b.txt": "b\n"}, "second", remove=("gone.txt",))
    found = await changes(repo, base, head)
    assert told(found) == {
        "a.txt": ("changed", 2, 1),
        "dir/b.txt": ("added", 1, 0),
        "gone.txt": ("removed", 0, 1),
        "new ü.txt": ("renamed", 0, 0),
    }
    assert next(f for f in found.files if f.path == "new ü.txt").old_path == "old name.txt"
    assert (found.added, found.removed) == (3, 2)


async def test_a_patch_has_numbered_lines_on_both_sides(repo: Path) -> None:
    base = await git.head(repo)
    found = await changes(repo, base, commit(repo, {"a.txt": "one\n2\nthree\n"}, "second"))
    [hunk] = (await patch_in(repo, found, "a.txt")).hunks
    assert [(line.sign, line.old, line.new, line.text) for line in hunk.lines] == [
        (" ", 1, 1, "one"),
        ("-", 2, None, "two"),
        ("+", None, 2, "2"),
        (" ", 3, 3, "three"),
    ]


async def test_a_renamed_file_has_only_what_changed_in_it(repo: Path) -> None:
    base = await git.head(repo)
    commit(repo, {"long.txt": "".join(f"line {n}\n" for n in range(50))}, "second")
    base = await git.head(repo)
    by_hand(repo, "mv", "long.txt", "moved.txt")
    path = repo / "moved.txt"
    path.write_text(path.read_text().replace("line 7\n", "line seven\n"))
    found = await changes(repo, base, commit(repo, {}, "third"))
    patch = await patch_in(repo, found, "moved.txt")
    assert [line.text for line in patch.hunks[0].lines if line.sign != " "] == ["line 7", "line seven"]


async def test_a_file_that_became_a_folder_keeps_its_own_patch(repo: Path) -> None:
    base = await git.head(repo)
    (repo / "a.txt").unlink()
    found = await changes(repo, base, commit(repo, {"a.txt/inside.txt": "in\n"}, "second"))
    assert side((await patch_in(repo, found, "a.txt")).hunks, "+") == ["one", "two", "three"]
    assert side((await patch_in(repo, found, "a.txt/inside.txt")).hunks, "-") == ["in"]


async def test_names_from_a_hostile_repository_are_read_as_they_are(repo: Path) -> None:
    names = [":(top)*", "-n", 'quo"te', "tab\tin", "new\nline", "a\x1b]0;x", "*"]
    base = await git.head(repo)
    for name in names:
        (repo / name).write_text("x\n")
    found = await changes(repo, base, commit(repo, {}, "second"))
    assert set(told(found)) == set(names)
    for name in names:
        assert side((await patch_in(repo, found, name)).hunks, "-") == ["x"]


async def test_binary_files_and_modes_are_told_apart(repo: Path) -> None:
    base = await git.head(repo)
    (repo / "picture").write_bytes(bytes(range(256)))
    (repo / "a.txt").chmod(0o755)
    (repo / "link").symlink_to("/etc/passwd")
    found = {f.path: f for f in (await changes(repo, base, commit(repo, {}, "second"))).files}
    assert found["picture"].is_binary
    assert found["a.txt"].changes_mode
    assert (found["a.txt"].old_mode, found["a.txt"].new_mode) == ("100644", "100755")
    assert found["link"].new_mode == "120000"
    assert not found["link"].changes_mode


async def test_the_last_line_without_an_end_is_marked(repo: Path) -> None:
    base = await git.head(repo)
    (repo / "a.txt").write_text("one\ntwo\nthree")
    found = await changes(repo, base, commit(repo, {}, "second"))
    lines = (await patch_in(repo, found, "a.txt")).hunks[0].lines
    assert [(line.sign, line.ends) for line in lines if line.text == "three"] == [("-", True), ("+", False)]


async def test_what_nobody_committed_is_found_with_what_git_does_not_know(repo: Path) -> None:
    (repo / "a.txt").write_text("one\n")
    (repo / "new.txt").write_text("first\nsecond\n")
    (repo / "way").symlink_to("/dev/zero")
    found = await changes(repo, "HEAD", None)
    assert told(found) == {"a.txt": ("changed", 0, 2), "new.txt": ("new", 0, 0), "way": ("new", 0, 0)}
    assert side((await patch_in(repo, found, "new.txt")).hunks, "-") == ["first", "second"]
    assert side((await patch_in(repo, found, "way")).hunks, "-") == ["/dev/zero"]
    assert side((await patch_in(repo, found, "a.txt")).hunks, "+") == ["one", "two", "three"]


async def test_no_program_of_the_repository_or_the_user_is_run(repo: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.pager"):
        by_hand(repo, "config", key, str(program))
    for key, value in (("color.diff", "always"), ("diff.noprefix", "true"), ("diff.suppressBlankEmpty", "true")):
        by_hand(repo, "config", key, value)
    base = commit(repo, {".gitattributes": "* diff=evil\n", "a.txt": "one\n\ntwo\n"}, "second")
    found = await changes(repo, base, commit(repo, {"a.txt": "one\n\n2\n"}, "third"))
    assert side((await patch_in(repo, found, "a.txt")).hunks, "-") == ["one", "", "2"]
    assert not ran.exists()


async def test_a_large_patch_is_cut_and_says_so(repo: Path) -> None:
    base = await git.head(repo)
    found = await changes(repo, base, commit(repo, {"long.txt": "x\n" * 20_000}, "second"))
    many = await patch_in(repo, found, "long.txt")
    assert (len(many.hunks[0].lines), many.whole) == (5_000, False)
    wide = "".join(f"{n:06}{'y' * 9_994}\n" for n in range(PATCH_BYTES // 2_500))
    found = await changes(repo, base, commit(repo, {"wide.txt": wide}, "third"))
    cut = await patch_in(repo, found, "wide.txt")
    assert not cut.whole
    assert 50 < len(cut.hunks[0].lines) < 200
    assert {len(line.text) for line in cut.hunks[0].lines} == {10_000}, "no line is half there"


async def test_a_list_of_files_is_cut_and_says_how_many_are_left_out(repo: Path) -> None:
    base = await git.head(repo)
    found = await changes(repo, base, commit(repo, {f"n{n}": "x\n" for n in range(MOST_FILES + 3)}, "second"))
    assert (len(found.files), found.left_out) == (MOST_FILES, 3)
    assert (found.added, found.removed) == (MOST_FILES + 3, 0), "the totals are those of all"


async def test_a_huge_file_counts_as_binary(repo: Path) -> None:
    base = await git.head(repo)
    with (repo / "huge").open("wb") as file:
        file.write(b"line\n" * 2_000_000)
    found = await changes(repo, base, commit(repo, {}, "second"))
    assert found.files[0].is_binary


async def test_a_special_file_is_refused_in_a_sentence(repo: Path) -> None:
    os.mkfifo(repo / "pipe")
    found = Changes("HEAD", None, (ChangedFile("pipe", "new", 0, 0),))
    with pytest.raises(GitError, match="git diff failed in"):
        await patch_of(repo, found, found.files[0])


async def test_a_branch_is_compared_with_where_it_left_the_target(repo: Path) -> None:
    began = await git.head(repo)
    by_hand(repo, "switch", "-q", "-c", "apm/1-it")
    commit(repo, {"mine.txt": "mine\n"}, "mine")
    by_hand(repo, "switch", "-q", "main")
    moved = commit(repo, {"theirs.txt": "theirs\n"}, "theirs")
    by_hand(repo, "switch", "-q", "apm/1-it")
    by_hand(repo, "merge", "-q", "--no-edit", "main")
    span = await span_of(repo, branch="apm/1-it", base=began, target="main", merge=None)
    assert span.base == moved
    assert set(told(await changes(repo, span.base, span.head))) == {"mine.txt"}


async def test_a_released_work_item_is_its_merge(repo: Path) -> None:
    began = await git.head(repo)
    by_hand(repo, "switch", "-q", "-c", "apm/1-it")
    commit(repo, {"mine.txt": "mine\n"}, "mine")
    by_hand(repo, "switch", "-q", "main")
    commit(repo, {"theirs.txt": "theirs\n"}, "theirs")
    by_hand(repo, "merge", "-q", "--no-ff", "--no-edit", "apm/1-it")
    merge = await git.head(repo)
    commit(repo, {"later.txt": "later\n"}, "later")
    by_hand(repo, "branch", "-q", "-D", "apm/1-it")
    span = await span_of(repo, branch="apm/1-it", base=began, target="main", merge=merge)
    assert set(told(await changes(repo, span.base, span.head))) == {"mine.txt"}


async def test_a_branch_that_landed_is_what_came_after_its_beginning(repo: Path) -> None:
    began = await git.head(repo)
    by_hand(repo, "switch", "-q", "-c", "apm/1-it")
    commit(repo, {"mine.txt": "mine\n"}, "mine")
    by_hand(repo, "branch", "-q", "-f", "main", "apm/1-it")
    span = await span_of(repo, branch="apm/1-it", base=began, target="main", merge=None)
    assert span.base == began


@pytest.mark.parametrize(
    ("branch", "base", "said"),
    [(None, None, "It has no branch yet"), ("apm/9-gone", "0" * 40, "has no branch apm/9-gone any more")],
)
async def test_without_a_branch_it_says_so(repo: Path, branch: str | None, base: str | None, said: str) -> None:
    with pytest.raises(GitError, match=said):
        await span_of(repo, branch=branch, base=base, target="main", merge=None)


LINE = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", "-- a", "++ b", "@@ -1 +1 @@", "diff --git a/x b/x", "\\ No newline at end of file", "+", "-", "\r"]
)
TEXT = st.lists(LINE, max_size=12)


@given(old=TEXT, new=TEXT, around=st.integers(0, 4))
def test_a_unified_diff_of_any_texts_holds_both_sides(old: list[str], new: list[str], around: int) -> None:
    diff = difflib.unified_diff(old, new, "a/x", "b/x", n=max(around, len(old) + len(new)), lineterm="")
    found = parse_patches("\n".join(diff))
    if old == new:
        assert found == ()
        return
    [patch] = found
    assert patch.whole
    assert side(patch.hunks, "+") == old
    assert side(patch.hunks, "-") == new


@given(old=TEXT, new=TEXT, around=st.integers(0, 2))
def test_lines_bear_the_numbers_that_they_have_in_their_files(old: list[str], new: list[str], around: int) -> None:
    diff = difflib.unified_diff(old, new, "a/x", "b/x", n=around, lineterm="")
    found = parse_patches("\n".join(diff))
    assert len(found) == (old != new)
    for patch in found:
        lines = [line for hunk in patch.hunks for line in hunk.lines]
        assert lines
        for line in lines:
            assert line.old is None or old[line.old - 1] == line.text
            assert line.new is None or new[line.new - 1] == line.text


@given(texts=st.lists(st.tuples(TEXT, TEXT), max_size=4), cut=st.integers(0, 400))
def test_a_diff_that_ends_anywhere_is_read_as_far_as_it_goes(
    texts: list[tuple[list[str], list[str]]], cut: int
) -> None:
    whole = "".join(
        "diff --git a/x b/x\n" + "".join(f"{line}\n" for line in difflib.unified_diff(old, new, lineterm=""))
        for old, new in texts
        if old != new
    )
    full, part = parse_patches(whole), parse_patches(whole[:cut])
    assert len(full) == sum(old != new for old, new in texts)
    assert len(part) <= len(full)


async def test_a_patch_that_is_written_out_can_be_applied(repo: Path, tmp_path: Path) -> None:
    base = await git.head(repo)
    (repo / "a.txt").write_text("one\n2\n\nthree")
    found = await changes(repo, base, commit(repo, {}, "second"))
    file = tmp_path / "it.patch"
    file.write_text(patch_text(await patch_in(repo, found, "a.txt")))
    by_hand(repo, "reset", "-q", "--hard", base)
    by_hand(repo, "apply", str(file))
    assert (repo / "a.txt").read_text() == "one\n2\n\nthree"


COUNT = st.integers(0, 4)
PATCH_LINE = st.one_of(
    st.builds("@@ -{},{} +{},{} @@".format, COUNT, COUNT, COUNT, COUNT),
    st.builds("@@ -{} +{} @@ def f".format, COUNT, COUNT),
    st.sampled_from(["diff --git a/x b/x", "--- a/x", "+++ b/x", "Binary files a/x and b/x differ", "\\ No newline"]),
    st.builds("{}{}".format, st.sampled_from(["+", "-", " ", "\\", ""]), st.text(max_size=3)),
)


@given(st.lists(PATCH_LINE, max_size=30).map("\n".join))
def test_anything_like_a_patch_is_read_without_an_error(text: str) -> None:
    for patch in parse_patches(text):
        for line in (line for hunk in patch.hunks for line in hunk.lines):
            assert line.sign in " +-"
            assert (line.old is None, line.new is None) == (line.sign == "+", line.sign == "-")


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_patches(text)


@pytest.mark.parametrize("ends", [True, False])
@given(old=TEXT, new=TEXT)
def test_git_and_the_reader_agree(
    tmp_path_factory: pytest.TempPathFactory, ends: bool, old: list[str], new: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    for name, lines in (("old", old), ("new", new)):
        text = "".join(f"{line}\n" for line in lines)
        (folder / name).write_text(text if ends else text.removesuffix("\n"), encoding="utf-8", newline="")
    argv = ["git", "diff", "--no-index", "--text", "--unified=99", "--no-color", "old", "new"]
    diff = subprocess.run(argv, cwd=folder, capture_output=True, check=False).stdout.decode()
    hunks = [hunk for patch in parse_patches(diff) for hunk in patch.hunks]
    if not hunks:
        assert (folder / "old").read_bytes() == (folder / "new").read_bytes()
        return
    for name, other in (("old", "+"), ("new", "-")):
        told = [line for hunk in hunks for line in hunk.lines if line.sign != other]
        rebuilt = "".join(line.text + ("\n" if line.ends else "") for line in told)
        assert rebuilt == (folder / name).read_bytes().decode()
