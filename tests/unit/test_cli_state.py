"""`apm state`: the shared context to a file and from one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.command_line import CommandLine

FACTS = {"strategic_state": {"mission": "Häuser bauen"}, "house_rules": ["no meetings"]}


def file_of(line: CommandLine) -> Path:
    return line.folder / "state" / "shared_context.json"


def test_export_writes_the_usual_file_and_prints_its_path(line: CommandLine) -> None:
    ended = line("state", "export")
    assert ended.code == 0
    assert ended.out.strip() == str(file_of(line))
    assert "milestone_requirements" in json.loads(file_of(line).read_text())


def test_export_writes_a_file_that_is_named(line: CommandLine, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    ended = line("state", "export", target, "--json")
    assert ended.json["file"] == str(target)
    assert ended.json["bytes"] == target.stat().st_size
    assert not file_of(line).exists()


def test_a_dash_prints_the_same_document(line: CommandLine) -> None:
    line("state", "export")
    printed = line("state", "export", "-")
    assert printed.json == json.loads(file_of(line).read_text())
    assert line("state", "export", "-", "--json").json == printed.json


def test_two_exports_of_one_state_are_equal_to_the_byte(line: CommandLine) -> None:
    line("decide", "--agent", "ux", "--kind", "layout")
    line("state", "export")
    first = file_of(line).read_bytes()
    line("state", "export")
    assert file_of(line).read_bytes() == first


def test_a_longer_log_says_how_much_of_it_is_listed(line: CommandLine) -> None:
    def work(tx: object) -> None:
        from core.store.schema import Decision
        from core.store.transaction import Transaction

        assert isinstance(tx, Transaction)
        for n in range(201):
            tx.insert(Decision, agent="ux", kind="k", question=str(n), impact=1, outcome="decided", rule="", at=n)
        tx.event("seeded")

    line.write(work)
    assert "decisions_log lists the newest 200 of 201." in line("state", "export").err


def test_what_was_exported_and_edited_is_imported(line: CommandLine) -> None:
    line("state", "export")
    context = json.loads(file_of(line).read_text())
    file_of(line).write_text(json.dumps(context | FACTS), encoding="utf-8")
    ended = line("state", "import", "--by", "grace")
    assert ended.code == 0
    assert "Taken in, in place of what was there: strategic_state, house_rules." in ended.out
    exported = line("state", "export", "-").json
    assert {key: exported[key] for key in FACTS} == FACTS
    [event] = [e for e in line("audit", "tail", "--json").json if e["kind"] == "context.imported"]
    assert event["payload"]["by"] == "grace"


def test_a_document_comes_by_standard_input(line: CommandLine) -> None:
    ended = line("state", "import", "-", "--json", stdin=json.dumps(FACTS))
    assert ended.json == {"kept": ["strategic_state", "house_rules"], "unchanged": [], "left_out": {}}


def test_what_is_left_out_is_told_with_its_reason(line: CommandLine) -> None:
    line("decide", "--agent", "ux", "--kind", "layout")
    line("state", "export")
    ended = line("state", "import")
    assert "Nothing was changed" in ended.out
    assert "Left out, because a record is earned in its own workspace: decisions_log (1)" in ended.out


def test_an_import_without_a_file_names_the_one_that_is_missing(line: CommandLine) -> None:
    ended = line("state", "import")
    assert ended.code == 2
    assert "shared_context.json cannot be read: no such file or directory" in ended.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"strategic_state": 1}', "'strategic_state' is a number"),
        ('{"strategic_state": {"a": NaN}}', "NaN"),
        ('{"a": 1, "a": 2}', "the key 'a' twice"),
        ("x" * 10_000_000, "more than 8,388,608 characters"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
    ids=["type", "nan", "twice", "10 MB", "bytes"],
)
def test_a_hostile_file_is_refused_and_nothing_is_kept(line: CommandLine, content: str | bytes, told: str) -> None:
    before = line("state", "export", "-").out
    ended = line("state", "import", "-", stdin=content)
    assert ended.code == 2
    assert told in ended.err
    assert line("state", "export", "-").out == before


@pytest.mark.parametrize("command", ["export", "import"])
def test_a_link_in_the_usual_file_s_place_is_not_followed(line: CommandLine, tmp_path: Path, command: str) -> None:
    target = tmp_path / "elsewhere.json"
    target.write_text(json.dumps(FACTS))
    file_of(line).symlink_to(target)
    ended = line("state", command)
    assert ended.code == 2
    assert "is a link" in ended.err
    assert target.read_text() == json.dumps(FACTS)


def test_an_agent_imports_nothing(line: CommandLine) -> None:
    ended = line("state", "import", "-", "--by", "technical", stdin=json.dumps(FACTS))
    assert ended.code == 2
    assert "is an agent" in ended.err


def test_pm33_s_context_goes_into_an_empty_workspace_and_out_of_it_again(
    line: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pm33 = CommandLine(tmp_path / "pm33", capsys, monkeypatch)
    pm33("init", "--profile", "pm33")
    document = pm33("state", "export", "-").out
    line("state", "import", "-", stdin=document)
    there, here = json.loads(document), line("state", "export", "-").json
    for key in ("strategic_state", "technical_progress", "day_3_requirements", "agentic_ai_teams"):
        assert here[key] == there[key] != {}


@pytest.mark.parametrize("name", ["agents.yaml", "state/apm.db", "notes.json", "deep.json"])
def test_an_export_writes_over_nothing_but_a_shared_context(line: CommandLine, name: str) -> None:
    target = line.folder / name
    if not target.exists():
        target.write_text('{"mine": true}' if name == "notes.json" else "[" * 5_000 + "]" * 5_000)
    before = target.read_bytes()

    ended = line("state", "export", target)

    assert ended.code == 2
    assert "is there already and is no shared context" in ended.err
    assert target.read_bytes() == before


def test_an_export_replaces_an_older_one_and_needs_its_folder(line: CommandLine) -> None:
    target = line.folder / "out.json"

    assert line("state", "export", target).code == 0
    assert line("state", "export", target).code == 0
    assert "There is no folder" in line("state", "export", line.folder / "nowhere" / "out.json").err
