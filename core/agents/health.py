"""health-verifier: asks the released thing itself whether it is well, and sees to it that it is asked again.

A check is plain JSON, so that it can be stored as a monitor and asked again later:
`{"url"}` answers with 2xx, `{"command"}` ends with 0, `{"wheel", "package", "version"}` imports from the wheel and
names its version, `{"archive", "version"}` opens and holds the version. Paths are relative to the folder of releases.
A wheel with `"confined": true` holds what a model wrote: it is imported in the sandbox, also when its branch is gone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import ipaddress
import json
import os
import shutil
import ssl
import sys
import tarfile
import tempfile
import time
import urllib.parse
import zipfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.confined import OPEN, OWN_COMMAND, ground_around, interpreters, is_a_models_work
from core.agents.records import read_json, write_json
from core.contract import AgentRequest, AgentResponse, ApmError, Json, blocked, succeeded
from core.paths import real
from core.projects.commands import Limits, run
from core.projects.settings import expand, interpreter
from core.sanitise import one_line

ROLE = "health-verifier"
MONITOR_FILE = "monitor.json"
EVERY_HOURS = 24
TIME_LIMIT = 15.0
"""Seconds that one try of a URL may take."""
COMMAND_LIMITS = Limits(seconds=120.0)
PAUSES = (1.0, 3.0)
"""Seconds before the second and the third try: what was just deployed may still be starting."""

_BAD_ANSWERS = (ApmError, OSError, ValueError, zipfile.BadZipFile, tarfile.TarError)
_IMPORT = r"""
import importlib, importlib.metadata, json, re, sys, zipfile
wheel, folder, package, distribution = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder)
    found = [re.match(r"([A-Za-z_]\w*)(?:/__init__)?\.py$", name) for name in archive.namelist()]
tops = {match[1] for match in found if match}
package = package or (tops.pop() if len(tops) == 1 else "")
sys.path.insert(0, folder)
module = importlib.import_module(package) if package else None
print(json.dumps({"version": importlib.metadata.version(distribution), "file": getattr(module, "__file__", None)}))
"""
"""Unpacks too, so that an archive that somebody prepared is read where its contents run."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer to a check. `response_ms` is the time of the last try; `at` is milliseconds since the epoch."""

    ok: bool
    response_ms: float
    detail: str
    at: int
    tries: int = 1
    evidence: list[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        when = dt.datetime.fromtimestamp(self.at / 1000, dt.UTC).isoformat(timespec="milliseconds")
        facts = {"response_ms": self.response_ms, "detail": self.detail, "tries": self.tries}
        return {"ok": self.ok, "at": when, **facts}


async def verify_health(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Check the release and register its monitor. BLOCKED, with what was measured, when it is not well."""
    project = request.context.get("project", {})
    results = request.context.get("results", {})
    version = str(results.get("versioner", {}).get("version", {}).get("to", ""))
    check = await _release_check(project, bench, results.get("deploy-orchestrator", {}), version)
    if check is None:
        hint = 'Set `health` in the project\'s settings, as in {"url": "http://…"} or {"command": ["…"]}.'
        return blocked(ROLE, {}, ["a health check: the deployment left no package or archive to look at"], hint)
    reading = await probe(check, bench, project)
    active, second = await _monitored(project, bench, check, version, reading)
    output = {
        "health": {"status": "healthy" if reading.ok else "unhealthy", "response_ms": reading.response_ms},
        "monitoring": {"active": active, "monitor": MONITOR_FILE},
        "check": check,
        "reading": reading.to_json(),
    }
    evidence = [*reading.evidence, *(second.evidence if second else [])]
    if not reading.ok:
        hint = f"The check says: {reading.detail} Mend that, then go on; the check is made again."
        return blocked(ROLE, output, ["a healthy answer"], hint, evidence=evidence)
    if not active:
        detail = second.detail if second else reading.detail
        hint = f"The monitor says: {detail} Mend `monitor` in the project's settings, then go on."
        return blocked(ROLE, output, ["an active monitor"], hint, evidence=evidence)
    return succeeded(ROLE, output, tool=kind_of(check), evidence=evidence)


def kind_of(check: Json) -> str:
    """Which of the kinds of check this is: url, command, wheel or archive."""
    return next(kind for kind in _ASKS if kind in check)


async def probe(check: Json, bench: Bench, project: Json, pauses: Sequence[float] | None = None) -> Reading:
    """Ask a check, three times at most where the thing may still be starting; never raises for a bad answer."""
    ask, patient = _ASKS[kind_of(check)]
    waits = (PAUSES if pauses is None else pauses) if patient else ()
    evidence: list[Json] = []
    for number, pause in enumerate((0.0, *waits), start=1):
        await asyncio.sleep(pause)
        at, began = time.time_ns() // 1_000_000, time.perf_counter()
        try:
            ok, detail = await ask(check, bench, project, evidence)
        except _BAD_ANSWERS as error:
            ok, detail = False, str(error) if isinstance(error, ApmError) else f"{type(error).__name__}: {error}"
        spent = round((time.perf_counter() - began) * 1000, 1)
        reading = Reading(ok, spent, one_line(detail, 500), at, number, evidence)
        if ok:
            break
    return reading


async def probe_monitor(bench: Bench, project: Json) -> tuple[Json, Reading] | None:
    """The registered monitor and its reading of now; None when no release has registered one."""
    monitor = read_json(bench.releases / MONITOR_FILE)
    if monitor is None:
        return None
    return monitor, await probe(monitor["check"], bench, project)


async def _release_check(project: Json, bench: Bench, deployed: Json, version: str) -> Json | None:
    """The project's own check, else one of what the release consists of; None when there is nothing to check."""
    configured = (project.get("settings") or {}).get("health")
    if configured:
        return _expanded(configured, project, bench, version)
    paths = [str(artifact["path"]) for artifact in deployed.get("artifacts", ())]
    wheel = next((path for path in paths if path.endswith(".whl")), None)
    if wheel:
        check = {"wheel": wheel, "package": (project.get("tech") or {}).get("package") or "", "version": version}
        return check | ({"confined": True} if await is_a_models_work(project, bench.tree()) else {})
    archive = next((path for path in paths if path.endswith((".tar.gz", ".tgz", ".zip"))), None)
    return {"archive": archive, "version": version} if archive else None


def _expanded(check: Json, project: Json, bench: Bench, version: str) -> Json:
    """The check with the words in braces replaced, in a URL as in a command."""
    words: dict[str, str | Path] = {"version": version, "releases": bench.releases, "python": interpreter(project)}
    if bench.worktree:
        words["worktree"] = bench.worktree
    if "url" in check:
        return {"url": expand([check["url"]], **words)[0]}
    return {"command": expand(check["command"], **words)}


async def _monitored(
    project: Json, bench: Bench, check: Json, version: str, reading: Reading
) -> tuple[bool, Reading | None]:
    """Whether a monitor is registered and its first reading is good; the reading of a monitor of its own."""
    configured = (project.get("settings") or {}).get("monitor")
    own = await probe(_expanded(configured, project, bench, version), bench, project) if configured else None
    first = own or reading
    monitor = {
        "check": _expanded(configured, project, bench, version) if configured else check,
        "version": version,
        "every_hours": EVERY_HOURS,
        "first_reading": first.to_json(),
    }
    write_json(bench.releases / MONITOR_FILE, monitor)
    return first.ok and read_json(bench.releases / MONITOR_FILE) == monitor, own


async def _ask_url(check: Json, bench: Bench, project: Json, evidence: list[Json]) -> tuple[bool, str]:
    url = str(check["url"])
    status = await _status_of(url)
    evidence.append({"tool": "http", "url": one_line(url), "status": status})
    return 200 <= status < 300, f"{url} answers {status}."


async def _status_of(url: str) -> int:
    """The HTTP status of a GET; redirects are followed, the body is left unread. Raises ApmError when nobody answers in
    time. Not in a thread: one that waits for a server cannot be ended, and would keep apm from ending."""
    import httpx2

    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ApmError(f"{url} is no http or https address.")
    client = httpx2.AsyncClient(
        headers={"User-Agent": "apm-health"},
        follow_redirects=True,
        timeout=TIME_LIMIT,
        # A proxy is for the way out; asked for a loopback address it would answer for itself.
        trust_env=not _is_loopback(url),
        verify=ssl.create_default_context(),
    )
    try:
        async with asyncio.timeout(TIME_LIMIT), client, client.stream("GET", url) as answer:
            return int(answer.status_code)
    except (TimeoutError, httpx2.TimeoutException):
        raise ApmError(f"{url} did not answer within {TIME_LIMIT:g} s.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ApmError(f"{url} cannot be asked: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    """What happened to the connection; the library says only that there is none."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return str(error).rstrip(".") or type(error).__name__


def _is_loopback(url: str) -> bool:
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _ask_command(check: Json, bench: Bench, project: Json, evidence: list[Json]) -> tuple[bool, str]:
    result = await run(check["command"], cwd=bench.worktree or bench.scratch, limits=COMMAND_LIMITS)
    evidence.append(result.evidence(note=f"health check: {OWN_COMMAND}"))
    end = "was stopped at its time limit" if result.timed_out else f"ended with exit code {result.exit_code}"
    return result.ok, f"{check['command'][0]} {end}. {_last_line(result.output)}".strip()


async def _ask_wheel(check: Json, bench: Bench, project: Json, evidence: list[Json]) -> tuple[bool, str]:
    """Imports the package from the unpacked wheel with the project's Python; nothing is installed."""
    # A new folder each time: what the last import left in the old one could lead the unpacking elsewhere.
    folder = real(Path(tempfile.mkdtemp(prefix="health-", dir=bench.scratch)))
    try:
        return await _import_wheel(check, bench, project, folder, evidence)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _import_wheel(
    check: Json, bench: Bench, project: Json, folder: Path, evidence: list[Json]
) -> tuple[bool, str]:
    wheel, ground = bench.releases / str(check["wheel"]), OPEN
    python, seen = (interpreter(project), interpreters(project)) if project.get("path") else (sys.executable, ())
    if check.get("confined"):
        ground = await ground_around(project, folder, visible=(wheel, *seen))
    distribution = wheel.name.split("-")[0]
    package = str(check.get("package") or "")
    argv = [str(python), "-I", "-c", _IMPORT, str(wheel), str(folder), package, distribution]
    result = await ground.run(argv, cwd=folder, limits=COMMAND_LIMITS)
    evidence.append(result.evidence(tool="python", note=f"imports {package or distribution} from {wheel.name}"))
    if not result.ok:
        reason = _last_line(result.output)
        hint = " Set `python` to an interpreter that has the dependencies." if "ModuleNotFound" in reason else ""
        told = f"{package or distribution} from {wheel.name} cannot be imported: {reason}.{hint}"
        return False, f"{told} {ground.advice(project)}".strip()
    found = _found(result.stdout)
    if found is None:
        return False, f"Importing {package or distribution} from {wheel.name} ended Python before its version was read."
    if found["file"] and not Path(found["file"]).is_relative_to(folder):
        return False, f"{package or distribution} was imported from elsewhere, not from {wheel.name}."
    same = _same_version(found["version"], str(check["version"]))
    return same, f"{distribution} says it is version {found['version']}; released was {check['version']}."


async def _ask_archive(check: Json, bench: Bench, project: Json, evidence: list[Json]) -> tuple[bool, str]:
    archive, version = bench.releases / str(check["archive"]), str(check["version"])
    names, broken = await asyncio.to_thread(_names_in, archive)
    top = {name.split("/")[0] for name in names}
    holds = any(_holds_version(folder, version) for folder in top)
    evidence.append({"tool": "archive", "path": str(check["archive"]), "files": len(names)})
    return (
        holds and not broken,
        f"{archive.name} opens with {len(names)} files and {'is' if holds else 'is not'} {version}.",
    )


def _names_in(archive: Path) -> tuple[list[str], str | None]:
    """What an archive holds, and the first file that cannot be unpacked. On a thread: all of it is read."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            return file.namelist(), file.testzip()
    with tarfile.open(archive) as file:
        return file.getnames(), None


def _found(output: str) -> Json | None:
    """What the import printed last; None when it never got that far, or when the package printed something else."""
    try:
        found = json.loads(output.strip().rpartition("\n")[2])
    except (ValueError, RecursionError):
        return None
    told = isinstance(found, dict) and isinstance(found.get("version"), str) and "file" in found
    return found if told and isinstance(found["file"], str | None) else None


def _holds_version(folder: str, version: str) -> bool:
    """`name-1.3.0`, also where the version was normalised on the way (`1.3.0-rc.1` to `1.3.0rc1`)."""
    return folder.endswith(f"-{version}") or _same_version(folder.rpartition("-")[2], version)


def _same_version(one: str, other: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else ""


_Ask = Callable[[Json, Bench, Json, list[Json]], Coroutine[Any, Any, tuple[bool, str]]]
_ASKS: dict[str, tuple[_Ask, bool]] = {
    "url": (_ask_url, True),
    "command": (_ask_command, True),
    "wheel": (_ask_wheel, False),
    "archive": (_ask_archive, False),
}
"""The kinds of check: how each is asked, and whether a bad answer is asked again."""
