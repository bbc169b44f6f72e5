"""What a coding agent's tools do in a worktree, and what they tell a model, which is never more than material."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json
from core.projects.sandbox import Place, Sandbox
from core.redaction import MARK, redact
from core.runtimes.coding.confinement import Refused, Tree
from core.runtimes.coding.declared import declared
from core.runtimes.coding.limits import Limits, limits_of
from core.runtimes.coding.texts import Text, decode, visible_lines
from core.runtimes.coding.tools import TOOLS, allowed, mistake, schemas
from core.runtimes.coding.workbench import Workbench
from core.runtimes.models.material import between_marks
from tests.unit.git_project import commit, git, project

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabcdefghijklmnop\n-----END RSA PRIVATE KEY-----"
FILES = {
    "src/app.py": "def one():\n    return 1\n\n\ndef two():\n    return 2\n",
    "keys.txt": f"first\n{KEY}\nlast, token = 'abcd1234efgh5678'\n",
    "same.txt": "x\nx\n",
}


def bench(root: Path, limits: Limits | None = None, **settings: Any) -> Workbench:
    """The tools in a folder that is a repository; commands run without a sandbox, which has tests of its own."""
    told = project(root, **settings)
    limits = limits or Limits()
    commands = declared(told, root, limits.command_seconds)
    return Workbench(Tree(root), redact, limits, commands, Sandbox("no-such-program"), Place(root, disarmed=root))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    commit(tmp_path / "tree", FILES)
    return tmp_path / "tree"


def material_of(text: str) -> str:
    found = re.fullmatch(r"[^\n]*\n<material-(\w+)>\n(.*)\n</material-\1>", text, re.S)
    assert found is not None, text
    return found[2]


async def test_a_file_is_shown_with_its_line_numbers_between_marks(root: Path) -> None:
    shown = await bench(root).read({"path": "src/app.py", "from_line": 5, "to_line": 6})
    assert shown.text.startswith("src/app.py, lines 5 to 6 of 6:\n")
    assert material_of(shown.text) == "5\tdef two():\n6\t    return 2"


async def test_a_long_file_is_shown_as_far_as_there_is_room_and_says_where_to_go_on(root: Path) -> None:
    (root / "long.txt").write_text("\n".join(f"line {n}" for n in range(1, 2_001)))
    shown = await bench(root, Limits(result_characters=200)).read({"path": "long.txt"})
    assert "go on with from_line" in shown.text.split("\n")[0]
    assert len(shown.text) < 400


async def test_secrets_are_not_shown_and_the_lines_after_them_keep_their_numbers(root: Path) -> None:
    shown = material_of((await bench(root).read({"path": "keys.txt"})).text)
    assert "MIIE" not in shown
    assert "abcd1234" not in shown
    assert shown.split("\n")[-1].startswith("6\tlast")


@pytest.mark.parametrize("pattern", ["MIIE", "abcdefghijkl", "abcd1234"])
@pytest.mark.parametrize("regex", [False, True])
async def test_a_secret_cannot_be_searched_for_either(root: Path, pattern: str, regex: bool) -> None:
    found = await bench(root).search({"pattern": pattern, "regex": regex})
    assert found.text.startswith("No line")


async def test_lines_are_found_by_a_text_and_by_an_expression(root: Path) -> None:
    by_text = await bench(root).search({"pattern": "return 2"})
    by_expression = await bench(root).search({"pattern": r"def (one|two)\(", "regex": True, "path": "src"})
    assert material_of(by_text.text) == "src/app.py:6:return 2"
    assert material_of(by_expression.text).split("\n") == ["src/app.py:1:def one():", "src/app.py:5:def two():"]


async def test_an_expression_that_never_ends_is_ended(root: Path) -> None:
    (root / "a.txt").write_text("a" * 60)
    with pytest.raises(Refused, match="took longer"):
        await bench(root, Limits(search_seconds=0.5)).search({"pattern": "(a|a)*b", "regex": True})


async def test_no_expression_is_told_as_such(root: Path) -> None:
    with pytest.raises(Refused, match="no regular expression"):
        await bench(root).search({"pattern": "(", "regex": True})


async def test_a_listing_names_files_and_folds_folders_when_there_are_too_many(root: Path) -> None:
    assert material_of((await bench(root).list_files({})).text).split("\n") == sorted(FILES)
    for number in range(450):
        (root / f"src/f{number}.txt").write_text("")
    folded = material_of((await bench(root).list_files({})).text).split("\n")
    assert folded == ["keys.txt", "same.txt", "src/ (451 files)"]


async def test_an_edit_replaces_the_one_place_and_says_how_often_it_was_found_otherwise(root: Path) -> None:
    tools = bench(root)
    change = await tools.planned("edit", {"path": "src/app.py", "old": "return 2", "new": "return 3"})
    tools.apply(change)
    assert (root / "src/app.py").read_text() == FILES["src/app.py"].replace("return 2", "return 3")
    assert "-    return 2\n+    return 3" in change.diff
    for old, times in (("return 9", "0 times"), ("x", "2 times")):
        with pytest.raises(Refused, match=times):
            await tools.planned("edit", {"path": "same.txt", "old": old, "new": "y"})


@pytest.mark.parametrize(
    "content",
    [
        b"one\r\ntwo\r\n",
        b"\xef\xbb\xbfone\ntwo\n",
        b"\xff\xfe" + "one\r\ntwo\r\n".encode("utf-16-le"),
        b"caf\xe9 one\ntwo\n",
        b"one\ntwo without an end",
        b"one\r\ntwo\n",
    ],
)
async def test_an_edit_keeps_encoding_and_line_ends(root: Path, content: bytes) -> None:
    (root / "file.txt").write_bytes(content)
    tools = bench(root)
    tools.apply(await tools.planned("edit", {"path": "file.txt", "old": "one", "new": "1"}))
    wide = content.startswith(b"\xff\xfe")
    assert (root / "file.txt").read_bytes() == content.replace(
        b"o\0n\0e\0" if wide else b"one", b"1\0" if wide else b"1"
    )


async def test_a_place_holder_is_never_written_in_a_secrets_place(root: Path) -> None:
    tools = bench(root)
    with pytest.raises(Refused, match="secret"):
        await tools.planned("write", {"path": "new.txt", "content": f"password = {MARK}\n"})
    with pytest.raises(Refused, match="secret"):
        await tools.planned("edit", {"path": "keys.txt", "old": "first", "new": f"first {MARK}"})
    assert (await tools.planned("edit", {"path": "keys.txt", "old": "first", "new": "second"})).told


async def test_binary_files_and_too_large_ones_are_refused(root: Path) -> None:
    (root / "image").write_bytes(b"\x89PNG\0\0")
    tools = bench(root, Limits(file_bytes=1_000, written_bytes=1_500, files=2))
    with pytest.raises(Refused, match="binary"):
        await tools.planned("edit", {"path": "image", "old": "P", "new": "Q"})
    with pytest.raises(Refused, match="at most 1,000"):
        await tools.planned("write", {"path": "a", "content": "x" * 1_001})
    tools.ledger.paths |= {"a", "b"}
    tools.ledger.written = 1_000
    with pytest.raises(Refused, match="2 files"):
        await tools.planned("write", {"path": "c", "content": "x"})
    with pytest.raises(Refused, match="1,500"):
        await tools.planned("write", {"path": "a", "content": "x" * 600})


async def test_a_file_is_removed_and_another_moved_whatever_they_hold(root: Path) -> None:
    (root / "image").write_bytes(b"\x89PNG\0\0")
    git(root, "add", "image")
    tools = bench(root)
    removal = await tools.planned("remove", {"path": "same.txt"})
    tools.apply(removal)
    move = await tools.planned("move", {"path": "image", "to": "art/of/image.png"})
    tools.apply(move)
    assert not (root / "same.txt").exists()
    assert (root / "art/of/image.png").read_bytes() == b"\x89PNG\0\0"
    assert not (root / "image").exists()
    assert "-x\n-x\n" in removal.diff
    assert move.diff == "rename from image\nrename to art/of/image.png\n"


@pytest.mark.parametrize(
    ("name", "given_", "why"),
    [
        ("move", {"path": "same.txt", "to": "keys.txt"}, "something at keys.txt"),
        ("move", {"path": "same.txt", "to": "src"}, "something at src"),
        ("move", {"path": "same.txt", "to": "link"}, "something at link"),
        ("move", {"path": "same.txt", "to": "same.txt/x"}, "no folder"),
        ("move", {"path": "same.txt", "to": "same.txt"}, "something at"),
        ("move", {"path": "src", "to": "source"}, "no file of the project's"),
        ("move", {"path": "left.txt", "to": "mine.txt"}, "no file of the project's"),
        ("remove", {"path": "src"}, "no file of the project's"),
        ("remove", {"path": "left.txt"}, "no file of the project's"),
        ("remove", {"path": "gone.txt"}, "no file of the project's"),
        ("remove", {"path": "link"}, "is a link"),
    ],
)
async def test_what_is_no_file_of_its_own_stays_and_nothing_is_overwritten(
    root: Path, name: str, given_: Json, why: str
) -> None:
    """What a command left is nobody's to move: its content was never looked at for secrets, and would be committed."""
    (root / "left.txt").write_text("token of somebody\n")
    (root / "link").symlink_to("keys.txt")
    git(root, "add", "link")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".git" not in path.parts}
    with pytest.raises(Refused, match=why):
        await bench(root).planned(name, given_)
    assert all(path.read_bytes() == content for path, content in before.items())


async def test_a_file_that_changed_since_it_was_planned_is_neither_removed_nor_moved(root: Path) -> None:
    tools = bench(root)
    removal = await tools.planned("remove", {"path": "same.txt"})
    move = await tools.planned("move", {"path": "same.txt", "to": "other.txt"})
    (root / "same.txt").write_text("somebody else's\n")
    for change in (removal, move):
        with pytest.raises(Refused, match="changed meanwhile"):
            tools.apply(change)
    (root / "same.txt").write_text(FILES["same.txt"])
    (root / "other.txt").write_text("taken\n")
    with pytest.raises(Refused, match=r"something at other\.txt"):
        tools.apply(move)
    assert (root / "other.txt").read_text() == "taken\n"


async def test_a_declared_command_runs_and_its_evidence_is_ours(root: Path) -> None:
    (root / "tests").mkdir()
    (root / "tests/test_app.py").write_text("def test_a():\n    print('told'); assert False\n\ndef test_b(): pass\n")
    outcome = await bench(root, python=sys.executable).run(
        {"command": "test", "arguments": ["tests/test_app.py::test_a"]}
    )
    assert "test: exit code 1" in outcome.text
    assert "1 failed" in material_of(outcome.text)
    assert "passed" not in outcome.text
    assert outcome.evidence is not None
    assert outcome.evidence["exit_code"] == 1
    assert outcome.evidence["command"][-1] == "tests/test_app.py::test_a"


@pytest.mark.parametrize(
    "word",
    [
        "; rm -rf .", "--upload-pack=touch x", "-p", "--rootdir=/", "../x", "/etc/passwd", "$(id)", "`id`", "a b",
        "a\nb", "@file", ".git/hooks", "tests/x.py::a;b", "", "x\x00",
    ],
)  # fmt: skip
async def test_arguments_are_tests_or_refused(root: Path, word: str) -> None:
    with pytest.raises(Refused):
        await bench(root).run({"command": "test", "arguments": [word]})


async def test_a_command_of_the_projects_own_takes_no_arguments_unless_it_is_pytest(root: Path) -> None:
    tools = bench(root, test=["make", "test"], lint=[["true"], ["true", "-x"]])
    assert set(tools.commands.by_name) == {"test", "true", "true-2"}
    with pytest.raises(Refused, match="takes no arguments"):
        await tools.run({"command": "test", "arguments": ["tests"]})
    with pytest.raises(Refused, match="No command"):
        await tools.run({"command": "deploy"})
    assert bench(root, test=["{python}", "-m", "pytest", "-q"]).commands.by_name["test"].takes == "tests"


async def test_what_a_command_prints_does_not_tell_where_on_this_machine_it_ran(root: Path) -> None:
    told = await bench(root, test=["pwd"]).run({"command": "test"})
    assert material_of(told.text).strip() == "."


async def test_commands_are_run_a_limited_number_of_times(root: Path) -> None:
    tools = bench(root, Limits(commands=1), test=["true"])
    await tools.run({"command": "test"})
    with pytest.raises(Refused, match="limit"):
        await tools.run({"command": "test"})


async def test_a_submodules_place_cannot_be_taken_by_a_commands_own_repository(root: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    sha = commit(inner, {"a": "a\n"})
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{sha},sub")
    git(root, "commit", "-q", "-m", "a submodule")
    await bench(root, test=["cp", "-r", str(inner), "sub"]).run({"command": "test"})
    assert (root / "sub" / "a").exists()
    assert not (root / "sub" / ".git").exists()


def test_an_agent_has_the_tools_that_its_row_allows() -> None:
    assert set(allowed(["read"])) == {"list", "read", "done"}
    assert set(allowed(["read", "search", "edit", "write", "run"])) == {tool.name for tool in TOOLS}
    assert set(allowed([])) == {"done"}


def test_the_model_is_told_of_the_commands_that_there_are(root: Path) -> None:
    told = {s["name"]: s for s in schemas(allowed(["run"]), bench(root, lint=[["ruff", "check"]]).commands.by_name)}
    assert told["run"]["input_schema"]["properties"]["command"]["enum"] == ["ruff", "test"]
    assert all(s["input_schema"]["additionalProperties"] is False for s in told.values())


@pytest.mark.parametrize(
    ("name", "given_", "word"),
    [
        ("read", [], "object"),
        ("read", {}, "'path'"),
        ("read", {"path": 1}, "string"),
        ("read", {"path": "a", "from_line": 0}, "at least 1"),
        ("read", {"path": "a", "from_line": True}, "integer"),
        ("read", {"path": "a", "depth": 1}, "depth"),
        ("run", {"command": "test", "arguments": "x"}, "array"),
        ("run", {"command": "test", "arguments": [1]}, "array"),
        ("done", {"summary": "x", "verifies": {"AC1": "t"}}, "object"),
        ("done", {"summary": "x", "verifies": {}, "decisions": ["x"]}, "array"),
    ],
)
def test_what_is_wrong_with_an_input_is_said(name: str, given_: Json, word: str) -> None:
    tool = next(tool for tool in TOOLS if tool.name == name)
    assert word in mistake(tool, given_)


def test_limits_are_those_of_the_agents_row_and_leave_time_for_an_answer() -> None:
    own = {"turns": 5, "files": 6, "bytes": 7, "output_tokens": 8}
    found = limits_of({"seconds": 600, "limits": own})
    assert (found.turns, found.files, found.written_bytes, found.output_tokens, found.seconds) == (5, 6, 7, 8, 540.0)
    assert limits_of({}) == Limits()
    assert limits_of({"seconds": 86_400}).seconds == Limits().seconds


@given(st.binary(max_size=200))
def test_a_text_goes_back_to_the_bytes_it_came_from(content: bytes) -> None:
    try:
        found = decode(content, "x")
    except Refused:
        assert b"\0" in content
        return
    assert found.encoded(found.text) == content


@given(st.text(max_size=200))
def test_marks_hold_their_text_and_stand_nowhere_in_it(text: str) -> None:
    whole = between_marks(text)
    mark = whole.split("\n", 1)[0]
    assert mark not in text
    assert whole == f"{mark}\n{text}\n{mark.replace('<', '</')}"


@given(st.lists(st.sampled_from(["a\tb", KEY, "token = 'abcd1234efgh5678'", "\x1b[2J", "x\x0by", "\u202e"])))
def test_what_is_shown_has_as_many_lines_as_the_file_and_no_controls(lines: list[str]) -> None:
    text = "\n".join(lines)
    shown = visible_lines(text, redact)
    assert len(shown) == len(text.split("\n"))
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", "".join(shown))
    assert "MIIE" not in "".join(shown)


def test_latin_text_takes_no_character_that_it_has_not() -> None:
    with pytest.raises(Refused, match="latin-1"):
        Text("é", "latin-1").encoded("€")
