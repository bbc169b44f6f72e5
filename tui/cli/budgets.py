"""`apm budget`: what calls of models have cost, what they may cost, and a person's word for more or less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.contract import ApmError, Json, UsageError
from tui.cli import options, output

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.reads_spending import PhaseCost
    from core.store.transaction import Transaction
    from core.workspace import Workspace

SETTABLE = ("work_item", "day", "workspace")


class _Scope(click.Choice[str]):
    """`work-item` is a command's name, `work_item` a scope's; both are understood."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(value.replace("-", "_"), param, ctx)


@click.group()
def budget() -> None:
    """What calls of models cost, and what they may cost."""


@budget.command("show")
@click.option("--work-item", type=options.NUMBER, metavar="ID", help="Also this work item, phase by phase.")
@options.json_option
@options.pass_place
def show(place: options.Place, work_item: int | None, as_json: bool) -> None:
    """Limits, and what is used of them: settled calls, and what running and lost ones reserve."""
    from tui.text.amounts import dollars

    with place.open() as workspace:
        rows, phases = _figures(workspace, work_item)
        _note_prices(workspace)
    if as_json:
        output.emit_json({"budgets": rows, "phases": [p._asdict() for p in phases]})
        return
    output.table(
        ("budget", "of", "dollars", "limit", "tokens", "limit", "by", "calls", "no price", "lost"),
        [
            (
                row["scope"],
                row["work_item"] or "",
                dollars(row["dollars"]),
                "none" if row["limit_dollars"] is None else dollars(row["limit_dollars"]),
                f"{row['tokens']:,}",
                "none" if row["limit_tokens"] is None else f"{row['limit_tokens']:,}",
                row["by"],
                row["calls"],
                row["unpriced"] or "",
                row["lost"] or "",
            )
            for row in rows
        ],
    )
    if phases:
        output.say()
        output.table(
            ("phase", "agent", "calls", "tokens", "dollars"),
            [(p.phase, p.agent, p.calls, f"{p.tokens:,}", _dollars(p)) for p in phases],
        )


def _note_prices(workspace: Workspace) -> None:
    """A line beside the figures where the workspace's own prices are broken."""
    from core.runtimes.models.prices import read_own

    try:
        read_own(workspace.folder)
    except ApmError as error:
        first, *more = str(error).splitlines()
        also = f" (and {len(more)} more)" if more else ""
        output.note(f"apm: {first}{also}. Until that is mended, no model is asked but by Claude Code.")


def _dollars(cost: PhaseCost) -> str:
    """A sum that lacks calls without a price says so."""
    known = f"${cost.dollars:,.4f}" if cost.dollars else "$0"
    return f"{known} and {cost.unpriced} calls without a price" if cost.unpriced else known


def _figures(workspace: Workspace, work_item: int | None) -> tuple[list[Json], list[PhaseCost]]:
    from core.governance.budgets import Spender, limit_of, spent
    from core.orchestration.work_items import existing
    from core.store.archives import archives
    from core.store.reads_spending import costs_by_phase

    rules = workspace.sections["defaults"]["budgets"]
    now = workspace.store.clock()
    scopes = SETTABLE if work_item is not None else SETTABLE[1:]
    spender = Spender(work_item or 0, "", 0, "")

    def read(reader: Connection) -> tuple[list[Json], list[PhaseCost]]:
        if work_item is not None and any(work_item in archive.work_items for archive in archives(reader)):
            raise UsageError(f"Work item {work_item} is in an archive; `apm archive show {work_item}` tells its cost.")
        if work_item is not None:
            existing(reader, work_item)
        rows: list[Json] = []
        for scope in scopes:
            limit, used = limit_of(reader, scope, spender, now, rules), spent(reader, scope, spender, now)
            rows.append(
                {
                    "scope": scope,
                    "work_item": work_item if scope == "work_item" else None,
                    "limit_dollars": limit.dollars,
                    "limit_tokens": limit.tokens,
                    "by": limit.by,
                    **used._asdict(),
                }
            )
        return rows, costs_by_phase(reader, work_item) if work_item is not None else []

    return workspace.store.read_now(read)


@budget.command("set")
@click.argument("scope", type=_Scope(SETTABLE), metavar="SCOPE")
@click.option("--work-item", type=options.NUMBER, metavar="ID", help="Whose, where SCOPE is work_item.")
@click.option("--dollars", type=float, metavar="X", help="At most so many US dollars.")
@click.option("--tokens", type=click.IntRange(1), metavar="N", help="At most so many tokens.")
@click.option("--no-limit", is_flag=True, help="Neither dollars nor tokens are limited.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays on record beside your name.")
@options.by_option
@options.json_option
@options.pass_place
def set_(
    place: options.Place,
    scope: str,
    work_item: int | None,
    dollars: float | None,
    tokens: int | None,
    no_limit: bool,
    reason: str,
    by: str,
    as_json: bool,
) -> None:
    """Say what a work item, today (UTC) or the whole workspace may cost. SCOPE is work_item, day or workspace.

    What is not named stays as it is. Work that waits for it goes on.
    """
    from core.governance.budget_questions import checked_amounts, set_budget
    from core.governance.budgets import Amounts, Spender, limit_of
    from core.orchestration.work_items import existing

    if no_limit == (dollars is not None or tokens is not None):
        raise click.UsageError("Give --dollars, --tokens or both, or --no-limit.")
    if (scope == "work_item") != (work_item is not None):
        raise click.UsageError("--work-item goes with the scope work_item, and only with that.")
    if not reason.strip():
        raise UsageError("--reason is empty; say why.")
    given = {name: value for name, value in (("dollars", dollars), ("tokens", tokens)) if value is not None}
    if given:
        checked_amounts(f"apm budget set {scope}", given)
    with place.open() as workspace:
        if work_item is not None:
            number = work_item
            workspace.store.read_now(lambda r: existing(r, number))
        rules = workspace.sections["defaults"]["budgets"]

        def write(tx: Transaction) -> None:
            before = limit_of(tx, scope, Spender(work_item or 0, "", 0, ""), tx.now, rules)
            allowed = Amounts(dollars or before.dollars, tokens or before.tokens)
            set_budget(
                tx, scope, Amounts(None, None) if no_limit else allowed, by=by, reason=reason, work_item=work_item
            )

        workspace.store.write_now(write)
        rows, _ = _figures(workspace, work_item)
    [row] = [r for r in rows if r["scope"] == scope]
    if as_json:
        output.emit_json(row)
    else:
        output.say(f"The budget is {_in_words(row)}; `apm budget show{_whose(work_item)}` shows what is used of it.")


def _whose(work_item: int | None) -> str:
    return f" --work-item {work_item}" if work_item else ""


def _in_words(row: Json) -> str:
    from tui.text.amounts import dollars

    limits = [dollars(row["limit_dollars"])] if row["limit_dollars"] is not None else []
    limits += [f"{row['limit_tokens']:,} tokens"] if row["limit_tokens"] is not None else []
    return " and ".join(limits) or "without a limit"
