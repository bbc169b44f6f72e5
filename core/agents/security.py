"""Security checks: bandit on the package's sources, a secrets scan of what the branch changed, pip-audit where it can.

As in static analysis, `findings` counts what the branch adds, None where a check that is due was not made and the
others found nothing; what `base_commit` had already is `existing` and listed apart. A check that could not be made is
`not measured`, with the reason, and never counted as clean. A secret is reported by place and kind; its text appears
nowhere.

The checks read trees that hold a commit's files alone (`core/agents/trees.py`), settings of tools included; what
the branch changed of how it is measured (`core/agents/measuring.py`) is said, and a finding where a model did it.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import json
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.agents import measuring
from core.agents.bounded import Unreadable, read_text
from core.agents.branch import is_test_file
from core.agents.findings import LISTED, Finding, added, evidence_of, finding, relative
from core.agents.measured_coverage import probe
from core.agents.portions import here, in_portions
from core.agents.trees import is_plain, plain_files, remove, tree_at
from core.contract import Json
from core.paths import real
from core.projects import git
from core.projects.commands import CommandResult, Limits, run
from core.projects.settings import interpreter
from core.sanitise import one_line

LIMITS = Limits(seconds=600.0, output_bytes=64 * 2**20)
AUDIT_LIMITS = Limits(seconds=120.0, output_bytes=16 * 2**20)
EXISTING_LISTED = 50

LEAST_CONFIDENCE = {"HIGH": "LOW", "MEDIUM": "MEDIUM"}
"""By bandit's severity, the least confidence that counts. Low severity (each `assert`, each import of subprocess)
and guesses at medium ones are left to the people who read the code."""
_CONFIDENCES = ("UNDEFINED", "LOW", "MEDIUM", "HIGH")

UNDECODED = "\N{REPLACEMENT CHARACTER}"
"""Stands in a listed name for what is no UTF-8: no file has that name then, unless this is really a part of it."""

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[^\]]*\])?==[^;\s*]+(\s*;.*)?(\s*\\)?")
_SECRETS_BASELINE = ".secrets.baseline"
_BANDIT_INI, _MANIFEST = ".bandit", "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Check:
    """What one tool found: what the branch adds, what was there, or why it measured nothing."""

    name: str
    version: str = ""
    new: Sequence[Finding] = ()
    existing: Sequence[Finding] = ()
    result: CommandResult | None = None
    status: str = "measured"
    """`measured`, `not measured` or `not applicable`."""
    note: str = ""

    def row(self) -> Json:
        return {
            "name": self.name,
            "version": self.version,
            "exit_code": self.result.exit_code if self.result else None,
            "findings": len(self.new),
            "existing": len(self.existing),
            "status": self.status,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Screening:
    """The whole threat screening: `payload` is the agent's output; `missing` names checks that are due but failed."""

    payload: Json
    missing: tuple[str, ...] = ()
    evidence: tuple[Json, ...] = ()


@dataclass(slots=True)
class _Trees:
    """The files of the branch's last commit, and those of `base_commit` once somebody needs them."""

    project: Json
    worktree: Path
    folder: Path
    base: str
    now: Path
    changed: tuple[tuple[str, str], ...] = ()
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _before: Path | None = None

    async def before(self) -> Path:
        async with self._lock:
            if self._before is None:
                self._before = await tree_at(self.worktree, self.base, self.folder / "before")
            return self._before

    def changes(self, name: str) -> bool:
        """Whether the branch wrote this file, which it has still."""
        return any(path == name and status != "D" for status, path in self.changed)

    @property
    def python(self) -> str:
        return str(interpreter(self.project))


async def screen(project: Json, worktree: Path, scratch: Path, base: str) -> Screening:
    """Run every check on the branch's last commit and tell apart what the branch adds since `base`."""
    folder = Path(tempfile.mkdtemp(prefix="security-", dir=scratch))
    try:
        head = await git.head(worktree)
        changed = await git.changed_files(worktree, base, head)
        trees = _Trees(project, worktree, folder, base, await tree_at(worktree, head, folder / "now"), changed)
        checks = await asyncio.gather(*(_checked(name, check, trees) for name, check in _CHECKS.items()))
    finally:
        await remove(folder)
    settings = await measuring.changes(worktree, base, [path for _, path in changed])
    new = [*measuring.findings(settings), *(found for check in checks for found in check.new)]
    existing = [found for check in checks for found in check.existing]
    missing = tuple(
        f"security check by {check.name}: {check.note}"
        for check in checks
        if check.status == "not measured" and check.name != "pip-audit"
    )
    return Screening(
        payload={
            "security": {
                "tools": [check.row() for check in checks],
                # A gate would read 0 as clean, also where a check that has to say so was not made.
                "findings": None if missing and not new else len(new),
                "existing": len(existing),
                "settings": [change.to_json() for change in settings],
                "details": [found.to_json() for found in new[:LISTED]],
                "existing_details": [found.to_json() for found in existing[:EXISTING_LISTED]],
            }
        },
        missing=missing,
        evidence=tuple(measuring.evidence(settings))
        + tuple(
            # Scanners print the very lines that hold a secret; the digest of what they printed is enough.
            evidence_of(check.result, check.name, check.version, note=check.note, quiet=True)
            for check in checks
            if check.result
        ),
    )


async def _checked(name: str, check: Callable[[_Trees], Awaitable[Check]], trees: _Trees) -> Check:
    try:
        return await check(trees)
    except Unreadable as error:
        return Check(name, status="not measured", note=str(error))


async def _bandit(trees: _Trees) -> Check:
    version = importlib.metadata.version("bandit")
    tracked = [path for path in await git.tracked_files(trees.now) if path.endswith(".py")]
    files = await asyncio.to_thread(plain_files, trees.now, tracked)
    own = [path for path in tracked if not is_test_file(path, trees.project.get("tech"))]
    sources, others = [path for path in own if path in files], [path for path in own if path not in files]
    unseen = _unseen(trees, others, files)
    if not sources and not any(unseen):
        return Check("bandit", version, status="not applicable", note="the project has no Python source")
    if not sources:
        return Check("bandit", version, *unseen)
    now, results = await _bandit_on(trees.now, sources)
    if now is None:
        return Check("bandit", version, result=results[-1], status="not measured", note=_why(results[-1]))
    before: list[Finding] = []
    if now:
        tree = await trees.before()
        removed = [path for status, path in trees.changed if status == "D" and path.endswith(".py")]
        suspects = sorted({found.path for found in now} | set(removed))
        before = (await _bandit_on(tree, [path for path in suspects if is_plain(tree, path)]))[0] or []
    new, existing = await asyncio.to_thread(added, now, before, trees.now)
    return Check("bandit", version, [*new, *unseen[0]], [*existing, *unseen[1]], results[-1])


def _unseen(trees: _Trees, paths: Sequence[str], scanned: Set[str]) -> tuple[list[Finding], list[Finding]]:
    """(new, existing): a listed file that no check can read is no clean one. Links to what is scanned itself are."""
    new: list[Finding] = []
    existing: list[Finding] = []
    for path in paths:
        place = trees.now / path
        if not place.is_symlink():
            why = "its name is no UTF-8, or it is no plain file"
        elif relative(str(real(place)), trees.now) not in scanned:
            why = "it is a link to what is not scanned"
        else:
            continue
        found = finding("bandit", trees.now, path, None, "not-scanned", f"not scanned: {why}", "MEDIUM")
        (new if trees.changes(path) else existing).append(found)
    return new, existing


async def _bandit_on(root: Path, files: Sequence[str]) -> tuple[list[Finding] | None, list[CommandResult]]:
    """The findings that count; None when bandit could not work."""
    options = ["-c", _MANIFEST] if "[tool.bandit" in (read_text(root / _MANIFEST) or "") else []
    options += ["--ini", _BANDIT_INI] if read_text(root / _BANDIT_INI) is not None else []
    argv = [sys.executable, "-P", "-m", "bandit", "-q", "-f", "json", *options]
    results = await in_portions(lambda names: run([*argv, *here(names)], cwd=root, limits=LIMITS), files)
    found: list[Finding] = []
    for result in results:
        report = _object(result.stdout)
        if "results" not in report:
            return None, [result]
        found += [_bandit_finding(row, root) for row in report["results"] if _counts(row)]
        found += [_unread(row, root) for row in report.get("errors") or ()]
    return found, results


def _counts(row: Json) -> bool:
    least = LEAST_CONFIDENCE.get(row["issue_severity"])
    return least is not None and _CONFIDENCES.index(row["issue_confidence"]) >= _CONFIDENCES.index(least)


def _bandit_finding(row: Json, root: Path) -> Finding:
    """Bandit quotes the passwords that it finds (B105 to B107), so what is quoted goes."""
    text = _QUOTED.sub("'…'", row["issue_text"]) if row["test_id"] in ("B105", "B106", "B107") else row["issue_text"]
    return finding("bandit", root, row["filename"], row["line_number"], row["test_id"], text, row["issue_severity"])


def _unread(row: Json, root: Path) -> Finding:
    """A file that bandit could not read is no clean file."""
    return finding("bandit", root, row["filename"], None, "not-scanned", row["reason"], "MEDIUM")


async def _secrets(trees: _Trees) -> Check:
    version = importlib.metadata.version("detect-secrets")
    files = [path for status, path in trees.changed if status != "D" and is_plain(trees.now, path)]
    files = [path for path in files if path != _SECRETS_BASELINE]
    # A link's own text is where it leads to, and a submodule has no files here.
    lost = [path for status, path in trees.changed if status != "D" and not os.path.lexists(trees.now / path)]
    misnamed = [path for path in lost if UNDECODED in path]
    if misnamed:
        names = one_line(", ".join(misnamed), 300)
        note = f"names that are no UTF-8 cannot be handed to it; rename {names}"
        return Check("detect-secrets", version, status="not measured", note=note)
    if not files:
        return Check("detect-secrets", version, note="the branch changes no file")
    found, result = await _secrets_in(trees.now, files)
    if found is None:
        return Check("detect-secrets", version, result=result, status="not measured", note=_why(result))
    accepted, fault = _accepted(trees.now)
    note = fault or _accepted_note(trees, sum(digest in accepted for digest, _ in found))
    found = [(digest, item) for digest, item in found if digest not in accepted]
    known: set[str] = set()
    if found:
        tree = await trees.before()
        earlier = [path for _, path in trees.changed if is_plain(tree, path)]
        if earlier:
            known = {digest for digest, _ in (await _secrets_in(tree, earlier))[0] or ()}
    new = [item for digest, item in found if digest not in known]
    existing = [item for digest, item in found if digest in known]
    return Check("detect-secrets", version, new, existing, result, note=note)


def _accepted_note(trees: _Trees, count: int) -> str:
    if not count:
        return ""
    changed = ", which the branch itself changed" if trees.changes(_SECRETS_BASELINE) else ""
    return f"{count} accepted by {_SECRETS_BASELINE}{changed}"


async def _secrets_in(root: Path, files: Sequence[str]) -> tuple[list[tuple[str, Finding]] | None, CommandResult]:
    """(digest of the secret, finding) of each; `--no-verify` because verifying sends the secret to its issuer."""
    argv = [sys.executable, "-P", "-m", "detect_secrets", "scan", "--no-verify", "--all-files"]
    results = await in_portions(lambda names: run([*argv, *here(names)], cwd=root, limits=LIMITS), files)
    rows: list[Json] = []
    for result in results:
        report = _object(result.stdout)
        if "results" not in report:
            return None, result
        rows += [row for group in report["results"].values() for row in group]
    return [(_digest(row), _secret_finding(row, root)) for row in rows], results[-1]


def _secret_finding(row: Json, root: Path) -> Finding:
    text = f"possible secret ({row['type']}); if it is none, mark the line with `pragma: allowlist secret`"
    return finding("detect-secrets", root, row["filename"], row["line_number"], row["type"], text, "HIGH")


def _digest(row: Json) -> str:
    return f"{row['type']}:{row['hashed_secret']}"


def _accepted(root: Path) -> tuple[set[str], str]:
    """What the project's own baseline knows and a person has not marked as a real secret, and what is wrong with it."""
    text = read_text(root / _SECRETS_BASELINE)
    if text is None:
        return set(), ""
    try:
        rows = [row for group in json.loads(text)["results"].values() for row in group]
        return {_digest(row) for row in rows if row.get("is_secret") is not True}, ""
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return set(), f"nothing is accepted by {_SECRETS_BASELINE}, which is no baseline that detect-secrets wrote"


async def _audit(trees: _Trees) -> Check:
    """Known vulnerabilities of pinned requirements; needs pip-audit and a registry that answers.

    pip-audit ends with 0 and "no known vulnerabilities" also when it could look nothing up: what it skipped is said.
    """
    files = sorted(path for path in trees.now.glob("requirements*.txt") if not path.is_dir())
    if not files:
        return Check("pip-audit", status="not applicable", note="the project pins no requirements")
    pinned = [path for path in files if _is_pinned(path)]
    if not pinned:
        return Check("pip-audit", status="not measured", note="not every requirement is pinned with ==")
    python, version = await _auditor(trees)
    if not python:
        return Check("pip-audit", status="not measured", note="pip-audit is not installed")
    now, result = await _audit_of(python, trees.now, [path.name for path in pinned])
    if now is None:
        return Check("pip-audit", version, result=result, status="not measured", note=_why(result))
    rows = _object(result.stdout)["dependencies"]
    skipped = [row["skip_reason"] for row in rows if row.get("skip_reason")]
    note = f"{len(skipped)} of {len(rows)} not looked up: {one_line(skipped[0])}" if skipped else ""
    if len(skipped) == len(rows):
        return Check("pip-audit", version, result=result, status="not measured", note=note)
    before: list[Finding] = []
    if now:
        tree = await trees.before()
        names = [path.name for path in pinned if is_plain(tree, path.name)]
        before = ((await _audit_of(python, tree, names))[0] or []) if names else []
    new, existing = added(now, before, trees.now)
    return Check("pip-audit", version, new, existing, result, note=note)


async def _auditor(trees: _Trees) -> tuple[str, str]:
    """The interpreter that has pip-audit, apm's own first, and its version; both empty when none has it."""
    if importlib.util.find_spec("pip_audit"):
        return sys.executable, importlib.metadata.version("pip-audit")
    env = {"PYTHONSAFEPATH": "1"}
    version = (await probe(trees.python, trees.folder, ["pip_audit"], "", env)).versions.get("pip_audit")
    return (trees.python, version) if version is not None else ("", "")


def _is_pinned(path: Path) -> bool:
    lines = (line.split(" #")[0].strip() for line in (read_text(path) or "").splitlines())
    wanted = [line for line in lines if line and not line.startswith(("#", "--hash", "-i ", "--index-url"))]
    return bool(wanted) and all(_PINNED.match(line) for line in wanted)


async def _audit_of(python: str, root: Path, names: Sequence[str]) -> tuple[list[Finding] | None, CommandResult]:
    # From a folder of ours: a Python before 3.11 would take `pip_audit` from where it stands.
    files = [word for name in names for word in ("-r", str(root / name))]
    argv = [python, "-m", "pip_audit", "--progress-spinner=off", "-f", "json", "--no-deps", "--disable-pip", *files]
    result = await run(argv, cwd=root.parent, limits=AUDIT_LIMITS, env={"PYTHONSAFEPATH": "1"})
    report = _object(result.stdout)
    if "dependencies" not in report:
        return None, result
    return [
        finding("pip-audit", root, names[0], None, flaw["id"], _flaw(package, flaw), "HIGH")
        for package in report["dependencies"]
        for flaw in package.get("vulns") or ()
    ], result


def _flaw(package: Json, flaw: Json) -> str:
    fixed = ", ".join(flaw.get("fix_versions") or ()) or "none yet"
    return f"{package['name']} {package['version']} has a known vulnerability; fixed in: {fixed}"


_CHECKS: dict[str, Callable[[_Trees], Awaitable[Check]]] = {
    "bandit": _bandit,
    "detect-secrets": _secrets,
    "pip-audit": _audit,
}


def _object(text: str) -> dict[str, Any]:
    """The JSON object in a tool's output; empty when it is none."""
    try:
        value = json.loads(text[text.index("{") :])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _why(result: CommandResult) -> str:
    """The last line that a failed tool printed on stderr: stdout may hold what it scanned."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    ended = "was stopped at its time limit" if result.timed_out else f"ended with exit code {result.exit_code}"
    return one_line(lines[-1]) if lines and not result.timed_out else f"it {ended} and left no report"
