"""Whether a release is well is asked of what a model wrote where it reaches nothing, also when it is asked again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from core.agents.health import MONITOR_FILE, probe, probe_monitor
from core.contract import AgentResponse, Json, Status
from core.projects.sandbox import NOTE, SWITCHED_OFF
from tests.unit.release_place import Place, commit_in, make_place
from tests.unit.test_confined import BY_A_MODEL
from tests.unit.test_sandbox import needs_bubblewrap

WHEEL = "1.3.0/rows-1.3.0-py3-none-any.whl"
SOURCE = """\
import contextlib, pathlib
with contextlib.suppress(OSError):
    pathlib.Path(r"INBOX", "forged.json").write_text(pathlib.Path(r"INBOX").parent.joinpath("journal.key").read_text())
"""


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """The tray that apm takes decisions from, beside its key."""
    (tmp_path / "state" / "inbox").mkdir(parents=True)
    (tmp_path / "state" / "journal.key").write_text("key")
    return tmp_path / "state" / "inbox"


def released(home: Path, source: str, message: str = BY_A_MODEL, **settings: Json) -> Place:
    """A release whose package runs `source` when it is imported."""
    place = make_place(home, settings=settings)
    commit_in(place.tree, {"src/rows/__init__.py": source}, message)
    (place.bench.releases / WHEEL).parent.mkdir()
    with zipfile.ZipFile(place.bench.releases / WHEEL, "w") as wheel:
        wheel.writestr("rows/__init__.py", source)
        wheel.writestr("rows-1.3.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: rows\nVersion: 1.3.0\n")
    place.results["versioner"] = {"version": {"from": "1.2.0", "to": "1.3.0"}}
    place.results["deploy-orchestrator"] = {"artifacts": [{"path": WHEEL, "digest": ""}]}
    return place


async def verify(place: Place) -> AgentResponse:
    return await place.ask("health-verifier")


@needs_bubblewrap
async def test_a_models_package_is_imported_without_reaching_apm_and_that_is_said(tmp_path: Path, inbox: Path) -> None:
    place = released(tmp_path, SOURCE.replace("INBOX", str(inbox)))

    response = await verify(place)

    assert response.status is Status.SUCCESS, response.metadata
    assert response.output_artifact["check"]["confined"] is True
    assert list(inbox.iterdir()) == []
    (evidence,) = response.metadata["evidence"]
    assert evidence["note"] == f"imports rows from {Path(WHEEL).name}; {NOTE}"
    assert list(place.bench.scratch.iterdir()) == []


@needs_bubblewrap
async def test_asked_again_when_its_branch_is_gone_it_is_confined_too(tmp_path: Path, inbox: Path) -> None:
    place = released(tmp_path, SOURCE.replace("INBOX", str(inbox)))
    await verify(place)

    for project in ({"path": str(place.repo)}, {}):
        found = await probe_monitor(place.bench, project)
        assert found is not None
        assert found[1].ok, found[1]
        assert NOTE in found[1].evidence[0]["note"]

    assert json.loads((place.bench.releases / MONITOR_FILE).read_text())["check"]["confined"] is True
    assert list(inbox.iterdir()) == []


@needs_bubblewrap
@pytest.mark.parametrize(("message", "settings"), [("By a person", {}), (BY_A_MODEL, {"sandbox": "off"})])
async def test_what_a_person_wrote_or_let_run_is_imported_as_it_is(
    tmp_path: Path, inbox: Path, message: str, settings: Json
) -> None:
    place = released(tmp_path, SOURCE.replace("INBOX", str(inbox)), message, **settings)

    response = await verify(place)

    assert response.status is Status.SUCCESS, response.metadata
    assert (inbox / "forged.json").read_text() == "key"
    note = response.metadata["evidence"][0]["note"]
    assert (NOTE in note, SWITCHED_OFF in note) == (False, bool(settings))


@needs_bubblewrap
async def test_a_package_that_needs_a_network_to_be_imported_is_told_what_a_person_may_do(tmp_path: Path) -> None:
    place = released(tmp_path, "import socket; socket.create_connection(('127.0.0.1', 9), 5)\n")

    response = await verify(place)

    assert response.status is Status.BLOCKED
    assert "ConnectionRefusedError" in response.metadata["suggestion"]
    assert "`apm project set repo --sandbox off`" in response.metadata["suggestion"]


@pytest.mark.parametrize(
    "said", ["'[' * 100_000", '\'{"version": 5, "file": null}\'', '\'{"version": "1.3.0", "file": 7}\'']
)
async def test_a_package_that_answers_for_itself_in_another_shape_is_told_in_words(tmp_path: Path, said: str) -> None:
    place = released(tmp_path, f"import os; print({said}, flush=True); os._exit(0)\n")

    reading = await probe({"wheel": WHEEL, "package": "rows", "version": "1.3.0"}, place.bench, {})

    assert not reading.ok
    assert "ended Python before its version was read" in reading.detail


async def test_that_a_command_of_the_project_was_not_confined_is_said(tmp_path: Path) -> None:
    place = released(tmp_path, "", health={"command": ["true"]})

    response = await verify(place)

    (evidence,) = response.metadata["evidence"]
    assert evidence["note"] == "health check: the project's own command, not confined"
