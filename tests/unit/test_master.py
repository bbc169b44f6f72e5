"""The master routes by type, and its module can do nothing else."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from core.contract import UsageError
from core.orchestration import master
from core.phases import PHASES


@pytest.mark.parametrize("phase", PHASES, ids=lambda p: p.code)
def test_each_type_goes_to_its_phase(phase: object) -> None:
    from core.phases import PhaseSpec

    assert isinstance(phase, PhaseSpec)
    route = master.route(phase.takes)

    assert (route.orchestrator, route.phase, route.output) == (phase.orchestrator, phase.code, phase.leaves)


def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        master.route("poem.draft")

    assert all(phase.takes in str(caught.value) for phase in PHASES)


@pytest.mark.parametrize("leaves", ["release.deployed", "evolution.backlog_delta"])
def test_what_leaves_the_phases_says_where_it_goes(leaves: str) -> None:
    with pytest.raises(UsageError, match="not routed"):
        master.route(leaves)


def test_the_module_imports_the_contract_and_the_standard_library_alone() -> None:
    tree = ast.parse(Path(master.__file__).read_text(encoding="utf-8"))
    named = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    named |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}

    assert {m for m in named if m.split(".")[0] not in sys.stdlib_module_names} == {"core.contract"}
    assert not calls & {"open", "exec", "eval", "__import__", "compile"}
