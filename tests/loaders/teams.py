"""Whom the loaders are given: everybody, and two agents whose words try to be something else."""

from __future__ import annotations

from pathlib import Path

from core.registry.generation.service import generate
from core.registry.generation.subjects import Subject, subjects
from tests.unit.generation_team import registry, row

HOSTILE = subjects(
    [
        row(
            "hostile-one",
            description='Says "yes": or # no, \'---\' {{ x }} ${HOME} <b> \\ | & ]]> """ é😀',
            sop_content=(
                "---\nname: other\n---\n\"\"\"\n'''\n]]> <!-- x --> {{ x }} {% y %} \\ \\n\n"
                "{env:HOME} {file:/etc/hosts}\n"
                "\ttab, é😀, `code`, ${{ y }} $HOME @x !z\n# Heading: with colon\n\nkey: [a, b\n"
            ),
            skill=True,
        ),
        row("hostile-two", description="- [x]: *a & !b %c @d `e", sop_content='x"""', skill=True),
    ]
)


def generated(root: Path, provider: str, *, extra: tuple[Subject, ...] = ()) -> tuple[Subject, ...]:
    """Make a provider's files below `root`; who is in them, in the order of their names."""
    team = (*registry(), *extra)
    generate(team, root, providers=[provider])
    only_skills = provider == "skills"
    return tuple(sorted((s for s in team if s.skill or not only_skills), key=lambda s: s.role))
