"""How the benchmark starts other programs: as an installed apm would be, with its byte code kept."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where `python -m tui…` and `python -m tests…` work from."""


def environment(place: Path) -> dict[str, str]:
    """This process's environment, in which byte code is kept, and kept in the benchmark's own folder.

    Without that a checkout whose byte code is not written would compile itself at every start, an installed one not.
    """
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**without, "PYTHONPYCACHEPREFIX": str(place / "bytecode")}
