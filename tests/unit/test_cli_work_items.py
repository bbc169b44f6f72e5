"""`apm work-item`: requests are created, looked at, accepted and cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.orchestration import work_items
from core.store import reads
from core.store.schema import Intent
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.unit import git_project
from tests.unit.command_line import CommandLine
from tui.cli import options

SHOWN = {"id", "title", "type", "state", "phase", "artifacts", "phases", "delegations", "escalations"}


def test_a_new_work_item_is_proposed_and_holds_its_request(line: CommandLine) -> None:
    ended = line("work-item", "create", "Export as CSV", "--type", "bug", "--tag", "a", "--tag", "b", "--json")
    assert ended.code == 0
    shown = ended.json
    assert set(shown) >= SHOWN
    assert (shown["id"], shown["state"], shown["type"], shown["tags"]) == (1, "proposed", "bug", ["a", "b"])
    assert [a["type"] for a in shown["artifacts"]] == ["request.raw"]
    assert len(shown["artifacts"][0]["digest"]) == 64
    assert shown["phases"] == shown["delegations"] == shown["escalations"] == []


def test_with_accept_it_is_ready_at_once(line: CommandLine) -> None:
    assert line("work-item", "create", "Export as CSV", "--accept", "--json").json["state"] == "ready"


def test_the_body_comes_from_a_file_or_from_standard_input(line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "anfrage ü.md"
    file.write_text("# Why\nEs fehlt.\n", encoding="utf-8")
    from_file = line("work-item", "create", "One", "--body", file, "--json").json
    from_stdin = line("work-item", "create", "One", "--body", "-", "--json", stdin="# Why\nEs fehlt.\n").json
    assert from_file["artifacts"][0]["digest"] == from_stdin["artifacts"][0]["digest"]


def test_a_request_of_two_megabytes_is_taken(line: CommandLine) -> None:
    ended = line("work-item", "create", "Long", "--body", "-", "--json", stdin="The export must work.\n" * 95_000)
    assert ended.code == 0


def test_a_request_that_is_longer_than_is_kept_is_refused(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_items, "MOST_BODY", 1_000)
    assert line("work-item", "create", "Long", "--body", "-", stdin="x" * 1_000).code == 0
    ended = line("work-item", "create", "Long", "--body", "-", stdin="x" * 1_001)
    assert ended.code == 2
    assert "1,001 characters; at most 1,000 are taken" in ended.err
    assert len(line("work-item", "list", "--json").json) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("",), "has no title; say in a few words"),
        (("x" * 301,), "The title has 301 characters; at most 300 are taken"),
        (("x", "--tag", "y" * 65), "has 65 characters; at most 64 are taken"),
        (("x", "--impact", "11"), "1<=x<=10"),
        (("x", "--type", "epic"), "'feature', 'bug', 'chore', 'spike', 'docs'"),
        (("x", "--project", "nowhere"), "no project 'nowhere'"),
        (("x", "--body", "nowhere.md"), "nowhere.md cannot be read"),
    ],
)
def test_a_request_that_cannot_be_is_refused_and_nothing_is_kept(
    line: CommandLine, words: tuple[str, ...], told: str
) -> None:
    ended = line("work-item", "create", *words)
    assert ended.code == 2
    assert told in ended.err
    assert line("work-item", "list", "--json").json == []


def test_what_a_person_wrote_is_kept_letter_by_letter(line: CommandLine) -> None:
    title, body = "کتاب\u200cها را " + "می\u200cخواهم", "A family 👩\u200d👩\u200d👧 counts as one.\n"
    line("work-item", "create", title, "--body", "-", stdin=body)
    with Workspace.open(line.folder) as workspace:
        kept = workspace.store.read_now(lambda r: reads.artifact_content(r, 1))

    assert (kept["title"], kept["body"]) == (title, body)


def test_a_body_that_is_not_text_is_refused(line: CommandLine) -> None:
    ended = line("work-item", "create", "x", "--body", "-", stdin=b"\xff\xd8\xff")
    assert ended.code == 2
    assert "not UTF-8 text (byte 0)" in ended.err


def test_a_title_cannot_write_to_the_terminal(line: CommandLine) -> None:
    line("work-item", "create", "Fix \x1b]52;c;cHduZWQ=\x07 [bold]it[/bold]\u202e now")
    ended = line("work-item", "list")
    assert "\x1b" not in ended.out
    assert "Fix [bold]it[/bold] now" in ended.out


def test_the_only_project_is_taken_when_none_is_named(line: CommandLine, tmp_path: Path) -> None:
    git_project.commit(tmp_path / "one", {"a.py": "x = 1\n"})
    line("project", "add", tmp_path / "one")
    assert line("work-item", "create", "x", "--json").json["project"] == "one"
    assert line("work-item", "create", "x", "--no-project", "--json").json["project"] is None
    git_project.commit(tmp_path / "two", {"a.py": "x = 1\n"})
    line("project", "add", tmp_path / "two")
    assert line("work-item", "create", "x", "--json").json["project"] is None
    assert line("work-item", "create", "x", "--project", "2", "--json").json["project"] == "two"


def test_the_types_are_those_of_the_engine() -> None:
    assert options.WORK_ITEM_TYPES == work_items.TYPES


def test_accepting_twice_changes_nothing_and_cancelling_ends_it(line: CommandLine) -> None:
    line("work-item", "create", "x")
    assert line("work-item", "accept", "1", "--json").json["state"] == "ready"
    assert line("work-item", "accept", "1", "--json").json["state"] == "ready"
    assert line("work-item", "cancel", "1", "--json").json["state"] == "cancelled"
    ended = line("work-item", "accept", "1")
    assert ended.code == 2
    assert "cancelled already" in ended.err


def test_several_are_accepted_or_cancelled_at_once_all_or_none(line: CommandLine) -> None:
    for title in ("one", "two", "three"):
        line("work-item", "create", title)

    assert [item["state"] for item in line("work-item", "accept", "1", "2", "1", "--json").json] == ["ready", "ready"]
    refused = line("work-item", "cancel", "1", "9", "2")
    assert (refused.code, "There is no work item 9" in refused.err) == (2, True)
    assert [item["state"] for item in line("work-item", "list", "--json").json] == ["proposed", "ready", "ready"]
    assert line("work-item", "cancel", "1", "3").out.splitlines() == [
        f"Work item {number} is cancelled; its open questions are withdrawn." for number in (1, 3)
    ]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_cancelling_says_what_its_release_has_done_outside(line: CommandLine, words: tuple[str, ...]) -> None:
    line("work-item", "create", "x")

    def begin(tx: Transaction) -> None:
        of = {"work_item": 1, "phase": "O1", "round": 1, "agent": "deploy-orchestrator", "subject": ""}
        tx.insert(Intent, **of, at=tx.now)
        tx.event("delegation.intended", work_item=1)

    line.write(begin)
    assert "Its release was begun and cut short" in line("work-item", "cancel", "1", *words).out


def test_the_list_is_an_array_newest_first(line: CommandLine) -> None:
    for title in ("one", "two", "three"):
        line("work-item", "create", title)
    assert [i["title"] for i in line("work-item", "list", "--json").json] == ["three", "two", "one"]
    assert [i["id"] for i in line("work-item", "list", "-n", "1", "--json").json] == [3]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_list_that_ends_before_its_end_says_so(line: CommandLine, words: tuple[str, ...]) -> None:
    for title in ("first", "second", "third"):
        line("work-item", "create", title)
    ended = line("work-item", "list", "--limit", "2", *words)
    assert "There are more than 2; --limit" in ended.err
    assert ("third" in ended.out, "second" in ended.out, "first" in ended.out) == (True, True, False)
    assert line("work-item", "list", "--limit", "3", *words).err == ""


def test_a_number_that_is_none_is_refused(line: CommandLine) -> None:
    for command in ("show", "accept", "cancel"):
        ended = line("work-item", command, "7")
        assert ended.code == 2
        assert "There is no work item 7" in ended.err


@pytest.mark.parametrize("words", [("run",), ("run", "1", "--all")])
def test_run_wants_numbers_or_all_and_not_both(line: CommandLine, words: tuple[str, ...]) -> None:
    ended = line(*words)
    assert ended.code == 2
    assert "--all" in ended.err


def test_run_all_leaves_proposals_of_the_evolution_and_paused_ones_alone(line: CommandLine) -> None:
    line.write(lambda tx: work_items.create(tx, title="Pay the debt", origin="evolution"))
    line("work-item", "create", "Later", "--accept")
    line.write(lambda tx: work_items.pause(tx, 2, by="ada"))
    ended = line("run", "--all", "--json")
    assert (ended.json["work_items"], "Left out, since they are paused: 2." in ended.err) == ([], True)
    assert [i["state"] for i in line("work-item", "list", "--json").json] == ["ready", "proposed"]
    assert "ready, paused" in line("work-item", "list").out
    assert "ready, paused" in line("work-item", "show", "2").out


def test_run_says_that_it_resumes_what_is_paused(line: CommandLine) -> None:
    for title in ("One", "Two"):
        line("work-item", "create", title, "--accept")
    line.write(lambda tx: work_items.pause(tx, 2, by="ada"))
    assert "Resumed" not in line("run", "1").err
    assert "Resumed: 2." in line("run", "2").err


def test_run_accepts_nothing_when_one_of_its_numbers_is_wrong(line: CommandLine) -> None:
    line("work-item", "create", "x")
    assert line("run", "1", "9").code == 2
    assert line("work-item", "show", "1", "--json").json["state"] == "proposed"


def test_running_everything_where_there_is_nothing_is_no_failure(line: CommandLine) -> None:
    ended = line("run", "--all", "--json")
    assert ended.code == 0
    assert set(ended.json) == {"work_items", "gates", "artifacts", "seconds"}
    assert ended.json["work_items"] == []


@pytest.mark.parametrize("option", ["--replay", "--record"])
def test_a_cassette_that_is_none_is_bad_usage_before_any_work_item_is_let_go(
    line: CommandLine, tmp_path: Path, option: str
) -> None:
    line("work-item", "create", "Export as CSV")
    before = line("audit", "tail", "--json").json
    cassette = tmp_path / "cas.json"
    cassette.write_text('{"a": 1}')

    ended = line("run", "1", option, cassette)

    assert (ended.code, ended.out) == (2, "")
    assert f"{cassette} is no cassette: it has no `format`; `apm run --record FILE` makes one." in ended.err
    assert line("work-item", "show", "1", "--json").json["state"] == "proposed"
    assert line("audit", "tail", "--json").json == before
    assert cassette.read_text() == '{"a": 1}'


def test_no_cassette_is_begun_for_a_work_item_that_cannot_go(line: CommandLine, tmp_path: Path) -> None:
    assert line("run", "9", "--record", tmp_path / "cas.json").code == 2
    assert not (tmp_path / "cas.json").exists()


SIGNED = [
    ("work-item", "create", "Export as CSV", "--accept"),
    ("work-item", "accept", "1"),
    ("work-item", "cancel", "1"),
    ("run", "1"),
    ("run", "--all"),
    ("scope", "review"),
]


@pytest.mark.parametrize("name", ["", "   ", "technical", "schedule"])
@pytest.mark.parametrize("words", SIGNED, ids=" ".join)
def test_nobody_signs_without_a_name_of_their_own(line: CommandLine, words: tuple[str, ...], name: str) -> None:
    line("work-item", "create", "Export as CSV")
    before = line("audit", "tail", "--json").json

    ended = line(*words, "--by", name)

    assert (ended.code, ended.out) == (2, "")
    assert ("Say who decides this: a name is missing." if not name.strip() else repr(name)) in ended.err
    assert line("audit", "tail", "--json").json == before


def test_a_name_is_kept_as_it_is_shown(line: CommandLine) -> None:
    line("work-item", "create", "Export as CSV", "--accept", "--by", " Ada  Lovelace ")

    event = next(e for e in line("audit", "tail", "--json").json if e["kind"] == "work_item.accepted")
    assert event["payload"]["by"] == "Ada Lovelace"
