"""What the README says is what there is. `python -m tests.unit.test_readme` writes the key table anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.actions import key_table_markdown
from tui.cli.main import apm

README = Path(__file__).parents[2] / "README.md"
KEYS = re.compile(r"(?<=<!-- keys: made from tui/actions -->\n).*?(?=<!-- /keys -->)", re.DOTALL)


def test_the_key_table_is_the_registrys() -> None:
    found = KEYS.search(README.read_text(encoding="utf-8"))

    assert found is not None
    assert found[0].strip() == key_table_markdown().strip(), "python -m tests.unit.test_readme writes it anew"


def test_every_command_is_named() -> None:
    text = README.read_text(encoding="utf-8")

    assert [name for name in apm.list_commands(None) if f"apm {name}" not in text] == []  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["demo", "test", "bench", "screenshots"])
def test_what_the_readme_makes_the_makefile_can(target: str) -> None:
    assert re.search(rf"^{target}:", (README.parent / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^]]*]\(([^)]+)\)", README.read_text(encoding="utf-8"))

    assert pictures
    assert [p for p in pictures if not (README.parent / p).is_file()] == []


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(KEYS.sub(lambda _: key_table_markdown().strip() + "\n", text), encoding="utf-8")
