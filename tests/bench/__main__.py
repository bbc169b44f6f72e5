"""`python -m tests.bench`: every figure in one run, as a table.

Measured, never asserted: what is too slow says MISSED, and the exit code only tells whether everything was measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from core.contract import Json
from tests.bench import (
    asking,
    children,
    crowded,
    defining,
    delegating,
    demonstration,
    first_paint,
    governing,
    journalling,
    long_lists,
    phase_setup,
    report,
    routing,
    selecting,
    triaging,
)
from tests.bench.machine import as_line, load_average, machine
from tests.bench.measure import Figure, full_collections

SUBJECTS: dict[str, tuple[str, Callable[[Path], list[Figure]]]] = {
    "routing": ("Routing decision", routing.measure),
    "setup": ("Phase set-up", phase_setup.measure),
    "delegation": ("Overhead of a delegation, its agent's own work subtracted", delegating.measure),
    "journal": ("Journal, every step durable (synchronous=FULL)", journalling.measure),
    "d1": ("A whole D1 on the offline runtime", defining.measure),
    "selection": ("Selection", selecting.measure),
    "governance": ("Governance", governing.measure),
    "models": ("Calls of models, to a server on this machine", asking.measure),
    "paint": (f"Time to first paint, {children.COLUMNS} x {children.ROWS}", first_paint.measure),
    "app": (f"The app at work on {crowded.COUNT:,} work items and as many open questions", crowded.measure),
    "lists": (f"The app's lists of {long_lists.COUNT:,} rows", long_lists.measure),
    "triage": ("Triage by the keyboard alone", triaging.measure),
    "demo": ("The demo", demonstration.measure),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure apm on this machine.")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"there is no subject {unknown[0]!r}; known are {', '.join(SUBJECTS)}")
    if given.json is not None and not given.json.parent.is_dir():
        parser.error(f"there is no folder {given.json.parent} to write the figures to")
    return _run(list(dict.fromkeys(given.subjects or SUBJECTS)), given.json)


def _run(names: Sequence[str], json_file: Path | None) -> int:
    began, collected = perf_counter(), full_collections()
    with tempfile.TemporaryDirectory(prefix="apm-bench-") as folder:
        facts = machine(Path(folder))
        results = {SUBJECTS[name][0]: _measured(name, Path(folder, name)) for name in names}
    ended: Json = {
        "seconds": round(perf_counter() - began, 1),
        "load_average": load_average(),
        "full_collections": full_collections() - collected,
    }
    report.show({title: figures for title, figures in results.items() if figures}, as_line(facts), _ending(ended))
    if json_file is not None:
        document = {"machine": facts, "ended": ended, "figures": report.as_json(results)}
        json_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0 if all(results.values()) else 1


def _ending(ended: Json) -> str:
    return (
        f"{ended['seconds']:.0f} s in all, load {ended['load_average'][0]:.2f} at the end; in this process the "
        f"collector went over everything {ended['full_collections']} times."
    )


def _measured(name: str, place: Path) -> list[Figure]:
    """The subject's figures; none, and the reason on standard error, where it cannot be measured."""
    title, measure = SUBJECTS[name]
    print(f"{title} …", file=sys.stderr)
    place.mkdir()
    try:
        return measure(place)
    except Exception:
        print(f"{title} could not be measured:\n{traceback.format_exc()}", file=sys.stderr)
        return []


if __name__ == "__main__":
    sys.exit(main())
