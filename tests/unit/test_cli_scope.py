"""`apm scope`: a review by command, proposals as rows, and a person's word that applies at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.contract import Json
from core.governance import reversal
from core.governance.decisions import Choice, make_decision
from core.governance.scope.wishes import wish
from core.store.transaction import Transaction
from tests.fresh import fresh_workspace
from tests.unit.command_line import CommandLine
from tests.unit.scope_place import KIND, OPTIONS, OWN, answer_unmeasured

KEYS = {
    *("id", "agent", "kind", "change", "n", "accepted", "lower_bound", "hours_saved_per_week", "risk"),
    *("recommendation", "status"),
}


def answer(tx: Transaction, kind: str, count: int) -> None:
    for n in range(count):
        made = make_decision(tx, Choice("technical", kind, f"{kind} {n}?", 5, OPTIONS, "approve"))
        assert made.escalation is not None
        answer_unmeasured(tx, made.escalation)


@pytest.fixture
def line(line: CommandLine) -> CommandLine:
    """A workspace in which people have answered 25 questions of one kind as recommended."""
    line("work-item", "create", "one")
    line.write(lambda tx: answer(tx, KIND, 25))
    return line


@pytest.fixture
def proposal(line: CommandLine) -> Json:
    line("scope", "review")
    [row] = line("scope", "list", "--json").json
    found: Json = row
    return found


def mode(line: CommandLine) -> str:
    shown = line("agents", "show", "technical", "--json").json["authority"]
    return "autonomous" if KIND in [k["key"] for k in shown["autonomous"]] else "escalate"


def test_a_review_prints_its_package(line: CommandLine) -> None:
    ended = line("scope", "review", "--by", "ada")

    assert ended.code == 0
    assert "Scope review 1, " in ended.out
    assert "asked for by ada" in ended.out
    assert "High-impact changes" in ended.out
    assert f"1  technical would decide {KIND} itself (" in ended.out
    assert "25 of 25 accepted as recommended, Wilson 95 % lower bound 0.87; it needs 20 and 0.80." in ended.out
    assert "not measured" in ended.out
    assert "apm scope approve ID" in ended.out


def test_as_json_it_is_one_document(line: CommandLine) -> None:
    made = line("scope", "review", "--json").json

    assert made["review"] == 1
    [section] = made["sections"]
    assert section["title"] == "High-impact changes"
    [row] = section["proposals"]
    assert set(row) >= KEYS | {"analysis", "digest"}
    assert made["weekly"] == made["dropped"] == []


def test_show_holds_no_review(line: CommandLine) -> None:
    ended = line("scope", "review", "--show")
    assert ended.code == 2
    assert "There is no scope review yet" in ended.err

    line("scope", "review")
    line("scope", "review")

    assert line("scope", "review", "--show", "--json").json["review"] == 2
    assert line("scope", "review", "--show", "--json").json["review"] == 2


def test_an_empty_review_says_so(tmp_path: Path, line: CommandLine) -> None:
    quiet = CommandLine(fresh_workspace(tmp_path / "quiet"), line.capsys, line.monkeypatch)

    assert "Nothing is proposed" in quiet("scope", "review").out


def test_the_list_has_the_documented_keys(line: CommandLine, proposal: Json) -> None:
    assert set(proposal) >= KEYS
    assert (proposal["agent"], proposal["kind"], proposal["change"]) == ("technical", KIND, "expansion")
    assert (proposal["n"], proposal["accepted"], round(proposal["lower_bound"], 4)) == (25, 25, 0.8668)
    assert (proposal["hours_saved_per_week"], proposal["status"]) == (None, "proposed")
    assert "25 of 25" in line("scope", "list").out


def test_one_is_shown_with_what_was_counted(line: CommandLine, proposal: Json) -> None:
    shown = line("scope", "show", "1").out
    assert "today a person is asked." in shown
    assert "#1 #2 #3" in shown

    assert line("scope", "show", "1", "--json").json["analysis"]["record"]["accepted"] == list(range(1, 26))
    assert "There is no scope proposal 9" in line("scope", "show", "9").err


def test_an_approval_is_in_force_at_once_also_in_generated_files(line: CommandLine, proposal: Json) -> None:
    line("agents", "generate", "--all", "--role", "technical")
    file = line.folder / ".claude/agents/domain/technical.md"

    ended = line("scope", "approve", "1", "--by", "ada")

    assert ended.code == 0, ended.err
    assert f"Scope proposal 1 (expansion of {KIND} for technical) is approved by ada." in ended.out
    assert f"technical.{KIND} is autonomous from now on." in ended.out
    assert f"made anew: {file}" in ended.out
    assert f"`{KIND}`" in file.read_text().partition("### Escalate")[0]
    assert mode(line) == "autonomous"
    assert line("decide", "--agent", "technical", "--kind", KIND).code == 0


def test_as_json_an_approval_says_which_files_changed(line: CommandLine, proposal: Json) -> None:
    line("agents", "generate", "--all", "--role", "technical")

    made = line("scope", "approve", "1", "--digest", proposal["digest"], "--json").json

    assert made["status"] == "approved"
    assert made["generated"] == {
        "written": [str(line.folder / ".claude/agents/domain/technical.md")],
        "refused": [],
        "faults": [],
    }


def test_an_edited_file_is_kept_and_told(line: CommandLine, proposal: Json) -> None:
    line("agents", "generate", "--all", "--role", "technical")
    file = line.folder / ".claude/agents/domain/technical.md"
    file.write_text(file.read_text() + "mine\n")

    ended = line("scope", "approve", "1")

    assert ended.code == 0
    assert "technical.md was kept" in ended.err
    assert mode(line) == "autonomous"


def test_an_approval_is_taken_back(line: CommandLine, proposal: Json) -> None:
    line("scope", "approve", "1", "--by", "ada")

    ended = line("scope", "undo", "1", "--reason", "too early", "--by", "eve")

    assert "is taken back by eve." in ended.out
    assert mode(line) == "escalate"
    assert line("scope", "list", "--json").json == []
    assert [row["status"] for row in line("scope", "list", "--all", "--json").json] == ["undone"]


def test_a_rejection_keeps_its_reason(line: CommandLine, proposal: Json) -> None:
    made = line("scope", "reject", "1", "--reason", "not before spring", "--by", "ada", "--json").json

    assert (made["status"], made["reason"], made["decided_by"]) == ("rejected", "not before spring", "ada")
    assert made["cool_down_until"]
    assert mode(line) == "escalate"


def test_a_question_stays_with_the_proposal(line: CommandLine, proposal: Json) -> None:
    assert "waits with your question" in line("scope", "clarify", "1", "--reason", "Why now?").out

    assert [row["status"] for row in line("scope", "list", "--json").json] == ["clarify"]
    assert "asked: Why now?" in line("scope", "show", "1").out
    assert "Why now? (of proposal 1, then 25 of 25)" in line("scope", "review").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("approve", "7"), "There is no scope proposal 7"),
        (("approve", "1", "--digest", "0" * 64), "is not what was shown"),
        (("approve", "1", "--by", "technical"), "is an agent"),
        (("reject", "1"), "--reason"),
        (("reject", "1", "--reason", " "), "needs a reason"),
        (("clarify", "1"), "--reason"),
        (("undo", "1", "--reason", "x"), "there is no word of a person to take back"),
    ],
)
def test_what_is_no_word_is_refused(line: CommandLine, proposal: Json, words: tuple[str, ...], told: str) -> None:
    ended = line("scope", *words)

    assert ended.code == 2
    assert told in ended.err
    assert line("scope", "list", "--json").json == [proposal]


def test_a_reversal_s_contraction_is_in_the_list_at_once(line: CommandLine) -> None:
    def write(tx: Transaction) -> Any:
        made = make_decision(tx, Choice("technical", OWN, "?", 5, OPTIONS, "approve"))
        return reversal.reverse(tx, made.decision, by="ada", reason="no")

    line.write(write)

    [row] = line("scope", "list", "--json").json
    assert (row["change"], row["kind"], row["recommendation"], row["review"]) == ("contraction", OWN, "approve", None)


def test_text_of_agents_is_shown_without_what_a_terminal_obeys(line: CommandLine) -> None:
    line.write(lambda tx: answer(tx, "odd\x1b]52;c;aGk=\x07\u202ekind", 6))

    shown = line("scope", "review").out

    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "oddkind" in shown


class TestPropose:
    def ask(self, line: CommandLine, kind: str, to: str, *more: str) -> Any:
        words = ("scope", "propose", "--agent", "technical", "--kind", kind, "--to", to, "--reason", "we trust it")
        return line(*words, *more)

    def test_it_becomes_a_proposal_and_changes_nothing(self, line: CommandLine) -> None:
        made = self.ask(line, KIND, "autonomous", "--by", "ada", "--json").json

        assert (made["id"], made["change"], made["n"], made["status"]) == (1, "expansion", 25, "proposed")
        assert made["analysis"]["asked_for"] == {"by": "ada", "reason": "we trust it"}
        assert mode(line) == "escalate"

    def test_it_is_approved_as_any_other(self, line: CommandLine) -> None:
        shown = self.ask(line, KIND, "autonomous", "--by", "ada").out
        assert f"1  technical would decide {KIND} itself" in shown
        assert "by ada: we trust it" in shown

        assert line("scope", "approve", "1").code == 0

        assert mode(line) == "autonomous"

    def test_what_is_not_earned_says_so(self, line: CommandLine) -> None:
        assert "reject: nobody can approve it before the record carries it: 0 of 20 answers by people" in (
            self.ask(line, "architecture", "autonomous").out
        )

        refused = line("scope", "approve", "1", "--reason", "all the same")
        assert refused.code == 2
        assert "so nobody can approve it yet" in refused.err

    def test_a_ceiling_is_told_at_once(self, line: CommandLine) -> None:
        refused = self.ask(line, "security", "autonomous")

        assert refused.code == 2
        assert "has a ceiling, which no record lifts" in refused.err
        assert line("scope", "list", "--json").json == []


def test_a_package_tells_what_became_of_wishes(line: CommandLine) -> None:
    def wish_for(tx: Transaction) -> None:
        for kind in (KIND, "architecture"):
            made = make_decision(tx, Choice("technical", kind, "one more?", 5, OPTIONS, "approve"))
            answer_unmeasured(tx, made.escalation or 0)
            wish(tx, made.escalation or 0, by="ada")

    line.write(wish_for)

    shown = line("scope", "review").out

    assert "Rules that were wished for" in shown
    assert f"technical.{KIND}, by ada: proposal 1\n" in shown
    assert "technical.architecture, by ada: not proposed; 1 of 20 answers by people; 1 of 1 accepted" in shown
    [earned, lacking] = line("scope", "review", "--show", "--json").json["wishes"]
    assert (earned["proposal"], earned["missing"], lacking["proposal"]) == (1, [], None)
