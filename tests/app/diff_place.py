"""A work item with a real repository behind it: a branch with every kind of change, and a worktree that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.store.schema import Project, WorkItem
from core.store.transaction import Transaction
from tests.app.seeding import MORNING, SeededWorkspace, seed_artifact
from tests.unit.git_project import commit
from tests.unit.git_project import git as by_hand

BRANCH = "apm/6-round-tax-totals"
TAX = '''
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def total(lines):
    """The tax on all lines of an invoice."""
    return sum((tax(line) for line in lines), Decimal())


def tax(line):
\treturn (line.net * line.rate).quantize(CENT, ROUND_HALF_UP)
'''
LONG = "as the tax office does it: " + "half to even, " * 12
FIXED = f'''
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def total(lines):
    """The tax on all lines of an invoice, rounded once."""
    return rounded(sum((tax(line) for line in lines), Decimal()))


def tax(line):
\treturn line.net * line.rate


def rounded(amount):
\treturn amount.quantize(CENT, ROUND_HALF_EVEN)  # {LONG}
'''


@dataclass(frozen=True, slots=True)
class DiffPlace:
    """The repository, the commit that the branch began at, and its newest one."""

    repo: Path
    base: str
    head: str


def changed(made: SeededWorkspace) -> DiffPlace:
    """Work item 6 of the busy workspace, with a branch and a worktree in which something is not committed."""
    repo = made.folder / "projects" / "ledger"
    padding = "\n".join(f"# {n}" for n in range(30))
    base = commit(
        repo,
        {
            "src/ledger/tax.py": TAX,
            "src/ledger/rates.py": f"STANDARD = 19\n{padding}\nREDUCED = 7\n",
            "docs/old-rules.md": "The old rules.\n" * 9,
            "tools/check.sh": "#!/bin/sh\n",
            "notes.txt": "gone soon\n",
        },
        "before",
    )
    by_hand(repo, "switch", "-q", "-c", BRANCH)
    by_hand(repo, "mv", "docs/old-rules.md", "docs/rules.md")
    (repo / "logo.png").write_bytes(bytes(range(256)))
    (repo / "tools/check.sh").chmod(0o755)
    commit(repo, {"src/ledger/tax.py": FIXED}, "Round the total, half to even")
    files = {
        "src/ledger/rates.py": f"STANDARD = 20\n{padding}\nREDUCED = 5\n",
        "tests/test_tax.py": "def test_half_to_even():\n    assert True\n",
    }
    head = commit(repo, files, "Raise the rates, with a test", remove=("notes.txt",))
    by_hand(repo, "switch", "-q", "main")
    worktree = made.state / "worktrees" / "ledger" / BRANCH.removeprefix("apm/")
    worktree.parent.mkdir(parents=True)
    by_hand(repo, "worktree", "add", "-q", str(worktree), BRANCH)
    (worktree / "src/ledger/tax.py").write_text(FIXED.lstrip().replace("rounded once", "rounded last"))
    (worktree / "scratch.py").write_text("print('tried something')\n")
    made.store.write_now(lambda tx: _note(tx, repo, base))
    return DiffPlace(repo, base, head)


def _note(tx: Transaction, repo: Path, base: str) -> None:
    row = tx.one(Project.select(Project.id).where(Project.name == "ledger"))
    assert row is not None
    tx.update(Project, row[0], path=str(repo))
    tx.update(WorkItem, 6, branch=BRANCH, base_commit=base)
    tx.event("work_item.branched", work_item=6)


def released(made: SeededWorkspace, place: DiffPlace) -> str:
    """Merge the branch, as a release does; the merge."""
    by_hand(place.repo, "merge", "-q", "--no-ff", "--no-edit", BRANCH)
    merge = by_hand(place.repo, "rev-parse", "HEAD")
    content = {"merge_commit": merge, "version": {"from": "1.0.0", "to": "1.0.1"}}

    def release(tx: Transaction) -> None:
        seed_artifact(tx, 6, "release.deployed", "release-orch", content)
        tx.update(WorkItem, 6, released_at=MORNING)
        tx.event("work_item.released", work_item=6)

    made.store.write_now(release)
    return merge


OPEN: Sequence[str] = ("2", "j", "d")
"""The keys from the dashboard to the diff of work item 6."""
