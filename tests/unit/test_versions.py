"""Which version follows, and that an edit changes the characters of the version and nothing else."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents import bumps, versions
from core.agents.bumps import bump_of, is_greater, is_version, next_version
from core.agents.versions import VersionError, find_version, with_version

NUMBER = st.integers(0, 3000)
SEMVER = st.builds(
    lambda numbers, pre, build: ".".join(map(str, numbers)) + pre + build,
    st.tuples(NUMBER, NUMBER, NUMBER),
    st.sampled_from(["", "", "-rc.1", "-alpha", "-0.3.7", "-x.7.z.92"]),
    st.sampled_from(["", "", "+build.5"]),
)
PEP440 = st.builds(
    lambda numbers, pre: ".".join(map(str, numbers)) + pre,
    st.lists(NUMBER, min_size=1, max_size=5),
    st.sampled_from(["", "rc1", "a2", ".dev3", ".post1", "b1.dev2"]),
)
LEVEL = st.sampled_from(bumps.LEVELS)


@pytest.mark.parametrize(
    ("current", "level", "expected"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3+build", "patch", "1.2.4"),
        ("1.3.0-rc.1", "minor", "1.3.0"),
        ("1.3.0-rc.1", "patch", "1.3.0"),
        ("1.3.1-rc.1", "minor", "1.4.0"),
        ("2.0.0-rc.1", "major", "2.0.0"),
        ("1.2", "patch", "1.2.1"),
        ("1.2", "minor", "1.3"),
        ("1.2", "major", "2.0"),
        ("1", "minor", "1.1"),
        ("1.2.3.4", "patch", "1.2.4.0"),
        ("1.2.3rc1", "patch", "1.2.3"),
        ("1.2.3.dev0", "minor", "1.3.0"),
        ("1.0.post1", "patch", "1.0.1"),
        ("1!1.0", "minor", "1!1.1"),
        ("2024.1", "minor", "2024.2"),
        ("2024.1", "major", "2024.2"),
        ("2024.01.0", "patch", "2024.01.1"),
        ("2024.09", "patch", "2024.10"),
    ],
)
def test_the_next_version(current: str, level: str, expected: str) -> None:
    assert next_version(current, level) == expected


@given(st.one_of(SEMVER, PEP440), LEVEL)
def test_the_next_version_is_always_greater_and_a_release(current: str, level: str) -> None:
    following = next_version(current, level)

    assert is_greater(following, current)
    assert not is_greater(current, following)
    assert is_version(following)


@given(SEMVER, SEMVER)
def test_semver_precedence_is_a_total_order_up_to_build_metadata(one: str, other: str) -> None:
    assert not (is_greater(one, other) and is_greater(other, one))
    if not is_greater(one, other) and not is_greater(other, one):
        assert one.partition("+")[0] == other.partition("+")[0]


def test_precedence_follows_the_example_of_semver_11() -> None:
    suffixes = ["-alpha", "-alpha.1", "-alpha.beta", "-beta", "-beta.2", "-beta.11", "-rc.1", ""]

    assert all(is_greater(f"1.0.0{later}", f"1.0.0{earlier}") for earlier, later in itertools.pairwise(suffixes))


@pytest.mark.parametrize("text", ["", "latest", "v1.0.0", "1.0.0/../x", "1..0", "1.0.0 ", "1.0.0\n", "9" * 200])
def test_what_is_no_version(text: str) -> None:
    assert not is_version(text)


@pytest.mark.parametrize(
    ("item", "messages", "current", "level", "breaking"),
    [
        ({"type": "feature"}, [], "1.2.3", "minor", False),
        ({"type": "bug"}, [], "1.2.3", "patch", False),
        ({"type": "docs"}, ["docs: say it"], "1.2.3", "patch", False),
        ({"type": "bug", "tags": ["Breaking"]}, [], "1.2.3", "major", True),
        ({"type": "bug"}, ["feat(api)!: drop it"], "1.2.3", "major", True),
        ({"type": "bug"}, ["fix: x\n\nBREAKING CHANGE: y"], "1.2.3", "major", True),
        ({"type": "bug"}, ["fix: x\n\nno BREAKING CHANGE here"], "1.2.3", "patch", False),
        ({"type": "bug"}, ["Stop! It: hurts"], "1.2.3", "patch", False),
        ({"type": "chore", "tags": ["breaking"]}, [], "0.2.3", "minor", True),
        ({"type": "feature"}, [], "0.2", "minor", False),
    ],
)
def test_the_bump_follows_type_and_breaking_markers(
    item: dict[str, Any], messages: list[str], current: str, level: str, breaking: bool
) -> None:
    bump = bump_of(item, messages, current)

    assert (bump.level, bump.breaking) == (level, breaking)
    assert bump.reason


FILES = {
    "pyproject": '[tool.x]\nversion = "1.2.3"\n\n[project]  # ours\nname = "a"\nversion   = \'1.2.3\' # keep "1.2.3"\n',
    "poetry": '[tool.poetry]\r\nname = "a"\r\nversion = "1.2.3"\r\n\r\n[tool.poetry.dependencies]\r\nb = "1.2.3"\r\n',
    "setup.cfg": "[bumpversion]\nversion = 1.2.3\n\n[metadata]\nname = a\nversion = 1.2.3\n# 1.2.3\n",
    "setup.py": '"""1.2.3"""\nfrom setuptools import setup\nV = "1.2.3"\nsetup(name="é", version=V, x="1.2.3")\n',
    "dunder": '\ufeff"""Package 1.2.3."""\n\n__author__ = "ß"; __version__: str = u"1.2.3"  # 1.2.3\n',
    "package.json": '{\n  "dependencies": {"version": "1.2.3"},\n  "version" : "1.2.3",\n\t"x": 1\n}\n',
    "VERSION": "v1.2.3\n\n",
    "cargo": '[dependencies]\nversion = "1.2.3"\n[package]\nname = "a"\nversion = "1.2.3"\n',
}


@pytest.mark.parametrize("kind", FILES)
def test_only_the_characters_of_the_version_change(kind: str) -> None:
    text = FILES[kind]

    place = find_version(text, kind)

    assert place is not None
    assert place.value == "1.2.3"
    changed = with_version(text, place, "1.3.0")
    assert changed[: place.start] == text[: place.start]
    assert changed[place.start + 5 :] == text[place.end :]
    after = find_version(changed, kind)
    assert after is not None
    assert after.value == "1.3.0"
    assert with_version(changed, after, "1.2.3") == text


@given(
    version=st.one_of(SEMVER, PEP440),
    before=st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=40),
    after=st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=40),
    new=SEMVER,
)
def test_a_bump_and_its_reverse_give_the_same_module(version: str, before: str, after: str, new: str) -> None:
    text = f'first = {before!r}\nother = {after!r}\n__version__ = "{version}"\nlast = {before!r}\n'

    place = find_version(text, "dunder")
    assert place is not None
    changed = with_version(text, place, new)
    back = find_version(changed, "dunder")

    assert back is not None
    assert back.value == new
    assert with_version(changed, back, version) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("pyproject", '[project]\nname = "a"\ndynamic = ["version"]\n'),
        ("setup.cfg", "[metadata]\nversion = attr: a.__version__\n"),
        ("setup.py", "from setuptools import setup\nsetup(version=read())\n"),
        ("dunder", "__version__ = '.'.join(map(str, VERSION))\nVERSION = (1, 2)\n"),
        ("dunder", '__version__ = "1." "2"\n'),
        ("cargo", "[package]\nversion.workspace = true\n"),
        ("package.json", '{"name": "a"}'),
        ("VERSION", "1.2.3 is the version\n"),
    ],
)
def test_a_file_that_states_no_version_itself(kind: str, text: str) -> None:
    assert find_version(text, kind) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [("pyproject", "[project\n"), ("dunder", "def"), ("package.json", "{"), ("setup.cfg", "x"), ("other", "")],
)
def test_a_broken_file_is_named(kind: str, text: str) -> None:
    with pytest.raises(VersionError, match=r"the-file"):
        find_version(text, kind, "the-file")


def test_places_that_repeat_the_version_are_found(tmp_path: Path) -> None:
    package = tmp_path / "src" / "a" / "b"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (package / "_version.py").write_text('__version__ = "9"\n')
    (package / "version.py").write_text("def broken(\n")

    found = versions.second_places(tmp_path, "pyproject", "pyproject.toml", ["a/b", "src/a/b"], "1.2.3")

    assert found == [("src/a/b/__init__.py", "dunder")]


def test_lock_files_are_second_places(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"version": "1.2.3"}')
    lock = tmp_path / "package-lock.json"
    lock.write_text('{"version": "1.2.3", "packages": {"": {"version": "1.2.3"}, "node_modules/x": {"version": "1"}}}')

    for path, kind in versions.second_places(tmp_path, "package.json", "package.json", [], "1.2.3"):
        versions.write_version(tmp_path, path, kind, "2.0.0")

    assert lock.read_text() == (
        '{"version": "2.0.0", "packages": {"": {"version": "2.0.0"}, "node_modules/x": {"version": "1"}}}'
    )


def test_bytes_that_are_not_utf8_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b'# caf\xe9\r\n__version__ = "1.2.3"\r\n')

    versions.write_version(tmp_path, "a.py", "dunder", "1.2.4")

    assert (tmp_path / "a.py").read_bytes() == b'# caf\xe9\r\n__version__ = "1.2.4"\r\n'


def test_a_link_out_of_the_worktree_is_not_followed(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.write_text("1.2.3\n")
    tree.mkdir()
    (tree / "VERSION").symlink_to(outside)

    with pytest.raises(VersionError, match="symbolic link"):
        versions.write_version(tree, "VERSION", "VERSION", "1.3.0")
    (tree / "round").symlink_to("round")
    with pytest.raises(VersionError, match="symbolic link"):
        versions.read_place(tree, "round", "VERSION")

    assert outside.read_text() == "1.2.3\n"
