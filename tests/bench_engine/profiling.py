"""Where the time of the hot path goes: py-spy looks at a run from outside, two hundred times a second, all threads.

A profiler within the process would make the very functions slow that are called most, and would see one thread.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench_engine.contestants import OURS, ROOT, NotMeasured, last_line, own_python
from tests.bench_engine.environments import environment
from tests.bench_engine.flames import parsed, picture, shares, tree
from tests.bench_engine.standard import Outcome, Shape, told, words
from tests.bench_engine.table import aligned, number

PACKAGES = ("py-spy==0.4.3",)
RATE = 200
PICTURE = ROOT / "screenshots" / "hot_path.svg"
SHOWN = 15


def profile(shape: Shape) -> str:
    """Draw the picture; the widest functions as text. Raises NotMeasured where the machine lets nobody look."""
    spy = environment("py-spy", PACKAGES) / "bin" / "py-spy"
    with tempfile.TemporaryDirectory(prefix="apm-bench-") as folder:
        raw, work = Path(folder, "stacks.txt"), Path(folder, "work")
        work.mkdir()
        watch = [str(spy), "record", "--format", "raw", "--function", "--threads", "--rate", str(RATE), "-o", str(raw)]
        program = [str(own_python()), "-m", OURS.module, *words(shape, work)]
        ended = subprocess.run([*watch, "--", *program], cwd=ROOT, capture_output=True, text=True, check=False)
        if ended.returncode or not raw.is_file():
            raise NotMeasured(f"py-spy could not watch: {last_line(ended.stderr)}")
        outcome, stacks = told(_of_program(ended.stdout)), list(parsed(raw.read_text(encoding="utf-8").splitlines()))
    title = _title(shape, outcome, sum(count for _, count in stacks))
    PICTURE.write_text(picture(tree(stacks), title), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)} is drawn.", file=sys.stderr)
    rows = [("of apm's functions", "on the stack", "innermost of ours")]
    rows += [(name, f"{100 * a:.1f} %", f"{100 * b:.1f} %") for name, a, b in shares(stacks, "core/")[:SHOWN]]
    return f"{title}\n{aligned(rows, right={1, 2})}"


def _of_program(output: str) -> str:
    """What the program told, without what its watcher says of itself."""
    return "\n".join(line for line in output.splitlines() if line.startswith("{"))


def _title(shape: Shape, outcome: Outcome, samples: int) -> str:
    return (
        f"The hot path, {shape.name}: {number(outcome.steps)} steps, {number(outcome.rate)} a second while watched, "
        f"synchronous={outcome.synchronous}, {samples:,} samples of all threads that were at work"
    )
