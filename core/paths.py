"""Where a path leads."""

from __future__ import annotations

import os
from pathlib import Path


def real(path: Path) -> Path:
    """The absolute path with every link followed that leads somewhere; links in a circle stand for themselves.

    `Path.resolve` raises RuntimeError for those, and any repository, agent or person may have made one. Whoever opens
    what is returned here gets the OSError that says so.
    """
    return Path(os.path.realpath(path))
