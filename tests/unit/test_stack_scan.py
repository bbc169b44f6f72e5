"""The stack of real repositories: what is theirs counts, what only lies about in them does not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from core.projects.git import GitError
from core.projects.stack.facts import MOST_OF_A_WORD, Fact, Stack
from core.projects.stack.scan import scan, stack_of
from core.projects.tree import Tree
from tests.unit.git_project import commit, git, write
from tests.unit.stack_place import evidence, stack, words

DJANGO = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5.2"]\n'
REACT = '{"name": "web", "private": true, "dependencies": {"react": "19", "react-dom": "19"}}'


async def test_a_repository_with_nothing_in_it_has_no_stack(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert await scan(tmp_path) == Stack()


async def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        await scan(tmp_path)


async def test_a_whole_project_with_its_evidence(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": DJANGO,
        "manage.py": "",
        **{f"shop/m{n}.py": "" for n in range(5)},
        "shop/templates/shop/index.html": "",
        ".github/workflows/ci.yml": "on: push\njobs: {test: {}}\n",
        "compose.yaml": "services: {db: {image: 'postgres:17'}}\n",
        "Dockerfile": "FROM python:3.13\n",
    }
    commit(tmp_path, files)

    found = await scan(tmp_path)

    assert [(fact.category, fact.word, fact.evidence) for fact in found.facts] == [
        ("language", "python", "6 .py files"),
        ("language", "python", "`pyproject.toml` declares it"),
        ("framework", "django", "`pyproject.toml` depends on django >=5.2"),
        ("project_type", "web", "`pyproject.toml` depends on django >=5.2"),
        ("infrastructure", "ci", "`.github/workflows/ci.yml`"),
        ("infrastructure", "compose", "`compose.yaml`"),
        ("infrastructure", "docker", "`Dockerfile`"),
        ("database", "postgresql", "`compose.yaml` runs postgres:17"),
    ]


async def test_what_is_untracked_counts_and_what_is_ignored_does_not(tmp_path: Path) -> None:
    commit(tmp_path, {".gitignore": "ignored/\n", "a.py": ""})
    write(tmp_path, {"pyproject.toml": DJANGO, "ignored/package.json": REACT})

    assert words(await scan(tmp_path), "framework") == ["django"]


def _merge(repo: Path, branch: str) -> None:
    """A merge that ends in a conflict, so git's exit code is 1."""
    subprocess.run(["git", "merge", branch], cwd=repo, capture_output=True, check=False)


async def test_a_repository_inside_is_not_looked_into(tmp_path: Path) -> None:
    commit(tmp_path, {"a.py": ""})
    commit(tmp_path / "inner", {"package.json": REACT})

    assert words(await scan(tmp_path), "framework") == []


async def test_a_file_in_conflict_counts_once(tmp_path: Path) -> None:
    commit(tmp_path, {"go.mod": "module a\n", "a.go": "package a\n"})
    git(tmp_path, "checkout", "-q", "-b", "other")
    commit(tmp_path, {"a.go": "package b\n"})
    git(tmp_path, "checkout", "-q", "main")
    commit(tmp_path, {"a.go": "package c\n"})
    _merge(tmp_path, "other")

    assert evidence(await scan(tmp_path), "language", "go")[0] == "1 .go file"


@pytest.mark.parametrize("folder", ["node_modules/react", "vendor/a/b", "third_party/x", ".venv/lib", "ios/Pods/y"])
async def test_other_peoples_code_does_not_count_even_when_committed(tmp_path: Path, folder: str) -> None:
    commit(tmp_path, {"a.py": "", f"{folder}/package.json": REACT, f"{folder}/b.go": "", f"{folder}/Dockerfile": ""})
    found = await scan(tmp_path)
    assert words(found, "framework", "infrastructure") == []


async def test_a_virtual_environment_of_any_name_is_other_peoples_code(tmp_path: Path) -> None:
    commit(tmp_path, {"a.py": "import os"})
    write(
        tmp_path, {"py311/pyvenv.cfg": "", "py311/lib/django/setup.py": "setup(name='x', install_requires=['flask'])"}
    )

    assert words(await scan(tmp_path), "framework") == []


@pytest.mark.parametrize(
    "folder",
    [
        *(
            "examples/shop",
            "tests/fixtures/app",
            "pkg/testdata",
            "src/templates/new",
            "demo",
            "docs",
            "packages/template-vue",
        ),
        *(
            "cookiecutter-app/{{cookiecutter.name}}",
            "benchmarks",
            "Shop.Tests",
            "tools",
            "scripts",
            "packages/template-vue",
        ),
    ],
)
def test_manifests_beside_the_product_decide_nothing(tmp_path: Path, folder: str) -> None:
    files = {f"{folder}/package.json": REACT, f"{folder}/compose.yaml": "services: {db: {image: mysql}}", "a.go": ""}
    assert words(stack(tmp_path, files), "framework", "project_type", "database") == []


def test_a_word_in_a_readme_decides_nothing(tmp_path: Path) -> None:
    files = {"README.md": "Works with django, react and postgresql.\n", "notes.txt": "flask==3\n", "a.py": ""}
    assert words(stack(tmp_path, files), "framework", "database") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"dependencies": {"react": '),
        ("pyproject.toml", "[project\ndependencies=['django']"),
        ("pom.xml", "<project><dependencies>"),
        ("a.csproj", '<!DOCTYPE x [<!ENTITY a "b">]><Project Sdk="Microsoft.NET.Sdk.Web">&a;</Project>'),
        ("pubspec.yaml", "a: &a [*a]\nb: {{"),
        ("Gemfile", "gem 'rails\n"),
        ("package.json", "{" + " " * (20 * 2**20) + '"dependencies": {"react": "19"}}'),
        ("requirements.txt", "\0\0\0"),
        ("go.mod", "require (\n"),
    ],
)
def test_a_file_that_is_broken_or_huge_stops_nothing(tmp_path: Path, name: str, text: str) -> None:
    found = stack(tmp_path, {name: text, "backend/pyproject.toml": DJANGO})
    assert "django" in words(found, "framework")
    assert "react" not in words(found, "framework")


async def test_links_missing_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(REACT)
    repo = tmp_path / "repo"
    commit(repo, {"backend/pyproject.toml": DJANGO, "Cargo.toml": '[dependencies]\naxum="1"\n', "Gemfile/x": ""})
    (repo / "package.json").symlink_to(outside)
    (repo / "setup.cfg").symlink_to("setup.cfg")
    (repo / "composer.json").write_bytes(b"\xff\xfe{}")
    (repo / "Cargo.toml").unlink()

    assert words(await scan(repo), "framework") == ["django"]


async def test_names_of_any_letters(tmp_path: Path) -> None:
    commit(tmp_path, {"bücher\n\x1b[31mrot/pyproject.toml": DJANGO, "ключ/a.py": ""})

    fact = (await scan(tmp_path)).about("framework", "django")[0]

    assert fact.package == "bücher\n\x1b[31mrot"
    assert fact.evidence == "`bücher rot/pyproject.toml` depends on django >=5.2"


def test_folders_deeper_than_calls_may_nest(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": DJANGO})
    found = stack_of(Tree.of(tmp_path, ("pyproject.toml", "d/" * 2000 + "a.py")))
    assert words(found, "framework") == ["django"]


def test_packages_of_a_monorepo_are_told_apart(tmp_path: Path) -> None:
    files = {
        "package.json": '{"private": true, "workspaces": ["web"]}',
        "web/package.json": REACT,
        "web/src/a.ts": "",
        "web/tsconfig.json": '{"compilerOptions": {}}',
        "backend/pyproject.toml": DJANGO,
        "backend/manage.py": "",
        "backend/shop/a.py": "",
        "crates/core/Cargo.toml": '[package]\nname="core"\n[dependencies]\ntokio="1"\n',
        "crates/core/src/lib.rs": "",
    }

    found = stack(tmp_path, files)

    assert words(found, "language") == ["python", "rust", "typescript"]
    assert {fact.word: fact.package for fact in found.facts if fact.category == "framework"} == {
        "django": "backend",
        "react": "web",
        "tokio": "crates/core",
    }
    assert evidence(found, "language", "python") == ["2 .py files", "`backend/pyproject.toml` declares it"]
    assert words(found, "project_type") == ["library", "web"]


def test_a_language_of_several_packages_is_counted_as_a_whole_first(tmp_path: Path) -> None:
    files = {"a/go.mod": "module a", "a/x.go": "", "a/y.go": "", "b/go.mod": "module b", "b/x.go": ""}
    found = stack(tmp_path, files).about("language", "go")
    assert [(fact.evidence, fact.package) for fact in found][:2] == [("3 .go files", ""), ("2 .go files", "a")]


def test_facts_of_a_word_are_bounded_and_the_outermost_stay(tmp_path: Path) -> None:
    files = {f"p/{n}/package.json": REACT for n in range(40)}
    found = stack(tmp_path, {**files, "package.json": REACT}).about("framework", "react")
    assert len(found) == MOST_OF_A_WORD
    assert found[0].package == ""


@pytest.mark.parametrize(
    ("files", "languages"),
    [
        ({"a.py": "", "b.py": "", "c.py": "", "eslint.config.js": ""}, ["python"]),
        ({**{f"{n}.py": "" for n in range(100)}, "a.js": "", "b.js": "", "c.js": ""}, ["python"]),
        ({**{f"{n}.py": "" for n in range(20)}, "a.js": "", "b.js": "", "c.js": ""}, ["javascript", "python"]),
        (
            {"package.json": '{"devDependencies": {"prettier": "3"}}', "x.js": "", "a.go": "", "go.mod": "module x"},
            ["go"],
        ),
        ({"package.json": '{"devDependencies": {"typescript": "5"}}', "src/a.ts": ""}, ["typescript"]),
        ({"package.json": '{"main": "a.js"}', "a.js": ""}, ["javascript"]),
        ({"package.json": '{"main": "a.js"}', "README.md": ""}, []),
        ({"a.c": "", "b.c": "", "c.h": "", "d.h": ""}, ["c"]),
        ({"a.cpp": "", "b.cc": "", "c.h": "", "d.h": "", "e.h": ""}, ["c++"]),
        ({"build.gradle.kts": 'plugins { id("java") }', "src/main/java/A.java": ""}, ["java"]),
        ({"build.gradle.kts": 'plugins { kotlin("jvm") }', "src/main/kotlin/A.kt": ""}, ["kotlin"]),
        ({"tests/a.py": "", "tests/b.py": "", "tests/c.py": "", "m.go": "", "go.mod": "module x"}, ["go"]),
        ({"tests/a.py": "", "tests/b.py": "", "tests/c.py": ""}, ["python"]),
        ({"a.csproj": "<Project/>", "A.cs": "", "A.Designer.cs": ""}, ["c#"]),
        ({"go.mod": "module x", "a.go": "", "b_pb2.py": "", "c_pb2.py": "", "d_pb2.py": ""}, ["go"]),
    ],
)
def test_a_language_needs_a_manifest_or_a_share(tmp_path: Path, files: dict[str, str], languages: list[str]) -> None:
    assert words(stack(tmp_path, files), "language") == languages


def test_a_stack_comes_back_from_its_json(tmp_path: Path) -> None:
    found = stack(tmp_path, {"pyproject.toml": DJANGO, "a.py": ""})
    assert Stack.from_json(json.loads(json.dumps(found.as_json()))) == found


@pytest.mark.parametrize(
    "rows",
    [None, {}, "x", [None, 1, "y"], [{"category": "language", "word": "klingon", "evidence": ""}], [{"category": []}]],
)
def test_rows_of_another_shape_or_version_are_left_out(rows: object) -> None:
    assert Stack.from_json(rows) == Stack()


def test_facts_are_asked_for_by_word() -> None:
    fact = Fact("framework", "django", "`a` depends on it")
    found = Stack.of([fact, fact])
    assert found.facts == (fact,)
    assert (found.has("framework", "django"), found.has("framework", "flask")) == (True, False)
