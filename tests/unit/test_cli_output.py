"""What commands print: tables, facts and progress lines, with text that came from anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.contract import Json
from core.store import rows
from core.store.rows import EventRow
from tui.cli import output, progress, shapes

HOSTILE = "a\x1b]52;c;eHg=\x07b [red]c[/red] \u202ed\x9b31me\nf"


def test_a_table_lines_up_by_cells_not_by_characters(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "n"), [("日本", 1), ("abcd", 2)])
    assert capsys.readouterr().out.splitlines() == ["NAME  N", "日本  1", "abcd  2"]


def test_nothing_is_cut_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("text",), [("x" * 500,)])
    assert "x" * 500 in capsys.readouterr().out


def test_a_table_fits_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    output.table(("id", "text"), [("1", "word " * 20)])
    assert capsys.readouterr().out.splitlines() == ["ID  TEXT", *_rows("1   ", 7), *_rows("    ", 7), *_rows("    ", 6)]


def _rows(start: str, words: int) -> list[str]:
    return [start + " ".join(["word"] * words)]


def test_a_list_of_nothing_says_so_in_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output.table(("id", "text"), [])
    assert capsys.readouterr() == ("ID  TEXT\n", "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    output.table(("id", "text"), [])
    assert capsys.readouterr() == ("ID  TEXT\n", "None.\n")


def test_text_from_elsewhere_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("what",), [(HOSTILE,)])
    output.facts((("what", HOSTILE),))
    output.say(HOSTILE)
    output.note(HOSTILE)
    output.emit_json({"what": HOSTILE})
    printed = capsys.readouterr()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(printed.out + printed.err)
    assert "[red]c[/red]" in printed.out


def test_json_says_exactly_what_was_there(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"what": HOSTILE})
    assert json.loads(capsys.readouterr().out) == {"what": HOSTILE}


def test_facts_leave_out_what_is_empty_and_indent_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    output.facts((("a", ""), ("bb", "one\ntwo"), ("c", None), ("d", [1, 2]), ("e", False)))
    assert capsys.readouterr().out.splitlines() == ["bb  one", "    two", "d   1, 2", "e   no"]


def event(kind: str, payload: Json) -> EventRow:
    return EventRow(7, 0, kind, 12, payload)


@pytest.mark.parametrize(
    ("kind", "payload", "line"),
    [
        (
            "delegation.recorded",
            {"rows": [["evidence", 1, {}], ["delegations", 3, {
                "phase": "D1", "agent": "ac-writer", "subject": "", "status": "SUCCESS", "milliseconds": 12,
                "runtime": "offline",
            }]]},
            "12 D1 ac-writer SUCCESS 12 ms",
        ),
        (
            "delegation.recorded",
            {"rows": [["delegations", 3, {
                "phase": "I1", "agent": "code-implementer", "subject": "T1", "status": "SUCCESS", "milliseconds": 5,
                "runtime": "replay",
            }]]},
            "12 I1 code-implementer T1 SUCCESS 5 ms (replay)",
        ),
        ("phase.entered", {"phase": "D1", "round": 1}, "12 D1 begins"),
        ("phase.entered", {"phase": "D1", "round": 2}, "12 D1 begins (round 2)"),
        ("phase.sent_back", {"phase": "R1", "round": 1}, "12 R1 sent back"),
        (
            "escalation.raised",
            {"escalation": 4, "rows": [["escalations", 4, {"question": "Who\x1b[31m is it?"}]]},
            "12 asks #4 Who is it?",
        ),
        (
            "escalation.resolved",
            {"escalation": 4, "by": "ada", "provenance": "human", "rows": [["answers", 1, {"option": "supply"}]]},
            "12 #4 is answered 'supply' by ada (human)",
        ),
        ("setting.changed", {"key": "x"}, None),
    ],
)  # fmt: skip
def test_a_line_for_each_thing_that_happened(kind: str, payload: Json, line: str | None) -> None:
    assert progress.line_of(event(kind, payload)) == line


def cell(phase: str, status: str, round_: int = 1, milliseconds: int | None = 1500) -> rows.PhaseCell:
    return rows.PhaseCell(phase, status, round_, 0 if status else None, milliseconds if status else None)


def run(phase: str, round_: int, outcome: str | None) -> rows.PhaseRunRow:
    return rows.PhaseRunRow(1, 1, phase, round_, "", 0, None, outcome, [])


def test_phases_are_those_that_were_reached_as_their_last_round_left_them() -> None:
    cells = [cell("D1", "passed"), cell("P1", "waiting", 2), cell("I1", ""), cell("R1", "")]
    runs = [run("D1", 1, "passed"), run("P1", 1, "blocked"), run("P1", 2, "blocked")]
    assert shapes.phases(cells, runs) == [
        {"phase": "D1", "status": "passed", "attempt": 1, "seconds": 1.5},
        {"phase": "P1", "status": "blocked", "attempt": 2, "seconds": 1.5},
    ]


def test_a_round_without_an_outcome_is_what_happens_to_it() -> None:
    waiting = shapes.phases([cell("I1", "waiting", 1, None)], [run("I1", 1, None)])
    assert waiting == [{"phase": "I1", "status": "waiting", "attempt": 1, "seconds": None}]


def result(work_item: int, phase: str, round_: int, passed: Any) -> rows.GateResultRow:
    return rows.GateResultRow(1, work_item, phase, round_, passed, [], [], "", {}, 0)


def test_of_each_gate_the_last_verdict_is_told_in_the_order_of_the_phases() -> None:
    found = [result(1, "D1", 1, 0), result(1, "R1", 1, 0), result(1, "I1", 2, 1), result(1, "D1", 2, 1)]
    told = [(g["phase"], g["attempt"], g["passed"]) for g in shapes.gates(found)]
    assert told == [("D1", 2, True), ("I1", 2, True), ("R1", 1, False)]


def test_moments_are_utc_with_milliseconds() -> None:
    assert shapes.moment(1_772_443_800_123) == "2026-03-02T09:30:00.123Z"
    assert shapes.moment(None) is None
