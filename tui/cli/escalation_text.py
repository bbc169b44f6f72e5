"""One question as text: what was measured, what was said about it, and the answers it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.contract import Json
from tui.cli import output
from tui.text.words import in_words


def show(shown: Json) -> None:
    """The question as `escalation show` has it."""
    output.say(shown["question"])
    output.say()
    item = f"{shown['work_item']} {shown['title']}".rstrip() if shown["work_item"] is not None else None
    about = f"{item}, in {shown['phase']}" if shown["phase"] else item
    output.facts(
        (
            ("kind", shown["kind"]),
            ("urgency", shown["urgency"]),
            ("status", status(shown)),
            ("raised", shown["raised_at"] + (f", {shown['count']} times in all" if shown["count"] > 1 else "")),
            ("due", shown["due_at"]),
            ("work item", about),
            ("came through", " → ".join(shown["chain"])),
            ("assigned to", shown["assigned_to"]),
            ("note", shown["note"]),
            ("merged into", shown["merged_into"]),
            ("missing", "\n".join(shown["missing"])),
            ("digest", shown["digest"]),
        )
    )
    _show_details(shown["details"])
    _show_thread(shown["thread"])
    output.say()
    for option in shown["options"]:
        best = " (recommended)" if option["key"] == shown["recommended"] else ""
        output.say(f"--option {option['key']}{best}: {option['label']}. {option['consequence']}")
        if option.get("asks"):
            _show_asks(option)
        if shown["resolution"] is None:
            output.say(f"    {_command(shown, option)}")
    if shown["resolution"]:
        r = shown["resolution"]
        output.say()
        output.say(f"answered {r['option']!r} by {r['by']} ({r['provenance']}) at {r['at']} {r['reason']}".rstrip())
    for name, told in (("late_answers", "too late"), ("undone_answers", "taken back")):
        for r in shown[name]:
            output.say(f"{told}: {r['option']!r} by {r['by']} at {r['at']} {r['reason']}".rstrip())


def status(shown: Json) -> str:
    """Its state in a word; of one that is put away, until when."""
    away = f"snoozed until {shown['snoozed_until']}" if shown["status"] == "snoozed" else ""
    late = "overdue" if shown["overdue"] else ""
    return ", ".join(filter(None, (late, away))) or str(shown["status"])


def _show_thread(thread: list[Json]) -> None:
    """What was asked back, and what was replied."""
    if thread:
        output.say()
    for said in thread:
        whose = " (agent)" if said["provenance"] == "agent" else ""
        head = f"{said['by']}{whose} {'asked' if said['what'] == 'question' else 'replied'} at {said['at']}"
        lines = said["text"].split("\n")
        output.say("\n".join([f"{head}: {lines[0]}", *(f"    {line}" for line in lines[1:])]))
    if thread and thread[-1]["what"] == "question":
        output.say("Nobody has replied yet.")


def _command(shown: Json, option: Json) -> str:
    """What gives this answer."""
    words = [f"apm escalation resolve {shown['id']} --option {option['key']}"]
    if option.get("asks"):
        names = option.get("names", {})
        example = json.dumps({name: dict.fromkeys(names.get(name, ()), "...") or "..." for name in option["asks"]})
        words.append(f"--answer '{example}'")
    if option["key"] != shown["recommended"] and not option.get("explains"):
        words.append("--reason '...'")
    return " ".join(words)


def _show_asks(option: Json) -> None:
    """The values that an answer carries."""
    from core.governance.answers import SHAPES

    names = option.get("names", {})
    for name, shape in option["asks"].items():
        output.say(f"    {name}: {SHAPES.get(shape, shape)}")
        for one, word in names.get(name, {}).items():
            output.say(f"      {one}: {word}" if word else f"      {one}")


def _show_details(details: Json) -> None:
    """What a question carries for the person: measured criteria, what agents suggest, where to work."""
    from tui.cli.phases import show_criteria

    if isinstance(details.get("criteria"), list) and all("required" in c for c in details["criteria"]):
        output.say()
        show_criteria(details["criteria"])
    if details.get("findings"):
        output.say()
        output.facts((("found", "\n".join(str(line) for line in details["findings"])),))
    for agent, said in details.get("agents", {}).items():
        output.say()
        output.facts(((agent, said.get("error") or said.get("suggestion")), ("", "\n".join(said.get("missing", ())))))
    named = ("task", "branch", "worktree", "proof", "required_action", "rule", "impact")
    found = [(name.replace("_", " "), _in_short(details[name])) for name in named if details.get(name)]
    found += [(str(c.get("id")), str(c.get("text", ""))) for c in _own_criteria(details)]
    for about in ("context", "positions"):
        found += [(str(key), _in_short(value)) for key, value in (details.get(about) or {}).items()]
    if found:
        output.say()
        output.facts(found)


def _own_criteria(details: Json) -> list[Json]:
    """The work item's criteria that a task serves; not those that a gate measured."""
    found = details.get("criteria")
    return [c for c in found if isinstance(c, dict) and "required" not in c] if isinstance(found, list) else []


def _in_short(value: Any) -> str:
    if isinstance(value, Mapping):
        return in_words(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
