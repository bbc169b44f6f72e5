"""What a model may reach in a worktree: regular files below its root, by no link, and never git's own or the team's."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.projects.governing import governing
from core.runtimes.coding.confinement import BEING_WRITTEN, Refused, Tree, digest, parts_of

LIMIT = 10_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A worktree with a file, and beside it what must not be reached."""
    (tmp_path / "secret.txt").write_text("key")
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("one\n")
    (root / ".git").write_text("gitdir: /elsewhere\n")
    return root


def test_a_file_is_read_by_its_path_from_the_top_or_by_its_absolute_one(root: Path) -> None:
    for name in ("src/a.py", "./src//a.py", str(root / "src" / "a.py")):
        found = Tree(root).read(name, LIMIT)
        assert found is not None
        assert found.content == b"one\n"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "src/../../secret.txt",
        "src/../src/a.py",
        "/etc/passwd",
        "//etc/passwd",
        ".git",
        ".GIT/config",
        "src/.git/hooks/pre-commit",
        ".git./config",
        ".git /config",
        "GIT~1/config",
        ".git::$INDEX_ALLOCATION/config",
        ".g\u200cit/config",
        "src/a.py\x00.txt",
        "src/\x1b]52;c;x\x07a.py",
        "src/a\nb.py",
        "a" * 300,
        "a/" * 600,
        "\udc80.py",
    ],
)
def test_a_path_that_leaves_or_hides_is_refused_by_its_words(root: Path, name: str) -> None:
    with pytest.raises(Refused):
        Tree(root).read(name, LIMIT)
    with pytest.raises(Refused):
        Tree(root).write(name, b"x", before=None)


@pytest.mark.parametrize("target", ["../secret.txt", "src/a.py", "/dev/zero", "nowhere"])
def test_a_link_is_never_followed_wherever_it_leads(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    with pytest.raises(Refused, match="is a link"):
        Tree(root).read("link", LIMIT)
    with pytest.raises(Refused, match="is a link"):
        Tree(root).write("link", b"x", before=None)
    assert (root.parent / "secret.txt").read_text() == "key"


def test_a_link_among_the_folders_of_a_path_is_not_followed_either(root: Path) -> None:
    (root / "out").symlink_to(root.parent, target_is_directory=True)
    with pytest.raises(Refused, match="is a link"):
        Tree(root).read("out/secret.txt", LIMIT)
    with pytest.raises(Refused, match="is a link"):
        Tree(root).write("out/new/file.txt", b"x", before=None)
    assert not (root.parent / "new").exists()


def test_devices_pipes_and_sockets_are_no_files(root: Path) -> None:
    os.mkfifo(root / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root)  # a socket's address is short
    listening.bind("socket")
    os.chdir(here)
    for name in ("pipe", "socket"):
        with pytest.raises(Refused, match="no regular file"):
            Tree(root).read(name, LIMIT)
        with pytest.raises(Refused, match="no regular file"):
            Tree(root).write(name, b"x", before=None)
    listening.close()


def test_a_second_name_of_a_file_elsewhere_is_refused(root: Path) -> None:
    (root / "again").hardlink_to(root.parent / "secret.txt")
    with pytest.raises(Refused, match="several names"):
        Tree(root).read("again", LIMIT)


def test_a_file_larger_than_the_limit_is_not_read(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(Refused, match="bytes"):
        Tree(root).read("huge", LIMIT)


def test_a_written_file_keeps_its_mode_and_leaves_nothing_beside_it(root: Path) -> None:
    script = root / "run.sh"
    script.write_text("old")
    script.chmod(0o755)
    Tree(root).write("run.sh", b"new", before=digest(b"old"))
    Tree(root).write("deep/er/new.txt", b"text", before=None)
    assert (script.read_text(), stat.S_IMODE(script.stat().st_mode)) == ("new", 0o755)
    assert (root / "deep/er/new.txt").read_text() == "text"
    assert not (root / BEING_WRITTEN).exists()


def test_what_changed_since_it_was_read_is_not_overwritten(root: Path) -> None:
    with pytest.raises(Refused, match="changed meanwhile"):
        Tree(root).write("src/a.py", b"x", before=digest(b"other"))
    with pytest.raises(Refused, match="changed meanwhile"):
        Tree(root).write("src/a.py", b"x", before=None)
    assert (root / "src/a.py").read_text() == "one\n"


@pytest.mark.parametrize("name", ["home/agents.yaml", "home/AGENTS.yaml", "home/agents.d/x.yaml", ".gitmodules"])
def test_what_says_who_decides_is_read_and_not_written(root: Path, name: str) -> None:
    tree = Tree(root, governing(root, root / "home"))
    assert tree.read(name, LIMIT) is None
    with pytest.raises(Refused, match="a person's to change"):
        tree.write(name, b"x", before=None)
    assert not (root / name).exists()


def test_another_projects_file_of_the_same_name_is_like_any_other(root: Path) -> None:
    elsewhere = Tree(root, governing(root, root.parent))
    elsewhere.write("agents.yaml", b"x", before=None)


def test_no_handle_stays_open(root: Path) -> None:
    tree = Tree(root)
    before = set(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").is_dir() else set()
    for name in ("src/a.py", "src/none", "src", "none/x", "src/a.py/x", "../x"):
        try:
            tree.read(name, LIMIT)
        except Refused:
            continue
    assert not before or set(Path("/proc/self/fd").iterdir()) == before


_NAMES = st.sampled_from(["a", "b", "..", ".", ".git", ".Git", "out", "in", "file", "sub", "~", "", "C:", "-rf"])


@given(words=st.lists(_NAMES, max_size=6), absolute=st.booleans())
def test_whatever_the_words_are_nothing_outside_is_read_or_changed(
    words: list[str], absolute: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    root = home / "tree"
    (root / "sub" / ".git").mkdir(parents=True)
    (root / "sub" / ".git" / "a").write_text("git's")
    (root / "a").write_text("inside")
    (root / "sub" / "a").write_text("inside")
    (home / "a").write_text("outside")
    (root / "out").symlink_to(home)
    (root / "in").symlink_to("sub")
    (root / "file").symlink_to("../a")
    name = ("/" if absolute else "") + "/".join(words)
    tree = Tree(root)
    try:
        found = tree.read(name, LIMIT)
        if found is not None:
            assert found.content == b"inside"
        tree.write(name, b"written", before=found.digest if found else None)
    except Refused:
        pass
    assert (home / "a").read_text() == "outside"
    assert sorted(path.name for path in home.iterdir()) == ["a", "tree"]
    assert (root / "sub" / ".git" / "a").read_text() == "git's"
    assert sorted(path.name for path in (root / "sub" / ".git").iterdir()) == ["a"]


@given(st.text())
def test_a_path_is_plain_names_or_refused(name: str) -> None:
    try:
        parts = parts_of(name, Path("/some/tree"))
    except Refused:
        return
    assert not any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts)
    assert ".git" not in [part.casefold().rstrip(". ") for part in parts]
