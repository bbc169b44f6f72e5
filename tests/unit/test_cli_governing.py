"""`apm decide`, `apm briefing`, `apm agents`, `apm audit`: authority, the day, the team and the record."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

from core.contract import Json
from tests.unit.command_line import CommandLine


def decide(line: CommandLine, *words: str, agent: str = "technical", kind: str = "api_endpoints") -> tuple[int, Json]:
    ended = line("decide", "--agent", agent, "--kind", kind, *words, "--json")
    return ended.code, ended.json


def test_an_autonomous_kind_is_decided(line: CommandLine) -> None:
    code, made = decide(line)
    assert code == 0
    assert set(made) >= {"outcome", "decision", "escalation", "rule"}
    assert (made["outcome"], made["escalation"]) == ("decided", None)


def test_a_kind_of_the_escalate_list_and_one_of_no_list_wait_for_a_human(line: CommandLine) -> None:
    for kind in ("external_service", "colour_of_the_bikeshed"):
        code, made = decide(line, kind=kind)
        assert code == 3
        assert made["outcome"] == "escalated"
        assert line("escalation", "show", str(made["escalation"]), "--json").json["urgency"] == "DAILY"


@pytest.mark.parametrize("words", [("--impact", "9"), ("--tag", "milestone")])
def test_impact_above_8_and_the_milestone_s_tag_are_immediate(line: CommandLine, words: tuple[str, ...]) -> None:
    code, made = decide(line, *words)
    assert code == 3
    assert line("escalation", "show", str(made["escalation"]), "--json").json["urgency"] == "IMMEDIATE"


def test_the_context_brings_question_options_and_recommendation(line: CommandLine) -> None:
    options = [{"key": "sqlite", "label": "SQLite", "consequence": "One file."}, {"key": "pg"}]
    context = {"question": "Which store?", "options": options, "recommended": "pg"}
    made = decide(line, "--context", json.dumps(context), kind="architecture")[1]
    shown = line("escalation", "show", str(made["escalation"]), "--json").json
    assert (shown["question"], shown["recommended"]) == ("Which store?", "pg")
    assert [o["key"] for o in shown["options"]] == ["sqlite", "pg"]


@pytest.mark.parametrize("context", [{"impact": 9}, {"tags": ["milestone"]}, {"tags": ["Milestone"], "impact": 1}])
def test_impact_and_tags_of_the_context_count_as_those_of_the_options_do(line: CommandLine, context: Json) -> None:
    code, made = decide(line, "--context", json.dumps({"question": "Drop the table?", **context}))
    assert code == 3
    assert line("escalation", "show", str(made["escalation"]), "--json").json["urgency"] == "IMMEDIATE"


def test_of_two_impacts_the_higher_counts_and_tags_are_joined(line: CommandLine) -> None:
    context = json.dumps({"question": "Drop it?", "impact": 3, "tags": ["billing", "slow"]})
    made = decide(line, "--impact", "7", "--tag", "billing", "--tag", "legal", "--context", context)[1]
    [found] = line("decisions", "list", "--json").json
    assert (found["id"], found["impact"], found["tags"]) == (made["decision"], 7, ["billing", "legal", "slow"])


def test_a_question_by_its_context_is_one_question_whatever_impact_it_came_with(line: CommandLine) -> None:
    asked = [
        decide(line, "--context", json.dumps({"why": "it is slow", "impact": n}), kind="architecture")[1]
        for n in (4, 6)
    ]
    assert asked[0]["escalation"] == asked[1]["escalation"]


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ("[]", "must be a JSON object"),
        ('{"impact": 11}', "`impact` must be a whole number from 1 to 10"),
        ('{"impact": true}', "`impact` must be a whole number"),
        ('{"impact": null}', "`impact` must be a whole number"),
        ('{"tags": "day_3"}', "`tags` must be a list of texts"),
        ('{"tags": [3]}', "`tags` must be a list of texts"),
        ("{", "--context is not JSON"),
        ('{"options": [{"label": "x"}]}', "`options` must be a list"),
        ('{"options": [{"key": "x"}], "recommended": "y"}', "`recommended` must be"),
        ('{"options": [{"key": "x"}, {"key": "x"}]}', "the same key"),
    ],
)
def test_a_malformed_context_is_refused(line: CommandLine, context: str, told: str) -> None:
    ended = line("decide", "--agent", "ux", "--kind", "component_styling", "--context", context)
    assert ended.code == 2
    assert told in ended.err


def test_an_agent_that_decides_nothing_is_refused(line: CommandLine) -> None:
    ended = line("decide", "--agent", "ac-writer", "--kind", "x")
    assert ended.code == 2
    assert "technical, strategy, ux, gtm" in ended.err


def test_the_briefing_has_six_sections_in_each_format(line: CommandLine) -> None:
    line("work-item", "create", "Ship *it* `now`", "--tag", "milestone", "--accept")
    as_json = line("briefing", "--format", "json").json
    assert set(as_json) == {"date", "sections"}
    assert len(as_json["sections"]) == 6
    assert all(set(s) >= {"title", "items", "kind", "refs"} for s in as_json["sections"])
    assert line("briefing", "--json").json == as_json
    text = line("briefing").out
    assert all(s["title"] in text for s in as_json["sections"])
    markdown = line("briefing", "--format", "markdown").out
    assert markdown.count("\n## ") == 6
    assert r"Ship \*it\* \`now\`" in markdown


def test_what_an_item_names_stands_beside_it(line: CommandLine) -> None:
    decide(line, "--impact", "9")
    urgent = next(s for s in line("briefing", "--json").json["sections"] if s["kind"] == "urgent")
    assert len(urgent["items"]) == len(urgent["refs"]) == 1
    assert urgent["refs"] == [{"escalation": 1}]


def kept(line: CommandLine) -> list[Json]:
    events = line("audit", "tail", "-n", "100", "--json").json
    return [event["payload"] for event in events if event["kind"] == "briefing.made"]


def test_a_briefing_that_is_only_read_is_not_kept(line: CommandLine) -> None:
    line("briefing")
    assert kept(line) == []


def test_a_sent_briefing_is_kept_and_goes_to_the_console_and_the_file(line: CommandLine) -> None:
    ended = line("briefing", "--send")
    assert ended.code == 0
    assert ended.out.startswith("Briefing of ")
    assert "console: sent" in ended.err
    assert "file: sent" in ended.err
    assert [(payload["briefing"], payload["send"]) for payload in kept(line)] == [(1, True)]


class Hook(BaseHTTPRequestHandler):
    """Takes a notice as Apprise's `json://` sends it."""

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        cast("Taking", self.server).taken.append(json.loads(content))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Standard error is the command's."""


class Taking(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.taken: list[Json] = []


@pytest.fixture
def hook() -> Iterator[Taking]:
    with Taking() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def set_up_channel(line: CommandLine, port: int) -> None:
    path = line.folder / "state" / "notifications.yaml"
    path.write_text(f"version: 1\nchannels:\n  - name: hook\n    url: json://127.0.0.1:{port}/apm\n")
    path.chmod(0o600)


def test_a_briefing_is_sent_through_the_channels_that_are_set_up(line: CommandLine, hook: Taking) -> None:
    set_up_channel(line, hook.server_port)
    ended = line("briefing", "--send", "--json")
    assert ended.code == 0, ended.out
    assert {"channel": "hook", "outcome": "sent", "error": None} in ended.json["sent"]
    [taken] = hook.taken
    assert "Briefing of " in taken["title"]
    assert "Urgent decisions" in taken["message"]


def test_a_channel_that_cannot_be_reached_ends_the_command_with_1(line: CommandLine, hook: Taking) -> None:
    port = hook.server_port
    hook.server_close()
    set_up_channel(line, port)
    ended = line("briefing", "--send")
    assert ended.code == 1
    assert "hook: not sent yet, tried again at " in ended.err
    assert "file: sent" in ended.err


def test_a_broken_channels_file_is_told_and_the_house_has_the_briefing(line: CommandLine) -> None:
    line("briefing", "--send")
    (line.folder / "state" / "notifications.yaml").write_text("version: 1\nchannels: [{name: hook, urll: x}]\n")
    ended = line("briefing", "--send")
    assert ended.code == 1
    assert "notifications.yaml:2" in ended.err
    assert "file: sent" in ended.err


def test_the_team_s_rows_have_the_documented_keys(line: CommandLine) -> None:
    rows = line("agents", "list", "--json").json
    keys = {"role", "display_name", "tier", "agent_type", "phase", "capabilities", "runtime", "is_active"}
    assert all(set(row) >= keys for row in rows)
    assert all(row["is_active"] is True for row in rows)
    assert [row["tier"] for row in rows] == sorted(row["tier"] for row in rows)


def test_a_sub_agent_is_shown_with_its_instructions_and_gate(line: CommandLine) -> None:
    shown = line("agents", "show", "ac-writer", "--json").json
    assert set(shown) >= {"sop", "gate", "metrics"}
    assert (shown["gate"], shown["metrics"]["runs"]) == ("definition-gate-check", 0)
    assert len(shown["sop"]) > 200


@pytest.mark.parametrize("role", ["technical", "strategy", "ux", "gtm"])
def test_a_domain_agent_is_shown_with_its_authority_and_documents(line: CommandLine, role: str) -> None:
    (line.folder / "README.md").write_text("# Here\n")
    shown = line("agents", "show", role, "--json").json
    authority = shown["authority"]
    assert len(authority["autonomous"]) >= 10
    assert authority["escalate"]
    kinds = authority["autonomous"] + authority["escalate"]
    assert all(set(k) == {"key", "title", "impact", "reversible"} for k in kinds)
    assert shown["context"]["given"] == ["README.md"]
    assert shown["context"]["missing"]


def test_documents_outside_of_the_workspace_are_not_given(
    line: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("outside") / "README.md"
    secret.write_text("secret")
    (line.folder / "README.md").symlink_to(secret)
    assert line("agents", "show", "technical", "--json").json["context"]["given"] == []


def test_an_unknown_role_is_answered_with_the_nearest(line: CommandLine) -> None:
    ended = line("agents", "show", "ac-witer")
    assert ended.code == 2
    assert "did you mean 'ac-writer'?" in ended.err


def test_the_tail_of_the_journal_is_in_order(line: CommandLine) -> None:
    for title in ("one", "two", "three"):
        line("work-item", "create", title)
    found = line("audit", "tail", "-n", "2", "--json").json
    assert [e["kind"] for e in found] == ["work_item.created"] * 2
    assert found[1]["seq"] == found[0]["seq"] + 1
    assert set(found[0]) == {"seq", "at", "kind", "work_item", "payload"}
    assert [e["work_item"] for e in line("audit", "tail", "--work-item", "2", "--json").json] == [2]


def test_a_whole_journal_verifies_and_a_changed_one_does_not(line: CommandLine) -> None:
    line("work-item", "create", "one")
    whole = line("audit", "verify", "--json")
    assert whole.code == 0
    assert whole.json["ok"] is True
    assert whole.json["faults"] == []
    with sqlite3.connect(line.folder / "state" / "apm.db") as database:
        database.execute("UPDATE events SET payload = replace(payload, 'one', 'won') WHERE kind = 'work_item.created'")
    database.close()
    changed = line("audit", "verify", "--json")
    assert changed.code == 1
    assert changed.json["ok"] is False
    assert changed.json["faults"][0]["seq"] == whole.json["events"]


def test_a_journal_whose_tail_was_cut_off_shows(line: CommandLine) -> None:
    line("work-item", "create", "one")
    with sqlite3.connect(line.folder / "state" / "apm.db") as database:
        database.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")
    database.close()
    ended = line("audit", "verify")
    assert ended.code == 1
    assert "the stored head says" in ended.out


def test_a_broken_team_file_is_named_with_line_and_key(line: CommandLine) -> None:
    file = line.folder / "agents.yaml"
    file.write_text(file.read_text().replace("revision_rounds: 3", "revision_rounds: many", 1))
    number = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "revision_rounds: many" in text)
    ended = line("work-item", "create", "x")
    assert ended.code == 2
    assert f"agents.yaml:{number}: defaults.limits.revision_rounds" in ended.err
    assert ended.out == ""


def test_a_database_of_a_newer_apm_is_refused_and_left_alone(line: CommandLine) -> None:
    path = line.folder / "state" / "apm.db"
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO schema_migration (name, applied) VALUES ('0099_future', '2030-01-01')")
    database.close()
    before = path.read_bytes()
    ended = line("work-item", "create", "x")
    assert ended.code == 1
    assert "newer apm" in ended.err
    assert path.read_bytes() == before


def test_the_same_question_about_something_else_is_another_question(line: CommandLine) -> None:
    asked = [
        decide(line, "--context", json.dumps({"question": "Vendor?", "vendor": vendor}), agent="ux", kind="navigation")[
            1
        ]
        for vendor in ("acme", "evil corp", "acme")
    ]

    assert [a["escalation"] for a in asked] == [1, 2, 1]
    assert line("escalation", "show", "2", "--json").json["details"]["context"] == {"vendor": "evil corp"}


def test_what_waits_with_a_high_impact_is_not_shown_with_a_lower_one(line: CommandLine) -> None:
    for impact in ("10", "2"):
        decide(line, "--impact", impact, agent="ux", kind="brand_identity")

    shown = line("escalation", "show", "1", "--json").json
    assert (shown["urgency"], shown["details"]["impact"]) == ("IMMEDIATE", 10)


def test_a_kind_without_a_name_is_bad_usage(line: CommandLine) -> None:
    ended = line("decide", "--agent", "ux", "--kind", "  ")

    assert ended.code == 2
    assert "--kind is empty" in ended.err


def test_half_a_character_in_a_context_is_no_fault_of_the_program(line: CommandLine) -> None:
    code, made = decide(line, "--context", '{"question": "\\ud800 lone"}', agent="ux", kind="navigation")

    assert code == 3
    assert line("escalation", "show", str(made["escalation"]), "--json").json["question"] == "? lone"
