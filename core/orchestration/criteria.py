"""What each gate measures: one pure function a criterion, from a payload and the thresholds to a measured line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from core.contract import Json
from core.orchestration.criterion import Check, Criterion, judged, unless_wrong
from core.orchestration.payloads import (
    Named,
    as_count,
    as_named,
    as_number,
    as_object,
    as_objects,
    as_strings,
    as_texts,
    comparable_versions,
    folded,
    in_words,
    is_evidence,
    misshapen,
    task_name,
    was_measured,
)
from core.phrases import figure
from core.placeholders import is_placeholder
from core.sanitise import one_line

NOTHING_TO_READ = "nothing-to-read"
"""The rule that makes a tool's criterion pointless where the change has no file for any of its tools."""

SIX_W = ("who", "what", "when", "where", "why", "how")


def _business_context(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = int(limits["business_context_chars"])
    text = payload.get("business_context")
    length = len(text.strip()) if isinstance(text, str) and not is_placeholder(text) else 0
    return judged(
        f">= {need} characters",
        f"{length} characters",
        length >= need,
        f"business_context: {length} of {need} characters",
    )


def _acceptance_criteria(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = int(limits["acceptance_criteria"])
    count = len({folded(text) for text in _said(payload, "acceptance_criteria")})
    measured = judged(
        f">= {need} distinct", f"{count} distinct", count >= need, f"acceptance_criteria: {count} of {need}"
    )
    return unless_wrong(measured, misshapen(payload, "acceptance_criteria", str, Mapping))


def _risks(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = int(limits["risks"])
    count = len(_said(payload, "risks"))
    measured = judged(f">= {need}", str(count), count >= need, f"risks: {count} of {need}")
    return unless_wrong(measured, misshapen(payload, "risks", str, Mapping))


def _said(payload: Json, key: str) -> list[str]:
    """The texts of a list that say something."""
    return [text for text in as_texts(payload.get(key)) if not is_placeholder(text)]


def _six_w(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = limits["six_w_confidence"]
    given = payload.get("six_w")
    scores = {w: as_number(given.get(w)) if isinstance(given, Mapping) else None for w in SIX_W}
    legal = {w: s for w, s in scores.items() if s is not None and 0 <= s <= 1}
    # Six scores of 0.7 sum to a hair below 4.2 in binary; nine digits are what anybody means.
    confidence = round(sum(legal.values()) / len(SIX_W), 9)
    weak = [w for w in SIX_W if legal.get(w, 0.0) < need]
    passed = len(legal) == len(SIX_W) and confidence >= need
    reached, required = figure(confidence, need, 2), figure(need, need, 2)
    shown = reached + ("" if len(legal) == len(SIX_W) else f" ({len(legal)} of 6 scored)")
    missing = f"six_w_confidence: {reached} of {required} (weak: {', '.join(weak)})"
    return judged(f">= {required}", shown, passed, missing)


def _tasks_cover_criteria(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = int(limits["tasks_per_criterion"])
    wanted = as_named(payload.get("acceptance_criteria"), "AC")
    claims = [as_strings(task.get("criteria")) for task in as_objects(payload.get("tasks"))]
    bare = [c.id for c in wanted if sum(any(c.is_named_by(w) for w in claim) for claim in claims) < need]
    passed = bool(wanted) and not bare
    shown = f"{len(wanted) - len(bare)} of {len(wanted)} criteria have a task"
    texts = [f"tasks: no task for {c}" for c in bare] or ["acceptance_criteria: none to plan for"]
    wrong = misshapen(payload, "acceptance_criteria", str, Mapping)
    wrong += _misshapen_in_tasks(payload, "criteria")
    return unless_wrong(judged(f">= {need} task per criterion", shown, passed, texts), wrong)


def _misshapen_in_tasks(payload: Json, key: str) -> list[str]:
    """What is no text in a list of each task: such an entry names nothing that is known."""
    tasks = as_objects(payload.get("tasks"))
    return [f"tasks: {task_name(t, n)}: {wrong}" for n, t in enumerate(tasks, 1) for wrong in misshapen(t, key, str)]


def _estimates(payload: Json, limits: Mapping[str, float]) -> Criterion:
    most = limits["max_hours"]
    tasks = as_objects(payload.get("tasks"))
    wrong = []
    for n, task in enumerate(tasks, 1):
        hours = as_number(task.get("estimate_hours"))
        if hours is None:
            wrong.append(f"estimates: {task_name(task, n)} has none")
        elif not 0 < hours <= most:
            advice = "split it" if hours > most else "it must be above 0"
            wrong.append(f"estimates: {task_name(task, n)} has {hours:g} h ({advice})")
    shown = f"{len(tasks) - len(wrong)} of {len(tasks)} tasks"
    measured = judged(
        f"every task above 0 and <= {most:g} h", shown, bool(tasks) and not wrong, wrong or ["estimates: no tasks"]
    )
    return unless_wrong(measured, misshapen(payload, "tasks", Mapping))


def _dependencies(payload: Json, _: Mapping[str, float]) -> Criterion:
    tasks = as_objects(payload.get("tasks"))
    graph = {task_name(t, n): as_strings(t.get("depends_on")) for n, t in enumerate(tasks, 1)}
    wrong = [f"dependencies: {a} names unknown {b}" for a, bs in graph.items() for b in bs if b not in graph]
    wrong += _misshapen_in_tasks(payload, "depends_on")
    if len(graph) < len(tasks):
        wrong.append("dependencies: two tasks have the same id")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        wrong.append(f"dependencies: cycle {' -> '.join(error.args[1])}")
    edges = sum(len(bs) for bs in graph.values())
    return judged(
        "known tasks, no cycle",
        f"{edges} dependencies, {len(wrong)} wrong",
        bool(tasks) and not wrong,
        wrong or ["dependencies: no tasks"],
    )


def _mitigations(payload: Json, _: Mapping[str, float]) -> Criterion:
    wanted, bare = as_named(payload.get("risks"), "R"), unplanned(payload)
    shown = f"{len(wanted) - len(bare)} of {len(wanted)} risks"
    texts = [f"mitigations: no plan for {r.id}" for r in bare]
    wrong = misshapen(payload, "risks", str, Mapping)
    return unless_wrong(judged("every risk has a plan", shown, not bare, texts), wrong)


def unplanned(payload: Json) -> list[Named]:
    """The risks that have no plan, or one that only holds its place."""
    planned = [
        m.get("risk") for m in as_objects(payload.get("mitigations")) if not is_placeholder(folded(m.get("plan")))
    ]
    return [r for r in as_named(payload.get("risks"), "R") if not any(r.is_named_by(p) for p in planned)]


def _tests(payload: Json, _: Mapping[str, float]) -> Criterion:
    tests = as_object(payload.get("tests"))
    updated = tests.get("updated") is True
    passed, failed_ = as_count(tests.get("passed")), as_count(tests.get("failed"))
    ok = updated and passed is not None and passed > 0 and failed_ == 0
    shown = f"{'updated' if updated else 'not updated'}, {in_words(passed)} passed, {in_words(failed_)} failed"
    return judged("updated, and passing", shown, ok, f"tests: {shown}")


def _feature_flags(payload: Json, _: Mapping[str, float]) -> Criterion:
    flags = as_object(payload.get("feature_flags"))
    needed, added = flags.get("needed"), as_texts(flags.get("added"))
    ok = needed is False or (needed is True and bool(added))
    shown = "not needed" if needed is False else f"needed, {len(added)} added" if needed is True else "not measured"
    return judged("added where needed", shown, ok, f"feature_flags: {shown}")


def _waiver(part: Json) -> str:
    """The word of whoever says that it need not be done, as it was recorded: "human: …"; "" where nobody does."""
    word = part.get("waived")
    return one_line(word, 200) if isinstance(word, str) else ""


def _docs(payload: Json, _: Mapping[str, float]) -> Criterion:
    docs = as_object(payload.get("docs"))
    ok = docs.get("updated") is True
    shown = f"updated ({len(as_texts(docs.get('files')))} files)" if ok else "not updated"
    if ok and (word := _waiver(docs)):
        shown = f"not updated, waived by {word}"
    return judged("updated", shown, ok, f"docs: {shown}")


def _migrations(payload: Json, _: Mapping[str, float]) -> Criterion:
    migrations = as_object(payload.get("migrations"))
    changed, created = migrations.get("schema_changed"), as_texts(migrations.get("created"))
    ok = changed is False or (changed is True and bool(created))
    shown = (
        "schema unchanged"
        if changed is False
        else f"schema changed, {len(created)} created"
        if changed is True
        else "not measured"
    )
    if ok and (word := _waiver(migrations)):
        shown = f"none created, waived by {word}"
    return judged("created where the schema changed", shown, ok, f"migrations: {shown}")


def _criteria_verified(payload: Json, _: Mapping[str, float]) -> Criterion:
    wanted, bare = as_named(payload.get("acceptance_criteria"), "AC"), unverified(payload)
    shown = f"{len(wanted) - len(bare)} of {len(wanted)} verified"
    texts = [f"criteria: {c.id} is not verified" for c in bare] or ["criteria: none to verify"]
    passed = bool(wanted) and not bare
    measured = judged("every criterion, with evidence", shown, passed, texts, short=len(bare))
    return unless_wrong(measured, misshapen(payload, "acceptance_criteria", str, Mapping))


def unverified(payload: Json) -> list[Named]:
    """The acceptance criteria that nothing proves, or that one line says are proved and another says are not."""
    lines = as_objects(payload.get("criteria"))
    proofs = [(c.get("id"), c.get("verified") is True and is_evidence(c)) for c in lines]
    found = []
    for criterion in as_named(payload.get("acceptance_criteria"), "AC"):
        said = [proved for name, proved in proofs if criterion.is_named_by(name)]
        if not said or not all(said):
            found.append(criterion)
    return found


def _tests_pass(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = limits["pass_rate"]
    tests = as_object(payload.get("tests"))
    total, passed, failed_ = (as_count(tests.get(k)) for k in ("total", "passed", "failed"))
    if total is None or passed is None or failed_ is None:
        return judged(f"{need:g} % of at least 1", "not measured", False, "tests: no test run was measured")
    ran = passed + failed_
    rate = 100 * passed / ran if ran else 0.0
    ok = ran > 0 and rate >= need and ran <= total
    shown = f"{passed} of {ran} passed ({rate:.1f} %)" if ran else "no test ran"
    return judged(f"{need:g} % of at least 1", shown, ok, f"tests: {shown}", short=need - rate)


def _coverage(payload: Json, limits: Mapping[str, float]) -> Criterion:
    need = limits["coverage"]
    measured = as_number(as_object(payload.get("tests")).get("coverage"))
    if measured is None or not 0 <= measured <= 100:
        return judged(f">= {need:g} %", "not measured", False, "coverage: not measured")
    shown = figure(measured, need, 1)
    missing = f"coverage: {shown} of {need:g} %"
    return judged(f">= {need:g} %", f"{shown} %", measured >= need, missing, short=need - measured)


def _static_analysis(payload: Json, limits: Mapping[str, float]) -> Criterion:
    return _tool_findings(as_object(payload.get("static")), "issues", "static_analysis", limits["static_issues"])


def _security(payload: Json, limits: Mapping[str, float]) -> Criterion:
    return _tool_findings(as_object(payload.get("security")), "findings", "security", limits["security_findings"])


def _tool_findings(report: Json, key: str, name: str, most: float) -> Criterion:
    value, tools = report.get(key), report.get("tools")
    count = len(value) if isinstance(value, list) else as_count(value)
    given = [tool for tool in tools if tool] if isinstance(tools, list) else []
    ran = [tool for tool in given if was_measured(tool)]
    required = "clean, by at least 1 tool" if most == 0 else f"<= {most:g} {key}"
    notes = list(
        dict.fromkeys(text for tool in as_objects(given) if isinstance(text := tool.get("note"), str) and text)
    )
    if count == 0 and given and all(isinstance(t, Mapping) and t.get("status") == "not applicable" for t in given):
        rule = f"{NOTHING_TO_READ}: {'; '.join(notes) or 'the tools read no file of this change'}"
        return judged(required, "not applicable", True)._replace(not_applicable=rule)
    if count is None or not ran:
        return judged(required, "not measured", False, f"{name}: not measured{': ' if notes else ''}{'; '.join(notes)}")
    by = [tool["note"] for tool in as_objects(ran) if isinstance(tool.get("note"), str) and tool["note"]]
    how = "; ".join(by) or f"by {len(ran)} tool{'s' if len(ran) > 1 else ''}"
    shown = f"{count} {key} {how}"
    return judged(required, shown, count <= most, f"{name}: {count} {key}", short=count - most)


def _version_bumped(payload: Json, _: Mapping[str, float]) -> Criterion:
    version = as_object(payload.get("version"))
    before, after = version.get("from"), version.get("to")
    old, new = comparable_versions(before, after)
    ok = new is not None and ((old is not None and new > old) or before in (None, ""))
    shown = f"{before or 'none'} -> {after or 'none'}"
    return judged("greater by SemVer", shown, ok, f"version: {shown}")


def _changelog_updated(payload: Json, _: Mapping[str, float]) -> Criterion:
    changelog = as_object(payload.get("changelog"))
    entry = changelog.get("entry")
    ok = changelog.get("updated") is True and isinstance(entry, str) and bool(entry.strip())
    return judged("updated", "updated" if ok else "not updated", ok, "changelog: not updated")


def _deployment(payload: Json, _: Mapping[str, float]) -> Criterion:
    deployment = as_object(payload.get("deployment"))
    status = deployment.get("status")
    ok = folded(status) in ("success", "successful", "deployed", "succeeded")
    return judged("successful", str(status or "not measured"), ok, f"deployment: {status or 'not measured'}")


def _health(payload: Json, _: Mapping[str, float]) -> Criterion:
    health = as_object(payload.get("health"))
    status, spent = health.get("status"), as_number(health.get("response_ms"))
    # A release that is asked by a command has no time of an answer; one that is given has to be one.
    is_time = health.get("response_ms") is None or (spent is not None and spent >= 0)
    ok = folded(status) in ("healthy", "ok", "passed", "pass", "up") and is_time
    shown = str(status or "not measured") + (f", {spent:g} ms" if spent is not None else "")
    return judged("checks pass", shown, ok, f"health: {shown}{'' if is_time else ' (response_ms is no time)'}")


def _monitoring(payload: Json, _: Mapping[str, float]) -> Criterion:
    ok = as_object(payload.get("monitoring")).get("active") is True
    return judged("active", "active" if ok else "not active", ok, "monitoring: not active")


def _telemetry_analyzed(payload: Json, _: Mapping[str, float]) -> Criterion:
    ok = as_object(payload.get("telemetry")).get("analyzed") is True
    return judged("analyzed", "analyzed" if ok else "not analyzed", ok, "telemetry: not analyzed")


def _improvements(payload: Json, limits: Mapping[str, float]) -> Criterion:
    return _entries(payload.get("improvements"), int(limits["improvements"]), "improvements")


def _technical_debt(payload: Json, limits: Mapping[str, float]) -> Criterion:
    return _entries(payload.get("debt"), int(limits["debt_entries"]), "debt")


def _entries(value: Any, need: int, name: str) -> Criterion:
    """Entries with a text; one that says "none" counts by its evidence, or by what its text says was looked at."""
    given = value if isinstance(value, list) else []
    texts = [entry for entry in given if as_texts([entry])]
    bare = sum(_is_bare_none(entry) for entry in texts)
    shown = f"{len(texts) - bare} entries" + (f" ({bare} without evidence)" if bare else "")
    missing = f"{name}: no entry with its evidence" if bare else f"{name}: no entry"
    return judged(f">= {need} entry", shown, len(texts) - bare >= need, missing)


_NONE = re.compile(
    r"(none|nothing|nil|n/?a|no (\w+ ){0,2}(debt|entry|entries|(improvement|change|finding|issue|problem|update)s?))"
    r"( (was|were|is|are|found|identified|known|needed|registered|reported|to \w+|at all|here))*\W*",
    re.IGNORECASE,
)


def _is_bare_none(entry: Any) -> bool:
    """Whether an entry says that there is none, by its id or in so many words, and not what was looked at."""
    if isinstance(entry, Mapping) and (is_evidence(entry) or folded(entry.get("location"))):
        return False
    by_id = isinstance(entry, Mapping) and folded(entry.get("id")) == "none"
    return by_id or any(_NONE.fullmatch(text) for text in as_texts([entry]))


def _backlog(payload: Json, limits: Mapping[str, float]) -> Criterion:
    backlog, need = as_object(payload.get("backlog")), int(limits["backlog_changes"])
    given = [backlog.get(kind) for kind in ("added", "updated", "sunset")]
    entries = [entry for part in given if isinstance(part, list) for entry in part if as_texts([entry])]
    count = sum(not _is_bare_none(entry) for entry in entries)
    return judged("updated", f"{count} changes", count >= need, "backlog: not updated")


CHECKS: Mapping[str, Mapping[str, Check]] = {
    "D1": {
        "business_context": _business_context,
        "acceptance_criteria": _acceptance_criteria,
        "risks": _risks,
        "six_w_confidence": _six_w,
    },
    "P1": {
        "tasks_cover_criteria": _tasks_cover_criteria,
        "estimates": _estimates,
        "dependencies": _dependencies,
        "mitigations": _mitigations,
    },
    "I1": {"tests": _tests, "feature_flags": _feature_flags, "docs": _docs, "migrations": _migrations},
    "R1": {
        "criteria_verified": _criteria_verified,
        "tests_pass": _tests_pass,
        "coverage": _coverage,
        "static_analysis": _static_analysis,
        "security": _security,
    },
    "O1": {
        "version_bumped": _version_bumped,
        "changelog_updated": _changelog_updated,
        "deployment": _deployment,
        "health": _health,
        "monitoring": _monitoring,
    },
    "E1": {
        "telemetry_analyzed": _telemetry_analyzed,
        "improvements": _improvements,
        "technical_debt": _technical_debt,
        "backlog": _backlog,
    },
}
"""Every gate's criteria in the order in which they are shown."""
