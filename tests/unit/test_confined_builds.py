"""What a model wrote is built for a release where it reaches nothing, and only a release comes out of it."""

from __future__ import annotations

import importlib.metadata
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.agents.build_requirements import make_environment, refused
from core.contract import AgentResponse, Json, Status
from core.projects.commands import Limits
from core.projects.sandbox import NOTE, SWITCHED_OFF
from tests.unit.deployed import ROLE, tags
from tests.unit.git_project import git
from tests.unit.release_place import PYPROJECT, Place, commit_in, make_place
from tests.unit.test_confined import BY_A_MODEL
from tests.unit.test_sandbox import needs_bubblewrap

HOOK = """\
import json, os, pathlib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

def attempt(act):
    try:
        return str(act())
    except OSError as error:
        return type(error).__name__

class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        state = pathlib.Path(r"STATE")
        seen = {
            "interfaces": attempt(lambda: sorted(os.listdir("/sys/class/net")) if os.path.exists("/sys") else []),
            "key": attempt((state / "journal.key").read_text),
            "forged": attempt(lambda: (state / "inbox" / "forged.json").write_text("{}")),
            "beside": attempt(lambda: sorted(os.listdir(r"BESIDE"))),
            "sandbox": os.environ.get("APM_SANDBOX"),
        }
        (pathlib.Path(self.root) / "src" / "rows" / "seen.json").write_text(json.dumps(seen))
"""
BACKEND = """\
import io, os, pathlib, tarfile, zipfile

def build_sdist(folder, settings=None):
    with tarfile.open(os.path.join(folder, "rows-1.3.0.tar.gz"), "w:gz") as archive:
        pathlib.Path("PKG-INFO").write_text("Metadata-Version: 2.1\\nName: rows\\nVersion: 1.3.0\\n")
        archive.add(".", "rows-1.3.0")
    return "rows-1.3.0.tar.gz"

def build_wheel(folder, settings=None, metadata=None):
    folder, name = pathlib.Path(folder), "rows-1.3.0-py3-none-any.whl"
    WHEEL
    return name
"""
PLAIN = 'zipfile.ZipFile(folder / name, "w").close()'
IN_TREE = PYPROJECT.replace('requires = ["hatchling"]', "requires = []").replace(
    'build-backend = "hatchling.build"', 'build-backend = "backend"\n    backend-path = ["."]'
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """What apm keeps, with its key and its tray."""
    (tmp_path / "state" / "inbox").mkdir(parents=True)
    (tmp_path / "state" / "journal.key").write_text("key")
    return tmp_path / "state"


async def released(place: Place, files: dict[str, str], message: str = BY_A_MODEL) -> AgentResponse:
    """What comes of the release of a branch with these files in its last commit but apm's own."""
    commit_in(place.tree, files, message)
    place.tech["changelog"] = None
    await place.prepare()
    return await place.ask(ROLE)


def hostile(place: Place, state: Path) -> dict[str, str]:
    hook = HOOK.replace("STATE", str(state)).replace("BESIDE", str(place.repo))
    return {"hatch_build.py": hook, "pyproject.toml": PYPROJECT + "\n    [tool.hatch.build.hooks.custom]\n"}


def seen(place: Place) -> Json:
    """What the build hook found, as it wrote it into the package."""
    with zipfile.ZipFile(place.bench.releases / "1.3.0" / "rows-1.3.0-py3-none-any.whl") as wheel:
        return dict(json.loads(wheel.read("rows/seen.json")))


def notes(response: AgentResponse) -> list[str]:
    return [str(entry["note"]) for entry in response.metadata["evidence"]]


@needs_bubblewrap
async def test_a_models_build_hook_reads_and_writes_nothing_of_apm_and_that_is_said(
    tmp_path: Path, state: Path
) -> None:
    place = make_place(tmp_path)

    response = await released(place, hostile(place, state))

    assert response.status is Status.SUCCESS, response.metadata
    assert seen(place) == {
        "interfaces": "[]",
        "key": "FileNotFoundError",
        "forged": "FileNotFoundError",
        "beside": "FileNotFoundError",
        "sandbox": "bubblewrap",
    }
    assert list((state / "inbox").iterdir()) == []
    assert notes(response) == [NOTE]


@needs_bubblewrap
@pytest.mark.parametrize(
    ("message", "settings", "note"),
    [("By a person", {}, ""), (BY_A_MODEL, {"sandbox": "off"}, SWITCHED_OFF)],
)
async def test_what_a_person_wrote_or_let_run_is_built_as_it_is(
    tmp_path: Path, state: Path, message: str, settings: Json, note: str
) -> None:
    place = make_place(tmp_path, settings=settings)

    response = await released(place, hostile(place, state), message)

    assert response.status is Status.SUCCESS, response.metadata
    assert seen(place)["key"] == "key"
    assert notes(response) == [note]


@needs_bubblewrap
@pytest.mark.parametrize(
    ("wheel", "words"),
    [
        ('(folder / name).symlink_to("KEY")', "is no plain file"),
        ("(folder / name).mkdir()", "is no plain file"),
        (f'{PLAIN}; (folder / "more").write_text("")', "a release takes one sdist and one wheel"),
        ('name = "rows\\u202e-1.3.0-py3-none-any.whl"; ' + PLAIN, "a release takes one sdist and one wheel"),
        (f"{PLAIN}; os.truncate(folder / name, 2**30 + 1)", "is no plain file of at most 1073741824 bytes"),
    ],
)
async def test_a_build_that_leaves_anything_but_a_release_moves_nothing(
    tmp_path: Path, state: Path, wheel: str, words: str
) -> None:
    place = make_place(tmp_path)
    backend = BACKEND.replace("WHEEL", wheel.replace("KEY", str(state / "journal.key")))

    response = await released(place, {"backend.py": backend, "pyproject.toml": IN_TREE})

    assert response.status is Status.FAILURE
    assert words in response.metadata["error"]
    assert git(place.repo, "rev-parse", "main") == place.base
    assert tags(place) == []


@needs_bubblewrap
async def test_what_a_backend_asks_for_besides_is_named_with_what_a_person_may_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    place = make_place(tmp_path)
    backend = (
        BACKEND.replace("WHEEL", PLAIN) + "\ndef get_requires_for_build_wheel(settings=None): return ['paint>=2']\n"
    )

    response = await released(place, {"backend.py": backend, "pyproject.toml": IN_TREE})

    assert "The build asks for paint>=2 besides what pyproject.toml names" in response.metadata["error"]
    assert "`apm project set repo --sandbox off`" in response.metadata["suggestion"]


@needs_bubblewrap
@pytest.mark.parametrize(
    "asked",
    ["tiny @ file:///srv/tiny", "tiny @ git+https://example.org/tiny", "./tiny", "-r more.txt", "--index-url=x"],
)
async def test_of_a_model_only_names_are_fetched(tmp_path: Path, asked: str) -> None:
    place = make_place(tmp_path)

    response = await released(place, {"pyproject.toml": PYPROJECT.replace('"hatchling"]', f'"{asked}"]')})

    assert response.status is Status.FAILURE
    assert f"{asked!r} to build with, which is not the name of a package" in response.metadata["error"]
    assert response.metadata["evidence"] == []


def wheel_of(distribution: str, folder: Path) -> None:
    """An installed distribution, packed again as pip unpacked it."""
    facts = importlib.metadata.distribution(distribution)
    name = f"{distribution.replace('-', '_')}-{facts.version}-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for path in facts.files or ():
            if ".." not in path.parts and path.suffix != ".pyc":
                wheel.writestr(path.as_posix(), path.read_binary())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The only place that pip looks: what `build` consists of, and a backend that tests write."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for distribution in ("build", "packaging", "pyproject_hooks"):
        wheel_of(distribution, folder)

    def add(source: str) -> None:
        with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("tiny.py", source)
            wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
            wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr("tiny-1.0.dist-info/RECORD", "")

    return add


@needs_bubblewrap
async def test_a_backend_that_apm_lacks_is_fetched_before_and_runs_without_a_network(
    tmp_path: Path, state: Path, index: Callable[[str], None]
) -> None:
    probe = f"assert not pathlib.Path(r'{state}').exists() and not os.path.exists('/sys'); {PLAIN}"
    index(BACKEND.replace("WHEEL", probe))
    place = make_place(tmp_path)
    pyproject = PYPROJECT.replace('["hatchling"]', '["tiny>=1", "no-such ; python_version < \'3\'"]')

    response = await released(place, {"pyproject.toml": pyproject.replace("hatchling.build", "tiny")})

    assert response.status is Status.SUCCESS, response.metadata
    assert notes(response) == ["", "", NOTE]


async def test_an_environment_takes_no_source_that_it_would_have_to_run(
    tmp_path: Path, index: Callable[[str], None]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text('[build-system]\nrequires = ["tiny"]\n')
    (tmp_path / "index" / "tiny-2.0.tar.gz").write_bytes(b"")

    made = await make_environment(source, tmp_path / "environment", limits=Limits(seconds=120.0), environment={})

    assert refused(source) == ""
    assert [result.exit_code for result in made] == [0, 1]
    assert "No matching distribution found for tiny" in made[1].output


@pytest.mark.parametrize(
    "table", ["[build-system]\nrequires = [[]]", "build-system = 1", '[build-system]\nrequires = "-e ."']
)
def test_a_build_system_of_another_shape_is_told_or_left_to_the_build(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table)

    assert ("is not the name of a package" in refused(tmp_path)) is ("requires" in table)
