"""A Python project's release is its sdist and its wheel, made from the commit and well by a real import."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest

from core.agents.bench import Bench
from core.agents.builds import is_python_package
from core.contract import AgentResponse, Status
from tests.unit.deployed import ROLE, tags
from tests.unit.git_project import git
from tests.unit.release_place import PYPROJECT, Place, make_place, run


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, AgentResponse]:
    """A Python package, built and deployed for real by the hatchling that is installed beside apm."""
    place = make_place(tmp_path_factory.mktemp("packaged"))
    for role in ("versioner", "changelog-curator"):
        run(place.ask(role))
    (place.tree / "left-behind.py").write_text("# a tool's by-product\n")
    return place, run(place.ask(ROLE))


class TestAPackage:
    def test_is_built_as_sdist_and_wheel_with_digests(self, packaged: tuple[Place, AgentResponse]) -> None:
        place, response = packaged

        assert response.status is Status.SUCCESS, response.metadata
        artifacts = {artifact["path"]: artifact["digest"] for artifact in response.output_artifact["artifacts"]}
        assert set(artifacts) == {"1.3.0/rows-1.3.0.tar.gz", "1.3.0/rows-1.3.0-py3-none-any.whl"}
        for path, digest in artifacts.items():
            assert hashlib.sha256((place.bench.releases / path).read_bytes()).hexdigest() == digest

    def test_asks_no_index_when_the_backend_is_here(self, packaged: tuple[Place, AgentResponse]) -> None:
        (evidence,) = packaged[1].metadata["evidence"]

        assert "--no-isolation" in evidence["command"]
        assert evidence["exit_code"] == 0

    def test_is_made_from_the_commit_not_from_the_worktree(self, packaged: tuple[Place, AgentResponse]) -> None:
        with tarfile.open(packaged[0].bench.releases / "1.3.0" / "rows-1.3.0.tar.gz") as sdist:
            names = sdist.getnames()

        assert "rows-1.3.0/src/rows/sorting.py" in names
        assert not [name for name in names if "left-behind" in name]

    async def test_is_well_by_its_wheel(self, packaged: tuple[Place, AgentResponse]) -> None:
        response = await packaged[0].ask("health-verifier")

        assert response.status is Status.SUCCESS, response.metadata
        assert response.output_artifact["health"]["status"] == "healthy"
        assert response.output_artifact["check"]["package"] == "rows"
        assert response.output_artifact["monitoring"]["active"] is True

    async def test_with_a_broken_import_is_not_well(
        self, packaged: tuple[Place, AgentResponse], tmp_path: Path
    ) -> None:
        place = packaged[0]
        wheel = "rows-1.3.0-py3-none-any.whl"
        (tmp_path / "1.3.0").mkdir()
        with (
            zipfile.ZipFile(place.bench.releases / "1.3.0" / wheel) as good,
            zipfile.ZipFile(tmp_path / "1.3.0" / wheel, "w") as bad,
        ):
            for name in good.namelist():
                bad.writestr(name, "import nowhere_to_be_found" if name == "rows/__init__.py" else good.read(name))
        broken = Place(place.repo, place.tree, Bench(place.tree, tmp_path, tmp_path), place.base, results=place.results)

        response = await broken.ask("health-verifier")

        assert response.status is Status.BLOCKED
        assert response.output_artifact["health"]["status"] == "unhealthy"
        assert "nowhere_to_be_found" in response.metadata["suggestion"]


async def test_a_package_that_does_not_build_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    place = make_place(tmp_path, {"pyproject.toml": PYPROJECT.replace("hatchling.build", "hatchling.nowhere")})
    place.tech["changelog"] = None
    await place.prepare()

    response = await place.ask(ROLE)

    assert response.status is Status.FAILURE
    assert "hatchling.nowhere" in response.metadata["error"]
    assert response.metadata["evidence"][0]["exit_code"] != 0
    assert git(place.repo, "rev-parse", "main") == place.base
    assert tags(place) == []


async def test_a_backend_that_is_nowhere_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    unknown = PYPROJECT.replace('requires = ["hatchling"]', 'requires = ["apm-no-such-backend>=9"]')
    place = make_place(tmp_path, {"pyproject.toml": unknown})
    place.tech["changelog"] = None
    await place.prepare()

    response = await place.ask(ROLE)

    assert response.status is Status.FAILURE
    assert "the package index did not give them" in response.metadata["error"]


async def test_a_build_of_another_version_moves_nothing(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    place.tech["version_file"] = {"path": "src/rows/__init__.py", "kind": "dunder"}
    await place.prepare()

    response = await place.ask(ROLE)

    assert response.status is Status.FAILURE
    assert "The build made version 1.2.0, but this release is 1.3.0" in response.metadata["error"]
    assert git(place.repo, "rev-parse", "main") == place.base


async def test_an_unpacked_sdist_is_built_with_its_new_version(tmp_path: Path) -> None:
    dynamic = PYPROJECT.replace('version = "1.2.0"  # the one place', 'dynamic = ["version"]')
    files = {
        "pyproject.toml": dynamic + '\n    [tool.hatch.version]\n    path = "src/rows/__init__.py"\n',
        "src/rows/__init__.py": '__version__ = "1.2.0"\n',
        "PKG-INFO": "Metadata-Version: 2.1\nName: rows\nVersion: 1.2.0\n",
    }
    place = make_place(tmp_path, files)
    place.tech |= {"version_file": {"path": "src/rows/__init__.py", "kind": "dunder"}, "changelog": None}
    await place.prepare()

    response = await place.ask(ROLE)

    assert response.status is Status.SUCCESS, response.metadata


def test_a_pyproject_that_only_configures_tools_makes_no_package(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert not is_python_package(tmp_path)
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(name='a')\n")
    assert is_python_package(tmp_path)
