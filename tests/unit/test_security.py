from __future__ import annotations

import base64
import hashlib
import json
import os
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agents import portions
from core.agents import security as security_check
from core.agents.security import Screening, screen
from core.contract import Json
from core.projects.commands import Limits
from tests.unit.git_project import commit, project, write

EVAL = "def run(text):\n    return eval(text)\n"
# Put together here so that no scanner takes this file for a leak.
KEY = "AKIA" + "IOSFODNN7ABCDEFG"
PASSWORD = base64.b64encode(b"correct horse battery").decode()


@dataclass(frozen=True)
class Place:
    repo: Path
    scratch: Path

    async def screen(self, base: str, *, tech: Json | None = None) -> Screening:
        return await screen(project(self.repo, base, tech=tech), self.repo, self.scratch, base)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    return Place(tmp_path / "repo", tmp_path / "scratch")


def security(done: Screening) -> Json:
    found = done.payload["security"]
    assert isinstance(found, dict)
    return found


def tool(done: Screening, name: str) -> Json:
    return next(dict(row) for row in security(done)["tools"] if row["name"] == name)


async def test_what_the_branch_adds_is_told_from_what_was_there(place: Place) -> None:
    base = commit(place.repo, {"shop/old.py": EVAL})
    commit(place.repo, {"shop/new.py": EVAL, "shop/old.py": "import shop\n\n\n" + EVAL})
    done = await place.screen(base)
    assert [(row["path"], row["line"], row["code"], row["severity"]) for row in security(done)["details"]] == [
        ("shop/new.py", 2, "B307", "MEDIUM")
    ]
    assert (security(done)["findings"], security(done)["existing"]) == (1, 1)
    assert security(done)["existing_details"][0]["path"] == "shop/old.py"
    assert tool(done, "bandit")["version"]


async def test_tests_and_slight_findings_do_not_count(place: Place) -> None:
    base = commit(place.repo, {"shop/a.py": ""})
    commit(
        place.repo,
        {"tests/test_a.py": EVAL, "qa/check.py": EVAL, "shop/a.py": "import subprocess\nassert subprocess\n"},
    )
    done = await place.screen(base, tech={"test_dirs": ["qa"]})
    assert security(done)["findings"] == 0
    assert tool(done, "bandit")["exit_code"] is not None


async def test_the_projects_bandit_configuration_is_honoured(place: Place) -> None:
    base = commit(place.repo, {"pyproject.toml": '[tool.bandit]\nskips = ["B307"]\n'})
    commit(place.repo, {"shop/a.py": EVAL})
    assert security(await place.screen(base))["findings"] == 0


async def test_a_broken_configuration_is_not_measured_and_asked_for(place: Place) -> None:
    base = commit(place.repo, {"pyproject.toml": "[tool.bandit]\nskips = [\n"})
    commit(place.repo, {"shop/a.py": EVAL})
    done = await place.screen(base)
    assert tool(done, "bandit")["status"] == "not measured"
    assert done.missing[0].startswith("security check by bandit: ")
    assert security(done)["findings"] is None


async def test_a_file_that_cannot_be_read_is_a_finding(place: Place) -> None:
    base = commit(place.repo, {"shop/a.py": ""})
    commit(place.repo, {"shop/a.py": "def broken(:\n"})
    done = await place.screen(base)
    assert [row["code"] for row in security(done)["details"]] == ["not-scanned"]


async def test_a_secret_is_found_and_shown_nowhere(place: Place) -> None:
    base = commit(place.repo, {"shop/a.py": ""})
    commit(place.repo, {"shop/a.py": f'key = "{KEY}"\n', "deploy.yaml": f"password: {PASSWORD}\n"})
    done = await place.screen(base)
    found = {(row["path"], row["line"]) for row in security(done)["details"]}
    assert {("shop/a.py", 1), ("deploy.yaml", 1)} <= found
    everything = json.dumps([done.payload, done.evidence])
    assert KEY not in everything
    assert PASSWORD not in everything


async def test_a_secret_that_was_there_before_is_existing(place: Place) -> None:
    base = commit(place.repo, {"shop/a.py": f'key = "{KEY}"\n'})
    commit(place.repo, {"shop/a.py": f'# moved down\n\nkey = "{KEY}"\n'})
    done = await place.screen(base)
    assert (security(done)["findings"], security(done)["existing"]) == (0, 1)


async def test_a_marked_line_and_the_projects_baseline_are_respected(place: Place) -> None:
    base = commit(place.repo, {"a.txt": ""})
    commit(place.repo, {"shop/a.py": f'key = "{KEY}"\n'})
    digest = hashlib.sha1(KEY.encode(), usedforsecurity=False).hexdigest()
    row = {"type": "AWS Access Key", "filename": "shop/a.py", "hashed_secret": digest, "line_number": 1}
    baseline = {"version": "1.5.0", "results": {"shop/a.py": [row]}}
    commit(
        place.repo, {".secrets.baseline": json.dumps(baseline), "b.py": f'k = "{KEY}"  # pragma: allowlist secret\n'}
    )
    done = await place.screen(base)
    assert security(done)["findings"] == 0
    assert "1 accepted by .secrets.baseline, which the branch itself changed" in tool(done, "detect-secrets")["note"]


async def test_a_project_that_is_not_python_still_gets_the_secrets_scan(place: Place) -> None:
    base = commit(place.repo, {"index.js": "let x = 1\n"})
    commit(place.repo, {"index.js": f'let key = "{KEY}"\n'})
    done = await place.screen(base)
    assert tool(done, "bandit")["status"] == "not applicable"
    assert security(done)["findings"] == 1


async def test_a_scanner_in_the_repository_is_not_run(place: Place) -> None:
    base = commit(place.repo, {"a.txt": ""})
    fake = "print('{\"results\": {}}')\n"
    commit(place.repo, {"bandit/__main__.py": fake, "detect_secrets/__main__.py": fake, "shop/a.py": EVAL})
    assert security(await place.screen(base))["findings"] == 1


@pytest.mark.parametrize(
    ("requirements", "status"),
    [
        ({}, "not applicable"),
        ({"requirements.txt": "flask\n"}, "not measured"),
        ({"requirements.txt": "flask==3.0.0\n"}, "not measured"),
    ],
)
async def test_known_vulnerabilities_are_never_called_clean_unasked(
    place: Place, requirements: dict[str, str], status: str
) -> None:
    base = commit(place.repo, {"a.txt": ""} | requirements)
    done = await place.screen(base)
    assert tool(done, "pip-audit")["status"] == status
    assert done.missing == ()


FLAW = {"name": "flask", "version": "0.5", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.0"]}]}
SKIPPED = {"name": "flask", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("auditor", "expected"),
    [
        ("raise SystemExit('no answer')", ("not measured", 0, "no answer")),
        (
            f"print({json.dumps({'dependencies': [SKIPPED]})!r})",
            ("not measured", 0, "1 of 1 not looked up: Dependency not found"),
        ),
        (f"print({json.dumps({'dependencies': [FLAW]})!r}); raise SystemExit(1)", ("measured", 1, "")),
    ],
)
async def test_an_audit_counts_only_what_was_looked_up(
    place: Place, auditor: str, expected: tuple[str, int, str]
) -> None:
    """The auditor is one in the project's own environment that answers as pip-audit does in each case."""
    base = commit(place.repo, {"a.txt": ""})
    commit(place.repo, {"requirements.txt": "flask==0.5  # old\n"})
    home = place.scratch / "env"
    venv.create(home, with_pip=False)
    library = next(home.glob("lib/python*/site-packages"))
    write(library, {"pip_audit/__init__.py": "", "pip_audit/__main__.py": f"{auditor}\n"})
    shown = project(place.repo, base, python=str(home / "bin/python"))
    row = tool(await screen(shown, place.repo, place.scratch, base), "pip-audit")
    assert (row["status"], row["findings"], row["note"]) == expected


@pytest.mark.parametrize("name", [b"caf\xe9.py", b"caf\xe9.txt"])
async def test_a_file_whose_name_no_check_can_be_given_is_not_clean(place: Place, name: bytes) -> None:
    base = commit(place.repo, {"shop.py": ""})
    Path(os.fsdecode(os.fsencode(place.repo) + b"/" + name)).write_text(f"KEY = '{KEY}'\n" + EVAL)
    commit(place.repo, {})

    done = await place.screen(base)

    assert security(done)["findings"] == (1 if name.endswith(b".py") else None)
    secrets = tool(done, "detect-secrets")
    assert (secrets["status"], "no UTF-8" in secrets["note"]) == ("not measured", True)
    assert any("detect-secrets" in missing for missing in done.missing)


@pytest.mark.parametrize(
    ("target", "count"), [("payload.txt", 1), ("shop.py", 0), ("/etc/hostname", 1), ("linked.py", 1)]
)
async def test_a_link_is_as_clean_as_what_was_scanned_of_it(place: Place, target: str, count: int) -> None:
    base = commit(place.repo, {"shop.py": "", "payload.txt": EVAL})
    (place.repo / "linked.py").symlink_to(target)
    commit(place.repo, {})

    done = await place.screen(base)

    assert security(done)["findings"] == count
    assert [(row["path"], row["code"]) for row in security(done)["details"]] == [("linked.py", "not-scanned")] * count


async def test_a_link_that_was_there_before_is_nothing_of_the_branchs(place: Place) -> None:
    write(place.repo, {"payload.txt": EVAL})
    (place.repo / "linked.py").symlink_to("payload.txt")
    base = commit(place.repo, {"shop.py": ""})
    commit(place.repo, {"more.txt": "x"})

    done = await place.screen(base)

    assert (security(done)["findings"], security(done)["existing"]) == (0, 1)


async def test_more_files_than_a_command_line_takes_are_scanned_in_portions(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "FILES_AT_ONCE", 2)
    key = f'key = "{KEY}"\n'
    base = commit(place.repo, {"shop/old.py": key})
    commit(
        place.repo, dict.fromkeys(("shop/a.py", "shop/b.py", "shop/c.py"), EVAL) | {"d.yaml": f"password: {PASSWORD}"}
    )
    done = await place.screen(base)
    assert (tool(done, "bandit")["findings"], tool(done, "detect-secrets")["findings"]) == (3, 1)
    assert [len([w for w in row["command"] if w.startswith("./")]) for row in done.evidence] == [2, 2]


async def test_a_scan_that_was_stopped_at_its_limit_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_check, "LIMITS", Limits(seconds=0.01))
    base = commit(place.repo, {"shop/a.py": ""})
    commit(place.repo, {"shop/new.py": EVAL})
    bandit = tool(await place.screen(base), "bandit")
    assert (bandit["status"], bandit["note"]) == ("not measured", "it was stopped at its time limit and left no report")
