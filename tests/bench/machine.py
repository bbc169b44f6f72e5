"""What the figures were taken on."""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
from pathlib import Path

import psutil

from core.contract import Json


def machine(place: Path) -> Json:
    """`file_system` is that of the folder the figures are taken in: it decides what a durable commit costs."""
    return {
        "cores": os.cpu_count(),
        "load_average": load_average(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "file_system": _file_system(place),
        "gc": f"on {gc.get_threshold()}" if gc.isenabled() else "off",
    }


def load_average() -> list[float]:
    """Processes that wanted to run over the last 1, 5 and 15 minutes: more than there are cores, and figures suffer."""
    return [round(load, 2) for load in os.getloadavg()]


def as_line(facts: Json) -> str:
    loads = " ".join(f"{load:.2f}" for load in facts["load_average"])
    return (
        f"{facts['cores']} cores, load {loads} at the start, {facts['system']}, Python {facts['python']}, "
        f"SQLite {facts['sqlite']}, {facts['file_system']}, gc {facts['gc']}"
    )


def _file_system(place: Path) -> str:
    """The type of the mount that holds the folder; `unknown` where the system does not tell."""
    mounts = [m for m in psutil.disk_partitions(all=True) if place.resolve().is_relative_to(m.mountpoint)]
    return max(mounts, key=lambda m: len(m.mountpoint)).fstype if mounts else "unknown"
