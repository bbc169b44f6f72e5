"""The real loaders, each in a folder of its own below `.loaders/`, at the version that was last seen to work.

Nothing is installed twice; a new pin installs anew. What cannot be installed skips its tests and says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".loaders"

NPM: Mapping[str, str] = {
    "gemini": "@google/gemini-cli-core@0.61.0",
    "codex": "@openai/codex@0.169.0",
    "opencode": "opencode-ai@1.18.33",
    "copilot": "@github/copilot@1.0.102",
}
PIP: Mapping[str, str] = {
    "claude": "claude-agent-sdk==0.2.186",
    "copilot-sdk": "github-copilot-sdk==1.0.27",
    "skills": "skills-ref==0.1.1",
}

INSTALL_SECONDS = 900


def npm(name: str) -> Path:
    """The `node_modules` of an npm package; skips where npm or the package cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip(f"{name}: node and npm are not installed here")

    def install(folder: Path) -> None:
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        _run(name, ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", NPM[name]], folder)

    return _installed(name, NPM[name], install) / "node_modules"


def pip(name: str) -> Path:
    """The environment that holds a package from PyPI; skips where it cannot be had."""

    def install(folder: Path) -> None:
        venv.create(folder / "venv", with_pip=True)
        _run(name, [str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet", PIP[name]], folder)

    return _installed(name, PIP[name], install) / "venv"


def environment(tool: str, **more: str) -> dict[str, str]:
    """What a loader gets to see: a home of its own, no key, no setting of whoever runs the tests, and no network."""
    home = CACHE / "homes" / tool
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    nowhere = "http://127.0.0.1:9"
    node = Path(shutil.which("node") or "/usr/bin/node").parent
    return {
        "PATH": os.pathsep.join([str(node), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "ALL_PROXY": nowhere,
    } | more


def one(folder: Path, pattern: str) -> Path:
    """The one file that a pattern finds; skips on a machine that the package brings no program for."""
    found = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
    if not found:
        pytest.skip(f"{folder.parent.name}: the package brings no program for {sys.platform} at {pattern}")
    return found[0]


def _installed(name: str, pin: str, install: Callable[[Path], None]) -> Path:
    folder = CACHE / name
    mark = folder / "installed"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != pin:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        mark.write_text(pin, encoding="utf-8")
    return folder


def _run(name: str, command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{name} cannot be installed: {error}")
    if done.returncode != 0:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        pytest.skip(f"{name} cannot be installed: {said[-1] if said else f'exit code {done.returncode}'}")
