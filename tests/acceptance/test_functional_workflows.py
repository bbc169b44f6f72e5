"""The day is told, decisions are made or wait, conflicts have rules, questions live until they are answered."""

from __future__ import annotations

from core.contract import Json
from tests.acceptance.people import HOUR_MS, Driving, agent, decide, escalation
from tests.unit.command_line import CommandLine

SECTIONS = (
    "Urgent decisions",
    "Day 3 progress",
    "Pending reviews",
    "Agent teams",
    "Conflicts resolved",
    "Scope opportunities",
)


def test_daily_briefing_generation(pm33: CommandLine) -> None:
    """Six sections in three forms, from what is on record; sent, it is kept and stands in the log."""
    decide(pm33, "ux", "layout", "--tag", "day_3", question="Does the demo begin with the chat?")
    decide(pm33, "technical", "architecture", "--impact", "7", question="Two engines or three?")
    pm33("conflict", "raise", "--between", "technical", "ux", "--topic", "performance of the chat")

    made = pm33("briefing", "--format", "json").json
    told = {section["title"]: " | ".join(section["items"]) for section in made["sections"]}

    assert tuple(told) == SECTIONS
    assert "Does the demo begin with the chat?" in told["Urgent decisions"]
    assert "Two engines or three?" not in told["Urgent decisions"]
    assert {line.partition(":")[0] for line in told["Pending reviews"].split(" | ")} == {"technical", "ux"}
    assert "performance of the chat" in told["Conflicts resolved"]
    text, markdown = (pm33("briefing", "--format", form).out for form in ("text", "markdown"))
    for title in SECTIONS:
        assert f"\n{title}\n" in text
        assert f"\n## {title}\n" in markdown

    sent = pm33("briefing", "--send", "--json")

    assert sent.code == 0
    assert {(entry["channel"], entry["outcome"]) for entry in sent.json["sent"]} >= {("file", "sent")}
    log = (pm33.folder / "state" / "logs" / "notifications.log").read_text(encoding="utf-8")
    assert f"Briefing of {made['date']}" in log


def test_agent_decision_making(pm33: CommandLine) -> None:
    """What an agent may decide it decides; the escalate list, an unknown kind, weight and the milestone wait."""
    asked: dict[str, tuple[tuple[str, ...], str]] = {
        "of the autonomous list": (("gtm", "social_media"), ""),
        "of weight 8": (("gtm", "social_media", "--impact", "8"), ""),
        "with a tag that is not the milestone's": (("gtm", "social_media", "--tag", "milestone"), ""),
        "of the escalate list": (("gtm", "partnerships", "--impact", "5"), "DAILY"),
        "of no list": (("gtm", "mascot"), "DAILY"),
        "of weight 9": (("gtm", "social_media", "--impact", "9"), "IMMEDIATE"),
        "for the milestone": (("gtm", "social_media", "--tag", "day_3"), "IMMEDIATE"),
    }

    for name, ((role, kind, *words), urgency) in asked.items():
        code, made = decide(pm33, role, kind, *words, question=f"A choice {name}?")
        assert (code, made["outcome"]) == ((3, "escalated") if urgency else (0, "decided")), name
        assert made["choice"] == (None if urgency else "move"), name
        if urgency:
            assert escalation(pm33, made["escalation"])["urgency"] == urgency, name

    again = decide(pm33, "gtm", "mascot", question="A choice of no list?")[1]
    assert escalation(pm33, again["escalation"])["count"] == 2
    listed = pm33("decisions", "list", "--json").json
    assert len(listed) == len(asked)
    assert all(row["rule"] for row in listed)
    counted = agent(pm33, "gtm")["performance"]
    assert (counted["decided"], counted["escalated"], counted["accepted"]) == (3, 4, 0)


CONFLICTS: tuple[tuple[tuple[str, str], str, tuple[str, ...], tuple[str | None, str | None, str]], ...] = (
    (("technical", "ux"), "the user experience of signing up", (), ("ux", None, "ux-wins-user-experience")),
    (("ux", "technical"), "performance of the chat", (), ("technical", None, "technical-wins-performance")),
    (("strategy", "gtm"), "positioning against rivals", (), ("strategy", None, "strategy-wins-positioning")),
    (("strategy", "gtm"), "execution of the outreach", (), ("gtm", None, "gtm-wins-execution")),
    (("technical", "ux"), "performance or user experience", (), (None, "DAILY", "no-rule-decides")),
    (("technical", "ux"), "the name of a button", (), (None, "DAILY", "no-rule-decides")),
    (("technical", "gtm"), "performance in the demo", (), (None, "DAILY", "no-rule-decides")),
    (("technical", "ux"), "performance on the day", ("--tag", "day_3"), (None, "IMMEDIATE", "milestone")),
    (("strategy", "gtm"), "positioning of the price", ("--impact", "9"), (None, "IMMEDIATE", "high-impact")),
)


def test_conflict_resolution(pm33: CommandLine) -> None:
    """Each pair has its words; both words, neither, another pair, weight and the milestone are for a person."""
    for between, topic, words, (winner, urgency, rule) in CONFLICTS:
        ended = pm33("conflict", "raise", "--between", *between, "--topic", topic, *words, "--json")
        made = ended.json
        assert ended.code == (3 if urgency else 0), topic
        assert (made["winner"], made["urgency"]) == (winner, urgency), topic
        assert made["rule"].partition(":")[0] == rule, topic

    asked = next(row for row in pm33("conflict", "list", "--json").json if row["topic"] == "the name of a button")
    answered = ("escalation", "resolve", str(asked["escalation"]), "--option", "ux", "--reason", "They asked people.")
    assert pm33(*answered, "--by", "ada").code == 0

    settled = next(row for row in pm33("conflict", "list", "--json").json if row["id"] == asked["id"])
    assert (settled["winner"], settled["decided_by"], settled["provenance"]) == ("ux", "ada", "human")
    assert (agent(pm33, "ux")["performance"]["conflicts_won"], agent(pm33, "gtm")["performance"]["conflicts_won"]) == (
        2,
        1,
    )


async def test_escalation_workflows(pm33: CommandLine) -> None:
    """A question is seen, put away, handed over, merged, answered, taken back and answered again; time presses it."""
    first, second, third = (
        decide(pm33, "ux", "navigation", question=text)[1]["escalation"]
        for text in ("Does the menu move?", "Where is the menu?", "Is there a menu on phones?")
    )

    def after(deed: str, number: int, *words: str) -> Json:
        ended = pm33("escalation", deed, str(number), "--by", "ada", *words, "--json")
        assert ended.code == 0, ended.err
        shown: Json = ended.json
        return shown

    assert after("ack", first, "--for", "30m")["status"] == "acknowledged"
    assert after("snooze", first, "--for", "1h")["status"] == "snoozed"
    handed = after("assign", first, "--to", "lin", "--note", "You know menus.")
    assert (handed["status"], handed["assigned_to"]) == ("open", "lin")
    assert after("merge", second, "--into", str(first))["count"] == 2
    refused = pm33("escalation", "resolve", str(first), "--option", "stay", "--by", "ada")
    assert (refused.code, "needs a reason" in refused.err) == (2, True)
    assert after("resolve", first, "--recommended")["resolution"]["provenance"] == "human"
    assert escalation(pm33, second)["resolution"]["by"] == f"escalation {first}"
    assert after("undo", first, "--reason", "Too fast.")["status"] == "open"
    final = after("resolve", first, "--option", "stay", "--reason", "It is where people look.")
    assert (final["resolution"]["option"], final["resolution"]["by"]) == ("stay", "ada")
    assert pm33("escalation", "resolve", str(first), "--recommended").code == 2
    choices = {row["question"]: row["choice"] for row in pm33("decisions", "list", "--json").json}
    assert (choices["Does the menu move?"], choices["Where is the menu?"]) == ("stay", "stay")

    told: list[str] = []
    for hours in (23, 25, 25):
        async with Driving(pm33.folder, hours * HOUR_MS) as driving:
            await driving.settle()
        told += driving.told

    assert escalation(pm33, third)["urgency"] == "IMMEDIATE"
    breaches = [e for e in pm33("audit", "tail", "-n", "500", "--json").json if e["kind"] == "escalation.escalated"]
    assert [(e["payload"]["escalation"], e["payload"]["by"]) for e in breaches] == [(third, "clock")]
    assert sum("Is there a menu on phones?" in line and "IMMEDIATE" in line for line in told) == 1
