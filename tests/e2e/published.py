"""Source distributions of real packages, from the package index, kept in pytest's cache between runs."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PACKAGES = {
    "iniconfig": "2.3.1",
    "webcolors": "25.10.0",
    "toposort": "1.10",
    "sortedcontainers": "2.4.0",
    "python-slugify": "9.2.0",
}
"""Small, pure Python, and unlike each other: ruff and mypy; strict coverage in parallel mode; unittest as a script; no
tests at all; a dependency that is not installed."""


def stem(name: str) -> str:
    """What a package's archive, and the folder in it, is called."""
    return f"{name.replace('-', '_')}-{PACKAGES[name]}"


def unpack(name: str, kept: Path, folder: Path) -> Path:
    """The package's files as its authors publish them."""
    with tarfile.open(kept / f"{stem(name)}.tar.gz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)
    return folder / stem(name)


def fetched(config: pytest.Config, instead: Path) -> Path:
    """A folder with every package's archive; `instead` where pytest keeps no cache. Skips without an index."""
    cache = getattr(config, "cache", None)
    kept: Path = cache.mkdir("third-party") if cache else instead
    with (kept / "lock").open("w") as lock:
        # Of the workers of one run one fetches, and the others wait: to build metadata costs more than to load.
        fcntl.flock(lock, fcntl.LOCK_EX)
        lacking = [name for name in PACKAGES if not (kept / f"{stem(name)}.tar.gz").exists()]
        with TemporaryDirectory() as folder:
            pips = {name: _download(name, Path(folder)) for name in lacking}
            complaints = {name: pip.communicate(timeout=120)[1].splitlines() for name, pip in pips.items()}
            for name, lines in complaints.items():
                if pips[name].returncode:
                    why = next((line for line in lines if line.startswith("ERROR")), "pip failed")
                    pytest.skip(f"the package index does not give {name} {PACKAGES[name]}: {why}")
            for archive in Path(folder).glob("*.tar.gz"):
                shutil.move(archive, kept / archive.name)
    return kept


def _download(name: str, folder: Path) -> subprocess.Popen[str]:
    """Only the package itself as source: what builds its metadata may come as a wheel."""
    wanted = ["--no-deps", f"--no-binary={name}", f"--dest={folder}", f"{name}=={PACKAGES[name]}"]
    argv = [sys.executable, "-m", "pip", "download", "-q", "--retries=1", "--timeout=20", *wanted]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
