"""The command line against people who mistype, files that are broken, and texts that would steer a terminal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.apm_process import Apm, end, query
from tests.e2e.people import FILES, REQUEST, commit, git

STEERING = "\x1b[31m\u202e\x07"
"""A colour, a reversal of the writing direction and a bell: what no output may hand on."""


@pytest.fixture
def apm(tmp_path: Path) -> Apm:
    """The command line in a new workspace without a project."""
    home = tmp_path / "ws"
    assert Apm(tmp_path)("init", home).code == 0
    return Apm(tmp_path, home)


@pytest.fixture
def asked(apm: Apm) -> Apm:
    """The same with a project, and a vague work item that waits with question 1 for what it lacks."""
    add_greeter(apm)
    apm("work-item", "create", "make it better")
    assert apm("run", "1").code == 3
    return apm


def add_greeter(apm: Apm) -> Path:
    path = apm.cwd / "greeter"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    commit(path, "Greet people", FILES)
    assert apm("project", "add", path).code == 0
    return path


def workspace(apm: Apm) -> Path:
    assert apm.workspace is not None
    return apm.workspace


def bare(path: Path) -> None:
    path.mkdir()
    git(path, "init", "--quiet", "--bare")


def empty(path: Path) -> None:
    path.mkdir()
    git(path, "init", "--quiet")


def damaged(path: Path) -> None:
    (path / ".git").mkdir(parents=True)


NO_PROJECTS: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("plain folder", Path.mkdir, "is no git repository"),
    ("bare repository", bare, "is no git repository with a working tree"),
    ("no commit", empty, "has no commits yet"),
    ("damaged repository", damaged, "not a git repository"),
    ("file", Path.touch, "There is no folder"),
    ("nothing", lambda _: None, "There is no folder"),
)


def test_what_is_no_project_is_refused_in_a_sentence(apm: Apm) -> None:
    for name, make, reason in NO_PROJECTS:
        make(apm.cwd / name)
        ended = apm("project", "add", apm.cwd / name, "--json")
        assert ended.code in (1, 2), name
        assert reason in ended.json["error"], name
        assert ended.err.count("\n") == 1, name
    assert apm("project", "list", "--json").json == []


@pytest.mark.parametrize("payload", ["{", "", '{"tests": {"total": NaN}}', "[" * 100_000], ids=range(4))
def test_a_payload_that_is_no_json_object_is_bad_usage(tmp_path: Path, payload: str) -> None:
    ended = Apm(tmp_path)("gate", "check", "R1", "-", "--json", stdin=payload)
    assert ended.code == 2
    assert ended.json["error"].startswith("The payload is not JSON: ")


BAD_USAGE = (
    "route no.such",
    "schema no.such",
    "work-item create t --body /nowhere",
    "work-item create t --impact 11",
    "work-item show 7",
    "run",
    "run 7",
    "escalation show 7",
    "agents show nobody",
    "decide --agent nobody --kind x",
    "nonsense",
)


def test_bad_usage_is_one_json_document_and_exit_code_2(apm: Apm) -> None:
    for line in BAD_USAGE:
        ended = apm(*line.split(), "--json")
        assert ended.code == 2, line
        assert list(ended.json) == ["error"], line
        assert "inside apm" not in ended.err, line


MALFORMED = ["{", "[]", "null", '"x"', "{}", '{"nope": "x"}', '{"business_context": 5}', '{"acceptance_criteria": [1]}']


def test_a_malformed_answer_changes_nothing(asked: Apm) -> None:
    resolve = ("escalation", "resolve", "1", "--option", "supply", "--reason", "r", "--json", "--answer")
    ended = [asked(*resolve, text) for text in MALFORMED]
    assert [e.code for e in ended] == [2] * len(MALFORMED)
    assert all(e.json["error"] for e in ended)
    assert [q["status"] for q in asked("escalation", "list", "--json").json] == ["open"]
    assert query(workspace(asked), "SELECT count(*) FROM answers") == [(0,)]


def test_of_answers_at_the_same_moment_one_counts(asked: Apm) -> None:
    option = ("escalation", "resolve", "1", "--reason", "r", "--json", "--option")
    ended = [end(p) for p in [asked.start(*option, key) for key in ("stop", "retry", "stop", "retry")]]
    assert sorted(e.code for e in ended) == [0, 2, 2, 2]
    assert all("already answered" in e.json["error"] for e in ended if e.code)
    assert query(workspace(asked), "SELECT count(*) FROM answers") == [(1,)]


def test_of_several_runs_one_drives_and_all_tell_the_same_end(apm: Apm) -> None:
    add_greeter(apm)
    (apm.cwd / "body.md").write_text(REQUEST)
    for title in ("One", "Two"):
        apm("work-item", "create", title, "--body", apm.cwd / "body.md")
    ended = [end(p) for p in [apm.start("run", "--all", "--json") for _ in range(3)]]
    assert [e.code for e in ended] == [3, 3, 3]
    assert [[w["state"] for w in e.json["work_items"]] for e in ended] == [["waiting", "waiting"]] * 3
    keys = "work_item || '|' || phase || '|' || round || '|' || agent || '|' || subject"
    ((count, distinct),) = query(workspace(apm), f"SELECT count(*), count(DISTINCT {keys}) FROM delegations")
    assert count == distinct > 0
    assert apm("audit", "verify").code == 0


def test_a_broken_registry_is_named_by_line_and_loses_nothing(asked: Apm) -> None:
    file = workspace(asked) / "agents.yaml"
    good = file.read_text()
    file.write_text(good.replace("parallel_work_items: 4", "parallel_work_items: many"))
    ended = asked("run", "--all", "--json")
    assert ended.code == 2
    line = good[: good.index("parallel_work_items")].count("\n") + 1
    assert ended.json["error"].startswith(f"agents.yaml:{line}: defaults.limits.parallel_work_items: ")
    file.write_text(good)
    assert asked("run", "--all").code == 3
    assert [q["id"] for q in asked("escalation", "list", "--json").json] == [1]


def test_a_database_from_a_newer_version_is_left_as_it_is(asked: Apm) -> None:
    file = workspace(asked) / "state" / "apm.db"
    connection = sqlite3.connect(file)
    connection.execute("INSERT INTO schema_migration (name, applied) VALUES ('0999_future', '2030-01-01')")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    for words in (("run", "--all"), ("work-item", "list"), ("work-item", "create", "t")):
        ended = asked(*words, "--json")
        assert ended.code == 1
        assert "was written by a newer apm" in ended.json["error"]
    assert file.read_bytes() == before


def test_no_text_of_a_request_steers_the_terminal(apm: Apm) -> None:
    add_greeter(apm)
    body = apm.cwd / "body.md"
    body.write_text(
        REQUEST.replace("Greet in", f"{STEERING}[red]Greet in").replace("Customers", f"{STEERING}Customers")
    )
    title = f"Fix {STEERING}[bold]it[/bold]\n## [9.9.9]\n\n- " + "." * 200
    apm("work-item", "create", title, "--body", body, "--tag", STEERING)
    runs = apm("run", "1")
    assert runs.code == 3
    shown = [apm(*w) for w in (("work-item", "show", "1"), ("work-item", "list"), ("escalation", "show", "1"))]
    shown += [apm(*w) for w in (("audit", "tail"), ("briefing",), ("escalation", "list"))]
    assert [e.code for e in shown] == [0] * 6
    assert not set(STEERING) & set("".join(e.out + e.err for e in [*shown, runs])) - set("[31m")
    question = json.loads(apm("escalation", "show", "1", "--json").out)
    assert question["details"]["branch"] == "apm/1-fix-bold-it-bold-9-9-9"
