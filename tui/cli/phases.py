"""`apm route`, `apm gate check`, `apm schema`: the rules of the phases, asked without any work item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.contract import ApmError, Json, UsageError
from tui.cli import options, output

if TYPE_CHECKING:
    from core.orchestration.gates import GateVerdict
    from core.registry.catalog import Catalog


@click.command()
@click.argument("artifact_type", metavar="TYPE")
@options.json_option
def route(artifact_type: str, as_json: bool) -> None:
    """Which orchestrator and phase an artifact TYPE goes to, and what leaves that phase."""
    from core.orchestration import master

    found = master.route(artifact_type).to_json()
    if as_json:
        output.emit_json(found)
    else:
        output.facts(found.items())


@click.command()
@click.argument("artifact_type", metavar="TYPE")
@options.json_option
def schema(artifact_type: str, as_json: bool) -> None:
    """The JSON Schema of an artifact TYPE."""
    from core.orchestration.artifacts import json_schema

    output.emit_json(json_schema(artifact_type))


@click.group()
def gate() -> None:
    """The exit checks of the phases."""


@gate.command()
@click.argument("phase", type=options.Phase())
@click.argument("file")
@click.option(
    "--type",
    "work_item_type",
    type=click.Choice(options.WORK_ITEM_TYPES),
    default="feature",
    help="The work item's type.",
)
@options.json_option
@options.pass_place
def check(place: options.Place, phase: str, file: str, work_item_type: str, as_json: bool) -> int:
    """Judge the payload in FILE (`-`: standard input) at the gate of PHASE. Exit code 0 passed, 1 not passed.

    The payload is the content of the artifact that the phase hands on; for P1 and R1 it also carries the work item's
    `acceptance_criteria` and `risks`. Figures come from the workspace's agents.yaml where there is one.
    """
    from core.orchestration import gates
    from core.registry import catalog as registry

    payload = options.parse_json(options.read_text(file, "The payload"), "The payload")
    if not isinstance(payload, dict):
        raise UsageError("The payload is no JSON object.")
    catalog = _catalog(place)
    rules = registry.not_applicable(catalog, phase, work_item_type)
    verdict = gates.check(
        phase,
        payload,
        thresholds=registry.thresholds(catalog, phase, work_item_type),
        not_applicable={name: f"{rule.id}: {rule.why}" for name, rule in rules.items()},
    )
    if as_json:
        output.emit_json(verdict.to_json())
    else:
        _show(verdict)
    return 0 if verdict.passed else 1


def _catalog(place: options.Place) -> Catalog:
    """The workspace's figures; outside of one those that apm comes with."""
    from core.places import FILE
    from core.registry.catalog import default_path, load

    try:
        path = place.folder() / FILE
    except ApmError:
        path = default_path()
    if not path.is_file():
        raise UsageError(f"{path.parent} is no workspace; leave --workspace out to use the figures apm comes with.")
    return load(path)


def show_criteria(criteria: list[Json]) -> None:
    """Criteria as a table: what was required, what was measured."""
    output.table(
        ("", "criterion", "required", "actual", "note"),
        [(mark(c), c["name"], c["required"], c["actual"], _remark(c)) for c in criteria],
    )


def mark(criterion: Json) -> str:
    if criterion.get("not_applicable"):
        return "· exempt"
    return "✓ passed" if criterion["passed"] else "✗ missing"


def _remark(criterion: Json) -> str:
    exempt, loosened = criterion.get("not_applicable", ""), criterion.get("loosened", "")
    return str(exempt or (f"loosened {loosened}" if loosened else ""))


def _show(verdict: GateVerdict) -> None:
    output.say(f"{verdict.phase}: {'passed' if verdict.passed else 'not passed'}")
    show_criteria([c.to_json() for c in verdict.criteria])
    for text in verdict.missing:
        output.say(f"missing  {text}")
    if verdict.suggested_action:
        output.say(verdict.suggested_action)
