"""A domain agent's documents: by pattern, bounded, and never from outside of its folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.governance import context
from core.governance.context import ContextFiles, context_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "place"
    for name in (
        "README.md",
        "docs/a.md",
        "docs/deep/er/b.md",
        "docs/c.txt",
        "final drafts/x.md",
        ".env",
        "docs/.key.md",
    ):
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text\n")
    return made


def given(folder: Path, *patterns: str) -> tuple[str, ...]:
    return context_files({"": folder}, patterns).given


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("README*", ("README.md",)),
        ("docs/*.md", ("docs/a.md",)),
        ("docs/**/*.md", ("docs/a.md", "docs/deep/er/b.md")),
        ("docs/**", ("docs/a.md", "docs/c.txt", "docs/deep/er/b.md")),
        ("**/**/b.md", ("docs/deep/er/b.md",)),
        ("docs/**/er/b.md", ("docs/deep/er/b.md",)),
        ("final drafts/**", ("final drafts/x.md",)),
        ("./docs//a.md", ("docs/a.md",)),
        ("docs/?.txt", ("docs/c.txt",)),
        ("docs", ()),
    ],
)
def test_patterns_match_as_in_a_shell(folder: Path, pattern: str, found: tuple[str, ...]) -> None:
    assert given(folder, pattern) == found


def test_what_is_missing_is_listed_in_its_order(folder: Path) -> None:
    assert context_files({"": folder}, ["plan.md", "README*", "x/**"]).missing == ("plan.md", "x/**")


@pytest.mark.parametrize(
    "pattern", ["/etc/passwd", "../secret.md", "docs/../../secret.md", "link/secret.md", "link.md", "all/**"]
)
def test_nothing_outside_is_given(folder: Path, pattern: str) -> None:
    outside = folder.parent / "secret.md"
    outside.write_text("secret\n")
    (folder / "link").symlink_to(folder.parent)
    (folder / "link.md").symlink_to(outside)
    (folder / "all").symlink_to("/")

    assert given(folder, pattern) == ()


def test_a_link_within_the_folder_is_given(folder: Path) -> None:
    (folder / "docs" / "again.md").symlink_to(folder / "README.md")

    assert "docs/again.md" in given(folder, "docs/*.md")


def test_hidden_files_are_only_given_by_name(folder: Path) -> None:
    assert given(folder, "*") == ("README.md",)
    assert given(folder, "docs/.*.md") == ("docs/.key.md",)


def test_vendored_folders_and_a_workspaces_state_hold_no_documents(folder: Path) -> None:
    for name in ("node_modules/x/README.md", "docs/state/apm.db", "docs/state/notes.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text\n")

    assert given(folder, "**/README.md") == ("README.md",)
    assert "docs/state/notes.md" not in given(folder, "docs/**/*.md")


def test_too_large_and_too_many_are_counted_not_given(folder: Path) -> None:
    (folder / "docs" / "large.md").write_bytes(b"x" * (context.MOST_BYTES + 1))
    for number in range(context.MOST_FILES + 7):
        (folder / "docs" / f"n{number}.md").write_text("x")

    found = context_files({"": folder}, ["docs/*.md"])

    assert len(found.given) == context.MOST_FILES
    assert found.left_out == 1 + 8
    assert found.missing == ()


def test_folders_are_told_apart_by_name_and_a_pattern_is_missing_only_from_all(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "plan.md").write_text("x")

    found = context_files({"": folder, "other": other}, ["README*", "plan.md", "none.md"])

    assert found == ContextFiles(("README.md", "other:plan.md"), ("none.md",))


def test_what_is_no_file_and_what_cannot_be_read_is_passed_over(folder: Path) -> None:
    os.mkfifo(folder / "docs" / "pipe.md")
    (folder / "docs" / "broken.md").symlink_to("nowhere")
    (folder / "docs" / "loop").symlink_to(folder / "docs")
    (folder / "docs" / "round.md").symlink_to("round.md")

    assert given(folder, "docs/**/*.md") == ("docs/a.md", "docs/deep/er/b.md")
    assert given(folder / "absent", "**") == ()


def test_a_name_with_control_characters_is_shown_clean(folder: Path) -> None:
    (folder / "docs" / "z\x1b]0;x\x07\nb.md").write_text("x")

    assert given(folder, "docs/*.md") == ("docs/a.md", "docs/z b.md")
