"""What goes wrong is one clear sentence and leaves everything whole; what was written is there for the next."""

from __future__ import annotations

import json
import signal
import sqlite3
from pathlib import Path

from tests.acceptance.people import OPTIONS
from tests.e2e.apm_process import Apm, end, query, wait_until

QUESTION = json.dumps({"options": OPTIONS, "recommended": "move"})


def begun(folder: Path) -> Apm:
    apm = Apm(folder, folder / "pm33")
    assert apm("init", "--profile", "pm33").code == 0
    return apm


def test_error_handling_and_recovery(tmp_path: Path) -> None:
    """Broken files, wrong numbers and a killed run: a sentence each, nothing half done, and the work goes on."""
    apm = begun(tmp_path)
    for words in (
        ("escalation", "show", "99"),
        ("scope", "approve", "99", "--by", "ada"),
        ("decisions", "reverse", "99", "--by", "ada", "--reason", "x"),
        ("decide", "--agent", "sales", "--kind", "x"),
        ("conflict", "raise", "--between", "ux", "ux", "--topic", "itself"),
        ("state", "import", "/nowhere/context.json"),
    ):
        ended = apm(*words)
        assert ended.code == 2, words
        assert ended.err.startswith("apm: "), words
        assert "Traceback" not in ended.err, words

    team = tmp_path / "pm33" / "agents.yaml"
    whole = team.read_text(encoding="utf-8")
    team.write_text(whole.replace("milestone:", "mile stone", 1), encoding="utf-8")
    broken = apm("agents", "show", "technical", "--json")
    assert (broken.code, len(broken.json["authority"]["autonomous"])) == (0, 11)
    assert "agents.yaml:" in broken.err
    assert apm("run", "--all").code == 2
    team.write_text(whole, encoding="utf-8")

    for title in ("First", "Second", "Third"):
        assert apm("work-item", "create", title).code == 0
    running = apm.start("run", "--all", "--until", "D1")
    assert wait_until(running, lambda: query(tmp_path / "pm33", "SELECT 1 FROM delegations"))
    killed = end(running, signal.SIGKILL)
    assert killed.code == -signal.SIGKILL

    went_on = apm("run", "--all", "--until", "D1", "--json")

    assert went_on.code == 3
    for item in went_on.json["work_items"]:
        done = [(d["agent"], d["phase"], d["attempt"], d["subject"]) for d in item["delegations"]]
        assert len(done) == len(set(done))
        assert item["state"] == "waiting"
    assert apm("audit", "verify").code == 0


def test_data_persistence(tmp_path: Path) -> None:
    """Each command is a process of its own: the next one finds what the one before has written, and a forgery shows."""
    apm = begun(tmp_path)
    asked = apm(*("decide", "--agent", "ux", "--kind", "navigation", "--context", QUESTION, "--json")).json
    before = apm("escalation", "show", str(asked["escalation"]), "--json").json
    apm("conflict", "raise", "--between", "strategy", "gtm", "--topic", "execution of the outreach")
    grant = {"authority": {"agent": "technical", "kind": "caching", "mode": "escalate"}, "reason": "Too early."}
    document = json.dumps({"decided_by": "ada", "decisions": [grant]})
    assert apm("decisions", "apply", "-", stdin=document).code == 0
    assert apm("state", "export").code == 0

    after = apm("escalation", "show", str(asked["escalation"]), "--json").json
    assert after == before
    [conflict] = apm("conflict", "list", "--json").json
    assert (conflict["winner"], conflict["decided_by"]) == ("gtm", "gtm-wins-execution")
    assert "caching" in {
        kind["key"] for kind in apm("agents", "show", "technical", "--json").json["authority"]["escalate"]
    }
    # A team's file that is brought in anew does not undo what a person granted.
    team = tmp_path / "pm33" / "agents.yaml"
    team.write_text(team.read_text(encoding="utf-8") + "\n# looked at\n", encoding="utf-8")
    assert apm("agents", "import").code == 0
    assert apm("decide", "--agent", "technical", "--kind", "caching").code == 3
    kept = json.loads((tmp_path / "pm33" / "state" / "shared_context.json").read_text(encoding="utf-8"))
    assert kept["scope_optimization_data"]["authority"]["technical"]["caching"] == "escalate"
    assert apm("audit", "verify").code == 0

    with sqlite3.connect(tmp_path / "pm33" / "state" / "apm.db") as database:
        database.execute("UPDATE events SET payload = replace(payload, 'execution', 'positioning')")
    database.close()

    assert apm("audit", "verify").code == 1
