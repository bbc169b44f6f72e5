"""`python -m tests.month`: a month of governance, played on a real workspace and told as a report.

The same bytes come out every time. At the end every figure of the report is held against a count that the script
makes from its own plan; when one differs, it is told and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.store.transaction import Transaction
from tests.month import playing, readings, reckoning, story
from tests.month.checks import Check, check
from tests.month.chronicle import chronicle
from tests.month.figures import Figures, Reviewed
from tests.month.report import Told, report
from tests.month.stage import Astray, Stage


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.month", description="Play and count a month of governance.")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON document")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the workspace there; DIR must not exist")
    given = parser.parse_args(arguments)
    if given.keep is not None and given.keep.exists():
        parser.error(f"{given.keep} exists already; name a folder that does not")
    try:
        with tempfile.TemporaryDirectory(prefix="apm-month-") as folder:
            figures, lines = play(given.keep or Path(folder) / "workspace")
    except Astray as error:
        print(f"The month could not be played to its end: {error}.", file=sys.stderr)
        return 1
    checks = check(figures, reckoning.reckon())
    if given.json:
        print(json.dumps(_document(figures, checks), indent=2, ensure_ascii=False))
    else:
        print("\n".join([*report(figures, lines), "", *_verdict(checks)]))
    return 0 if all(found.is_equal for found in checks) else 1


def play(folder: Path) -> tuple[Figures, tuple[Told, ...]]:
    """The month, played on a new workspace in that folder: what its tables say, and what its journal tells."""
    reviews: list[Reviewed] = []

    def listen(tx: Transaction, by: str) -> None:
        reviews.append(readings.reviewed(tx, tx.now, by))

    stage = Stage.build(folder, listen)
    with stage.workspace:
        stage.play(story.story(), playing.do)
        return stage.store.read_now(lambda r: (readings.read(r, tuple(reviews)), chronicle(r)))


def _verdict(checks: Sequence[Check]) -> list[str]:
    wrong = [found for found in checks if not found.is_equal]
    if not wrong:
        return [f"Counted twice: all {len(checks)} figures of apm's tables are those of the plan."]
    return [f"{len(wrong)} of {len(checks)} figures of apm's tables are not those of the plan:", *map(str, wrong)]


def _document(figures: Figures, checks: Sequence[Check]) -> dict[str, object]:
    wrong = [asdict(found) for found in checks if not found.is_equal]
    return {**asdict(figures), "checked": len(checks), "different": wrong}


if __name__ == "__main__":
    sys.exit(main())
