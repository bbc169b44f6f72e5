"""A repository of a few files, and what is detected in it."""

from __future__ import annotations

from pathlib import Path

from core.contract import Json
from core.projects.detection import tech_of
from core.projects.tree import Tree
from tests.unit.git_project import write

INIT = '__version__ = "1.2.3"\n'

BUILD = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


def tech(root: Path, files: dict[str, str]) -> Json:
    """The tech of files on disk, all of them taken as tracked."""
    write(root, files)
    return tech_of(Tree.of(root, tuple(files)))
