"""`apm decide` and `apm briefing`: a decision is put to its owner, and the day is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from core.contract import ApmError, Json, UsageError, canonical_json
from core.sanitise import one_line, sanitise
from tui.cli import options, output

if TYPE_CHECKING:
    from core.governance.briefing import Briefing
    from core.store.reads import Connection
    from core.store.rows_governance import NotificationRow
    from core.store.writer import Transaction
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
    help="What it rests on: a JSON object, @FILE, or `-`. Its `options` and `recommended` become the answers.",
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
    with place.open() as workspace:
        title, usual = workspace.store.read_now(lambda r: _kind(r, agent, kind))
        choice = Choice(
            agent=agent,
            kind=one_line(kind, 64),
            question=one_line(question or _question(title, told), MOST_QUESTION),
            impact=usual if impact is None else impact,
            options=_options(told),
            recommended=told.get("recommended"),
            tags=tuple(one_line(t) for t in tags),
            context=told,
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
    rest = {k: v for k, v in told.items() if k not in ("options", "recommended")}
    return f"{title}: {canonical_json(rest)}" if rest else title


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
        sent = asyncio.run(_send(workspace, found)) if is_sent else None
    if as_json or form == "json":
        output.emit_json(found.to_json() | (sent.to_json() if sent else {}))
    else:
        output.say(as_markdown(found) if form == "markdown" else as_text(found))
    for line in sent.lines() if sent else ():
        output.note(line)
    return 1 if sent and sent.is_failed else 0


@dataclass(frozen=True, slots=True)
class _Sent:
    """The briefing's notices, one for each channel that takes it, and why channels could not be used."""

    notices: Sequence[NotificationRow]
    faults: Sequence[str]
    house: Sequence[str]
    """Channels that are no way out of the house."""

    @property
    def is_failed(self) -> bool:
        """A notice that another process is sending at this moment has no outcome yet, and no error."""
        outside = [n for n in self.notices if n.channel not in self.house]
        return bool(self.faults) or any(n.outcome == "failed" or (n.error and n.outcome is None) for n in outside)

    def lines(self) -> list[str]:
        told = (f"{n.channel}: {_outcome(n)}{f' ({n.error})' if n.error else ''}" for n in self.notices)
        return [*told, *(str(fault) for fault in self.faults)]

    def to_json(self) -> Json:
        sent = [{"channel": n.channel, "outcome": n.outcome or "waiting", "error": n.error} for n in self.notices]
        return {"sent": sent, "faults": [sanitise(fault) for fault in self.faults]}


def _outcome(notice: NotificationRow) -> str:
    from tui.cli import shapes

    if notice.outcome is not None:
        return notice.outcome
    again = shapes.moment(notice.next_try_at)
    return f"not sent yet, tried again at {again}" if notice.error and again else "not sent yet"


async def _send(workspace: Workspace, found: Briefing) -> _Sent:
    """Keep the briefing and have it delivered, with whatever else waits; what became of it in each channel."""
    from core.governance.briefing import keep, notices_of
    from core.governance.notices import delivery, planning
    from core.governance.notices.channels import HOUSE, read_channels

    try:
        channels = read_channels(workspace.state)
    except ApmError:
        # The delivery meets the same fault, and is what tells it.
        channels = None

    def work(tx: Transaction) -> int:
        # Channels that are new take their place first: they hear of what comes afterwards.
        planning.plan(tx, channels)
        return keep(tx, found, send=True)

    number = await workspace.store.write(work)
    delivered = await delivery.deliver(workspace.store, workspace.state, output.note)
    return _Sent(await workspace.store.read(lambda r: notices_of(r, number)), delivered.faults, HOUSE)
