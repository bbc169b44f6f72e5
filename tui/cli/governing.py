"""`apm decide` and `apm briefing`: a decision is put to its owner, and the day is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from core.contract import Json, UsageError, canonical_json
from core.sanitise import one_line, sanitise
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.briefing import Briefing
    from core.governance.sending import Sent
    from core.store.reads import Connection
    from core.store.rows_governance import NotificationRow
    from core.workspace import Workspace

USUAL_IMPACT = 5
"""Of a kind that no list names; such a kind escalates whatever its impact."""
MOST_QUESTION = 500


@click.command()
@click.option("--agent", required=True, metavar="A", help="technical, strategy, ux or gtm.")
@click.option("--kind", required=True, metavar="K", help="The kind of decision; `apm agents show AGENT` lists them.")
@click.option("--impact", type=click.IntRange(1, 10), metavar="N", help="1 to 10. [default: the kind's usual one]")
@click.option("--tag", "tags", multiple=True, metavar="T", help="May be given more than once.")
@click.option(
    "--question", default="", metavar="TEXT", help="What is to be decided. [default: the kind and its context]"
)
@click.option(
    "--context",
    metavar="JSON",
    help="What it rests on: a JSON object, @FILE, or `-`. Its `options` and `recommended` become the answers; of its "
    "`impact` and --impact the higher counts, and its `tags` join those of --tag.",
)
@options.json_option
@options.pass_place
def decide(
    place: options.Place,
    agent: str,
    kind: str,
    impact: int | None,
    tags: Sequence[str],
    question: str,
    context: str | None,
    as_json: bool,
) -> int:
    """Let a domain agent decide what its authority allows; the rest waits for a human (exit code 3)."""
    from core.governance.decisions import DOMAIN_AGENTS, Choice, DecisionRules, make_decision
    from tui.cli import shapes

    if agent not in DOMAIN_AGENTS:
        raise UsageError(f"There is no domain agent {agent!r}; known are {', '.join(DOMAIN_AGENTS)}.")
    if not one_line(kind, 64).strip():
        raise UsageError(f"--kind is empty; `apm agents show {agent}` lists the kinds.")
    told = _context(context)
    impacts = [given for given in (impact, _impact(told)) if given is not None]
    with place.open() as workspace:
        title, usual = workspace.store.read_now(lambda r: _kind(r, agent, kind))
        choice = Choice(
            agent=agent,
            kind=one_line(kind, 64),
            question=one_line(question or _question(title, told), MOST_QUESTION),
            impact=max(impacts, default=usual),
            options=_options(told),
            recommended=told.get("recommended"),
            tags=tuple(dict.fromkeys(one_line(tag) for tag in (*tags, *_tags(told)))),
            context={key: value for key, value in told.items() if key not in ("impact", "tags")},
        )
        rules = DecisionRules.of_sections(workspace.sections)
        outcome = workspace.store.write_now(lambda tx: make_decision(tx, choice, rules))
    if as_json:
        output.emit_json(shapes.decision(outcome))
    elif outcome.escalation is None:
        output.say(f"{agent} decided {choice.kind}: {outcome.choice} ({outcome.rule}).")
    else:
        output.say(f"Escalation {outcome.escalation} waits for a human ({outcome.rule}).")
    return 0 if outcome.outcome == "decided" else 3


def _context(text: str | None) -> Json:
    told = {} if text is None else options.json_value(text, "--context")
    if not isinstance(told, dict):
        raise UsageError("--context must be a JSON object.")
    return told


def _kind(reader: Connection, agent: str, key: str) -> tuple[str, int]:
    """A kind's title and usual impact; for one that the agent does not list its own name."""
    from core.governance.authority import kinds

    found = next((k for k in kinds(reader, agent) if k.key == key), None)
    return (found.title, found.impact) if found else (key, USUAL_IMPACT)


def _question(title: str, told: Json) -> str:
    if isinstance(told.get("question"), str):
        return str(told["question"])
    rest = {k: v for k, v in told.items() if k not in ("options", "recommended", "impact", "tags")}
    return f"{title}: {canonical_json(rest)}" if rest else title


def _impact(told: Json) -> int | None:
    """The impact that the context gives. Raises UsageError for one that is none."""
    given = told.get("impact")
    if "impact" in told and (type(given) is not int or not 1 <= given <= 10):
        raise UsageError("--context: `impact` must be a whole number from 1 to 10.")
    return given


def _tags(told: Json) -> list[str]:
    """The tags that the context gives. Raises UsageError for what is no list of texts."""
    given = told.get("tags", [])
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        raise UsageError("--context: `tags` must be a list of texts.")
    return given


def _options(told: Json) -> tuple[Json, ...]:
    """The answers that the context offers. Raises UsageError for one that is none."""
    given = told.get("options", [])
    if not isinstance(given, list) or not all(isinstance(o, dict) and isinstance(o.get("key"), str) for o in given):
        raise UsageError('--context: `options` must be a list of {"key", "label", "consequence"}.')
    keys = [o["key"] for o in given]
    if len(set(keys)) < len(keys):
        raise UsageError("--context: two of the `options` have the same key.")
    if told.get("recommended") is not None and told["recommended"] not in keys:
        raise UsageError("--context: `recommended` must be the key of one of the `options`.")
    return tuple({k: sanitise(str(o.get(k, o["key"]))) for k in ("key", "label", "consequence")} for o in given)


@click.command()
@click.option("--format", "form", type=click.Choice(("text", "markdown", "json")), default="text", show_default=True)
@click.option("--send", "is_sent", is_flag=True, help="Keep it, and send it through the channels that are set up.")
@options.json_option
@options.pass_place
def briefing(place: options.Place, form: str, is_sent: bool, as_json: bool) -> int:
    """The day's status: what is urgent, what progresses, what waits.

    With --send the exit code is 1 when a channel outside of the house could not be reached.
    """
    from core.governance.briefing import briefing as brief
    from core.governance.briefing_text import as_markdown, as_text

    with place.open() as workspace:
        now = workspace.store.clock()
        found = workspace.store.read_now(lambda r: brief(r, now))
        sent = _send(workspace, found) if is_sent else None
    if as_json or form == "json":
        output.emit_json(found.to_json() | (_sent_json(sent) if sent else {}))
    else:
        output.say(as_markdown(found) if form == "markdown" else as_text(found))
    for line in _lines(sent) if sent else ():
        output.note(line)
    return 1 if sent and sent.is_failed else 0


def _send(workspace: Workspace, found: Briefing) -> Sent:
    """Keep the briefing and have it delivered, with whatever else waits; what became of it in each channel."""
    from core.governance.sending import send

    return asyncio.run(send(workspace.store, workspace.state, found, output.note))


def _lines(sent: Sent) -> list[str]:
    told = (f"{n.channel}: {_outcome(n)}{f' ({n.error})' if n.error else ''}" for n in sent.notices)
    return [*told, *sent.faults]


def _sent_json(sent: Sent) -> Json:
    told = [{"channel": n.channel, "outcome": n.outcome or "waiting", "error": n.error} for n in sent.notices]
    return {"sent": told, "faults": [sanitise(fault) for fault in sent.faults]}


def _outcome(notice: NotificationRow) -> str:
    from tui.cli import shapes

    if notice.outcome is not None:
        return notice.outcome
    again = shapes.moment(notice.next_try_at)
    return f"not sent yet, tried again at {again}" if notice.error and again else "not sent yet"
