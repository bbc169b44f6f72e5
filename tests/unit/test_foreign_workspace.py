"""A workspace that somebody else has made: opening it would run what he wrote, so it is not opened unasked."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import workspace as workspaces
from core.contract import UsageError
from core.orchestration import work_items
from core.places import FILE, find
from core.store.chain import BadKey
from core.store.store import Store
from tests.fresh import fresh_store

ROOT = Path(__file__).parents[2]
NOBODY = 65_534


def test_a_cloned_workspace_is_not_opened(tmp_path: Path) -> None:
    folder = workspaces.create(tmp_path / "theirs")
    Store.open(folder / "state").close()
    for words in (
        ["init", "-q"],
        ["add", "--force", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    subprocess.run(["git", "clone", "-q", str(folder), str(tmp_path / "mine")], check=True)

    with pytest.raises(BadKey, match=r"mode is 0[0-7]{3}.*came with a repository") as raised:
        Store.open(tmp_path / "mine" / "state")

    subprocess.run(str(raised.value).split("`")[1], shell=True, check=True)
    Store.open(tmp_path / "mine" / "state").close()


def test_rows_without_events_and_without_a_key_are_not_taken_for_a_new_workspace(tmp_path: Path) -> None:
    with fresh_store(tmp_path) as store:
        store.write_now(lambda tx: work_items.create(tx, title="not yours"))
    with contextlib.closing(sqlite3.connect(tmp_path / "apm.db", isolation_level=None)) as database:
        database.executescript("DELETE FROM events; DELETE FROM chain_head")
    (tmp_path / "journal.key").unlink()

    with pytest.raises(BadKey, match="Put the original file back"):
        Store.open(tmp_path)


def test_a_kill_before_the_key_was_made_leaves_a_workspace_that_opens(tmp_path: Path) -> None:
    fresh_store(tmp_path).close()
    (tmp_path / "journal.key").unlink()

    Store.open(tmp_path).close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can look into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go on as another account")
def test_another_accounts_workspace_is_not_found_by_coming_by(open_folder: Path) -> None:
    (open_folder / FILE).touch()
    (open_folder / "state").mkdir()
    code = f"""
import os
from pathlib import Path
from core.places import find
os.seteuid({NOBODY})
find(Path({str(open_folder)!r}))
"""

    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "another account's workspace" in said.stderr


def test_ones_own_workspace_is_found(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        find(tmp_path)
    assert find(workspaces.create(tmp_path) / "state") == tmp_path


def test_no_other_account_may_drop_a_decision(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = workspaces.create(tmp_path / "new")
    finally:
        os.umask(before)
    assert [(folder / name).stat().st_mode & 0o777 for name in ("state", "state/inbox")] == [0o700, 0o700]
