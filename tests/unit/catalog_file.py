"""The agents.yaml that comes with apm, edited in one place, and what is said of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.registry.catalog import (
    CatalogError,
    default_path,
    load,
)

SHIPPED = default_path().read_text(encoding="utf-8")


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "agents.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def edited(folder: Path, old: str, new: str, *, after: str = "") -> tuple[Path, int]:
    """The shipped file with the first `old` behind `after` replaced, and the line where that happened."""
    at = SHIPPED.index(old, SHIPPED.index(after))
    return write(folder, SHIPPED[:at] + new + SHIPPED[at + len(old) :]), SHIPPED.count("\n", 0, at) + 1


def complaint(path: Path) -> str:
    with pytest.raises(CatalogError) as caught:
        load(path)
    return str(caught.value)
