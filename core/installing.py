"""The command that installs what is missing, into the interpreter that lacks it.

`pip` alone is whichever comes first on the PATH, which after `pipx install` is never apm's own, and on the public
index the name apm is a stranger's.
"""

from __future__ import annotations

import re
import shlex
import sys


def pip_install(python: str, *packages: str) -> str:
    """As a shell takes it: /usr/bin/python -m pip install pytest coverage."""
    return shlex.join((python, "-m", "pip", "install", *packages))


def install_extra(extra: str) -> str:
    """The command for what apm's extra consists of, in the environment that apm runs in."""
    return pip_install(sys.executable, *_needed(extra))


def _needed(extra: str) -> list[str]:
    """The extra's requirements as pyproject.toml has them; where apm runs from its source and nobody knows them, the
    extra as the clone offers it."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = [line.partition(";") for line in requires("apm") or ()]
    except PackageNotFoundError:
        lines = []
    wanted = re.compile(rf"""extra *== *["']{re.escape(extra)}["']""")
    return [needed.strip() for needed, _, marker in lines if wanted.search(marker)] or [f".[{extra}]"]
