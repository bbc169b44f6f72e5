"""The demo from request to release, as a person runs it: a process of its own, phase by phase by its own report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from core.contract import PHASE_CODES, Json
from core.store import reads
from core.store.rows import EvidenceRow
from core.store.store import Store
from tests.bench.children import ROOT, environment
from tests.bench.measure import Figure, duration

REPEATS = 3
PATIENCE_SECONDS = 120.0
FLOOR_S = 60.0
COMMAND = ("demo", "--headless", "--json")


def measure(place: Path) -> list[Figure]:
    """No warm-up: a demo is run once. The first of these writes the byte code that the others find."""
    wholes, reports, tools = [], [], []
    for n in range(REPEATS):
        folder = place / f"workspace-{n}"
        began = perf_counter()
        reports.append(_demo(place, folder))
        wholes.append(perf_counter() - began)
        tools.append(_in_tools(folder))
    return [
        *(duration(f"{code}, its last round", [_phase(r, code) for r in reports], "s") for code in PHASE_CODES),
        duration(f"apm {' '.join(COMMAND)}, start to end", wholes, "s", floor=FLOOR_S),
        duration("of which a journalled tool was running", tools, "s"),
    ]


def _demo(place: Path, folder: Path) -> Json:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "--workspace", str(folder), *COMMAND],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(place),
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the demo ended with {done.returncode}: {done.stderr[-2_000:]}")
    report: Json = json.loads(done.stdout)
    return report


def _phase(report: Json, code: str) -> float:
    (item,) = report["work_items"]
    return float(next(p["seconds"] for p in item["phases"] if p["phase"] == code))


def _in_tools(folder: Path) -> float:
    """Seconds in which at least one command ran that the journal keeps as evidence."""
    with Store.open(folder / "state") as store:
        return _covered(store.read_now(lambda r: reads.evidence(r, limit=10_000)))


def _covered(commands: Iterable[EvidenceRow]) -> float:
    """Commands may run side by side: what two of them share counts once."""
    total = until = 0
    for command in sorted(commands, key=lambda c: c.at):
        end = command.at + command.milliseconds
        total += max(0, end - max(command.at, until))
        until = max(until, end)
    return total / 1000
