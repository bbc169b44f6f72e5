"""`apm escalation`: questions that wait for a human are looked at, put off, handed over and answered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.contract import Json, UsageError
from core.sanitise import one_line
from tui.cli import escalation_text, options, output

if TYPE_CHECKING:
    from core.store import rows
    from core.store.reads import Connection
    from core.store.transaction import Transaction
    from core.workspace import Workspace

MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
MS_PER_MINUTE = 60_000
TITLE = 30
"""Characters of a work item's title in a list."""


class _Span(click.ParamType[int]):
    """A span of time as minutes: 30m, 4h, 2d, 1w."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"(\d{1,4})([mhdw])", str(value).strip().lower())
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is no span of time; write 30m, 4h, 2d or 1w.", param, ctx)
        return int(match[1]) * MINUTES[match[2]]


@click.group()
def escalation() -> None:
    """Questions that wait for a human."""


@escalation.command("list")
@click.option("--all", "everything", is_flag=True, help="Answered, withdrawn and expired ones too, the newest first.")
@click.option("--work-item", type=options.NUMBER, metavar="ID", help="Only questions about this work item.")
@click.option("--urgency", type=click.Choice(("IMMEDIATE", "DAILY", "WEEKLY"), case_sensitive=False))
@click.option("--kind", type=click.Choice(("gate", "decision", "conflict", "error", "scope", "budget", "permission")))
@click.option("--assigned-to", metavar="NAME", help="Only those that were handed to this person.")
@click.option(
    "--only",
    "section",
    type=click.Choice(("needs-me", "overdue", "snoozed", "acknowledged")),
    help="Only those in this state; needs-me: your own and nobody's, and what is late.",
)
@click.option("--match", default="", metavar="TEXT", help="Only those whose question holds this text.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=500, show_default=True, metavar="N")
@options.json_option
@options.pass_place
def list_(
    place: options.Place,
    everything: bool,
    work_item: int | None,
    urgency: str | None,
    kind: str | None,
    assigned_to: str | None,
    section: str | None,
    match: str,
    limit: int,
    as_json: bool,
) -> None:
    """The open questions, the most urgent first."""
    from core.store import reads_escalations

    if everything and (urgency or kind or assigned_to or section or match):
        raise UsageError("--all lists every question; the other filters are about open ones.")

    def read(reader: Connection) -> list[Json]:
        if everything:
            found = reads_escalations.escalations(reader, open_only=False, work_item=work_item, limit=limit + 1)
        else:
            asked = reads_escalations.Asked(
                section,
                now,
                urgency and urgency.upper(),
                kind,
                assigned_to,
                work_item,
                match,
                assigned_to or options.person(),
            )
            found = reads_escalations.page(reader, asked, limit=limit + 1)
        return [_shape(reader, row, now) for row in reads_escalations.titled(reader, found)]

    with place.open() as workspace:
        now = workspace.store.clock()
        found = output.up_to(limit, workspace.store.read_now(read))
    if as_json:
        output.emit_json(found)
        return
    output.table(
        ("id", "urgency", "status", "due", "item", "phase", "question", "recommended"),
        [
            (
                s["id"],
                s["urgency"],
                escalation_text.status(s),
                s["due_at"],
                f"{s['work_item']} {one_line(s['title'], TITLE)}" if s["title"] else s["work_item"],
                s["phase"],
                s["question"],
                s["recommended"],
            )
            for s in found
        ],
    )


@escalation.command()
@options.number_argument
@options.json_option
@options.pass_place
def show(place: options.Place, number: int, as_json: bool) -> None:
    """One question: what was measured, the answers it takes, and what each leads to."""
    with place.open() as workspace:
        shown = _read(workspace, number)
    if as_json:
        output.emit_json(shown)
    else:
        escalation_text.show(shown)


@escalation.command()
@options.number_argument
@click.option("--for", "minutes", type=_Span(), default="30m", show_default=True, metavar="SPAN")
@options.by_option
@options.json_option
@options.pass_place
def ack(place: options.Place, number: int, minutes: int, by: str, as_json: bool) -> None:
    """Say that somebody has seen it: no reminders for a while. The due time stays."""
    from core.governance import life

    _change(
        place,
        number,
        lambda tx: life.acknowledge(tx, number, by=by, minutes=minutes),
        f"Escalation {number} is acknowledged by {by}.",
        as_json,
    )


@escalation.command()
@options.number_argument
@click.option("--for", "minutes", type=_Span(), default="1h", show_default=True, metavar="SPAN", help="30m, 4h, 2d, 1w")
@options.by_option
@options.json_option
@options.pass_place
def snooze(place: options.Place, number: int, minutes: int, by: str, as_json: bool) -> None:
    """Hide it for a while. The due time stays."""
    from core.governance import life

    _change(
        place,
        number,
        lambda tx: life.snooze(tx, number, until=tx.now + minutes * MS_PER_MINUTE, by=by),
        _until_when,
        as_json,
    )


def _until_when(shown: Json) -> str:
    told = f"Escalation {shown['id']} is put away until {shown['snoozed_until']}"
    # Both are UTC in one form, so that the order of the texts is that of the moments.
    if shown["overdue"] or not shown["due_at"] or shown["due_at"] > shown["snoozed_until"]:
        return f"{told}."
    return f"{told}; it is due at {shown['due_at']} and will be overdue then."


@escalation.command()
@options.number_argument
@click.option("--to", required=True, metavar="NAME")
@click.option("--note", default="", metavar="TEXT", help="A word for whoever gets it.")
@options.by_option
@options.json_option
@options.pass_place
def assign(place: options.Place, number: int, to: str, note: str, by: str, as_json: bool) -> None:
    """Hand it over to somebody by name."""
    from core.governance import life

    _change(
        place,
        number,
        lambda tx: life.assign(tx, number, to=to, by=by, note=note),
        f"Escalation {number} is handed to {to}.",
        as_json,
    )


@escalation.command()
@click.argument("numbers", metavar="ID...", type=options.NUMBER, nargs=-1, required=True)
@click.option("--into", required=True, type=options.NUMBER, metavar="ID", help="The question that stays.")
@options.by_option
@options.json_option
@options.pass_place
def merge(place: options.Place, numbers: tuple[int, ...], into: int, by: str, as_json: bool) -> None:
    """One answer for several questions that take the same answers."""
    from core.governance import life

    merged = ", ".join(str(n) for n in numbers)
    done = f"Merged into escalation {into}: {merged}. One answer is the answer of all."
    _change(place, into, lambda tx: life.merge(tx, numbers, into=into, by=by), done, as_json)


@escalation.command()
@options.number_argument
@click.option("--reason", default="", metavar="TEXT")
@options.by_option
@options.json_option
@options.pass_place
def escalate(place: options.Place, number: int, reason: str, by: str, as_json: bool) -> None:
    """Make it more urgent: WEEKLY becomes DAILY, DAILY becomes IMMEDIATE."""
    from core.governance import life

    done = f"Escalation {number} is more urgent now."
    _change(place, number, lambda tx: life.escalate(tx, number, by=by, reason=reason), done, as_json)


@escalation.command()
@options.number_argument
@click.argument("text")
@options.by_option
@options.json_option
@options.pass_place
def ask(place: options.Place, number: int, text: str, by: str, as_json: bool) -> None:
    """Ask back before you answer: whoever raised it is told, and everybody sees it. The due time stays."""
    from core.governance import asking

    done = f"Asked about escalation {number}; it is silent until there is a reply, at most until it is due."
    _change(place, number, lambda tx: asking.ask_back(tx, number, text, by=by), done, as_json)


@escalation.command()
@options.number_argument
@click.argument("text")
@options.by_option
@options.json_option
@options.pass_place
def reply(place: options.Place, number: int, text: str, by: str, as_json: bool) -> None:
    """Reply to what was asked back; the question needs its answer again."""
    from core.governance import asking

    done = f"The reply stands with escalation {number}, which waits for its answer again."
    _change(place, number, lambda tx: asking.reply(tx, number, text, by=by), done, as_json)


@escalation.command()
@options.number_argument
@click.option("--reason", default="", metavar="TEXT")
@options.by_option
@options.json_option
@options.pass_place
def undo(place: options.Place, number: int, reason: str, by: str, as_json: bool) -> None:
    """Take the answer back; the question is open again. Refused once work has gone on from it."""
    from core.governance import life

    done = f"The answer to escalation {number} is taken back; it waits again."
    _change(place, number, lambda tx: life.undo(tx, number, by=by, reason=reason), done, as_json)


@escalation.command()
@options.number_argument
@click.option("--option", "key", metavar="KEY", help="The answer; `show` lists them.")
@click.option("--recommended", is_flag=True, help="Take the recommended answer.")
@click.option("--reason", default="", help="Why; needed for every answer but the recommended one.")
@click.option(
    "--answer", metavar="JSON", help="The values that the answer needs: JSON, @FILE, or `-` for standard input."
)
@click.option("--digest", metavar="DIGEST", help="Of what you were shown; refused when it is not what is asked now.")
@options.by_option
@options.json_option
@options.pass_place
def resolve(
    place: options.Place,
    number: int,
    key: str | None,
    recommended: bool,
    reason: str,
    answer: str | None,
    digest: str | None,
    by: str,
    as_json: bool,
) -> None:
    """Answer a question."""
    from core.governance import escalations
    from core.store import reads

    values = None if answer is None else options.json_value(answer, "--answer")
    if key is not None and recommended:
        raise click.UsageError("--option and --recommended exclude each other.")

    def write(tx: Transaction) -> None:
        chosen = key if key is not None else _recommended(tx, number, recommended)
        escalations.resolve(tx, number, option=chosen, answer=values, reason=reason, by=by, shown_digest=digest)

    with place.open() as workspace:
        workspace.store.write_now(write)
        shown = _read(workspace, number)
        live = workspace.store.read_now(lambda r: reads.read_live(r, workspace.store.clock()))
    if as_json:
        output.emit_json(shown)
        return
    output.say(f"Escalation {number} is answered by {by}{_what_follows(shown, live)}.")


def _what_follows(shown: Json, live: rows.LiveRow) -> str:
    """What the answer leads to, as the end of a sentence. `live` is who drives the workspace."""
    if shown["resolution"] is None:
        settles = shown["status"] == "expired" and shown["kind"] in ("decision", "conflict")
        kept = "the first answer settles it all the same" if settles else "the answer is kept with it"
        return f", too late: it is {shown['status']}, and {kept}"
    if shown["work_item"] is None or not shown["blocks"]:
        return ""
    ended = any(o["key"] == shown["resolution"]["option"] and o.get("ends") for o in shown["options"])
    if ended:
        return f"; work item {shown['work_item']} has ended"
    if live.is_driven:
        return f"; work item {shown['work_item']} goes on (process {live.pid} drives)"
    return "; `apm run` goes on from here"


def _recommended(tx: Transaction, number: int, wanted: bool) -> str:
    """The recommended answer, where it is asked for; else UsageError with the answers there are."""
    row = _row(tx, number)
    if not wanted:
        legal = ", ".join(str(o["key"]) for o in row.options)
        raise UsageError(
            f"Escalation {number}: name the answer with --option ({legal}), or take the recommended one with"
            " --recommended."
        )
    if row.recommended is None:
        raise UsageError(f"Escalation {number} has no recommended answer; name one with --option.")
    return row.recommended


def _change(
    place: options.Place,
    number: int,
    work: Callable[[Transaction], object],
    done: str | Callable[[Json], str],
    as_json: bool,
) -> None:
    """Do it, and say so; `done` may be a sentence made of the question as it is then."""
    with place.open() as workspace:
        workspace.store.write_now(work)
        shown = _read(workspace, number)
    if as_json:
        output.emit_json(shown)
    else:
        output.say(done if isinstance(done, str) else done(shown))


def _read(workspace: Workspace, number: int) -> Json:
    now = workspace.store.clock()
    return workspace.store.read_now(lambda r: _whole(r, _row(r, number), now))


def _row(reader: Connection, number: int) -> rows.EscalationRow:
    from core.store import reads, reads_escalations

    row = reads.escalation(reader, number)
    if row is None:
        raise UsageError(f"There is no escalation {number}; `apm escalation list` shows the open ones.")
    return reads_escalations.titled(reader, [row])[0]


def _whole(reader: Connection, row: rows.EscalationRow, now: int) -> Json:
    """The question with what was said about it, which a list of them leaves out."""
    from core.governance import asking
    from tui.cli import shapes

    return {**_shape(reader, row, now), "thread": shapes.thread(asking.thread(reader, row))}


def _shape(reader: Connection, row: rows.EscalationRow, now: int) -> Json:
    from core.store import reads_escalations
    from tui.cli import shapes

    return shapes.escalation(row, reads_escalations.answers(reader, row.id), now)
