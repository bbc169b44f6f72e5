"""Selection: what a large repository is made of, and the agents that it gets."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from time import perf_counter

from core.projects.stack.scan import scan
from core.registry.selection import select
from core.store import reads
from core.workspace import Workspace, create
from tests.bench.measure import Figure, duration, settled

FILES, SAMPLES = 100_000, 5
FLOOR_S = 3.0
PACKAGES = 100
ENDINGS = ("py", "ts", "go", "rs", "java", "md", "json", "yaml", "css", "proto")
MANIFESTS = {
    "py": ("pyproject.toml", '[project]\nname = "p{n}"\nversion = "1"\ndependencies = ["django>=5", "psycopg"]\n'),
    "ts": ("package.json", '{{"name": "p{n}", "private": true, "dependencies": {{"react": "19", "react-dom": "19"}}}}'),
    "go": ("go.mod", "module example.org/p{n}\n\nrequire github.com/spf13/cobra v1.8.0\n"),
    "rs": ("Cargo.toml", '[package]\nname = "p{n}"\n[dependencies]\ntokio = "1"\n'),
    "java": ("build.gradle", "plugins {{ id 'java' }}\ndependencies {{ implementation 'org.springframework:a:6' }}\n"),
}


def measure(place: Path) -> list[Figure]:
    """A sample lists the files with git, tracked and untracked, reads what counts and chooses; git's index is warm."""
    repository(place)
    with Workspace.open(create(place.with_name(f"{place.name}-workspace"))) as workspace:
        agents = workspace.store.read_now(reads.agents)
    settled()
    asyncio.run(scan(place))
    seconds = []
    for _ in range(SAMPLES):
        began = perf_counter()
        select(agents, asyncio.run(scan(place)))
        seconds.append(perf_counter() - began)
    return [duration(f"stack and agents of a repository of {FILES:,} files", seconds, "s", floor=FLOOR_S)]


def repository(place: Path) -> None:
    """A monorepo of a hundred packages in five languages, no two names alike; a tenth of its files is untracked."""
    kinds = list(MANIFESTS)
    for n in range(PACKAGES):
        folder = place / "packages" / f"p{n}"
        name, text = MANIFESTS[kinds[n % len(kinds)]]
        _write(folder / name, text.format(n=n))
        for m in range(FILES // PACKAGES - 1):
            # Twenty files a folder, three folders deep, as people have them.
            ending = kinds[n % len(kinds)] if m % 2 else ENDINGS[m % len(ENDINGS)]
            _write(folder / f"src/area{m // 200}/part{m // 20}/module_{n}_{m}.{ending}", "import os\n")
    _git(place, "init", "-q")
    _git(place, "add", *(f"packages/p{n}" for n in range(PACKAGES) if n % 10))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _git(place: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=place, check=True, capture_output=True)
