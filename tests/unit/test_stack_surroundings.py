"""Infrastructure, database engines that settings name, and facts that only source files tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.projects.stack.databases import engine_of_url
from tests.unit.stack_place import evidence, stack, words

Files = dict[str, str]

INFRASTRUCTURE: dict[str, tuple[str, str, list[str]]] = {
    "GitHub": (".github/workflows/ci.yml", "on: push\njobs: {a: {}}\n", ["ci"]),
    "no workflow": (".github/workflows/labels.yml", "labels: []\n", []),
    "issue templates": (".github/ISSUE_TEMPLATE/bug.yml", "name: x\n", []),
    "GitLab": (".gitlab-ci.yml", "test: {script: x}\n", ["ci"]),
    "Jenkins": ("ci/Jenkinsfile", "pipeline {}", ["ci"]),
    "Azure": ("azure-pipelines.yml", "steps: []", ["ci"]),
    "Docker": ("deploy/Dockerfile.prod", "FROM x", ["docker"]),
    "Podman": ("Containerfile", "FROM x", ["docker"]),
    "a word like it": ("docs/Dockerfile-guide.md", "", []),
    "compose": ("docker-compose.override.yml", "services: {a: {}}", ["compose"]),
    "composer": ("compose.yaml", "name: x", []),
    "Kubernetes": ("deploy/app.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {}\n", ["kubernetes"]),
    "several documents": ("k8s/all.yml", "a: 1\n---\napiVersion: v1\nkind: Service\n", ["kubernetes"]),
    "another kind": ("cluster.yaml", "apiVersion: v9\nkind: Recipe\n", []),
    "kustomize": ("k8s/kustomization.yaml", "resources: []", ["kubernetes"]),
    "Helm": ("charts/a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1\n", ["helm"]),
    "Helm's templates": ("charts/a/templates/d.yaml", "apiVersion: v1\nkind: Service\n{{ x }}\n", []),
    "Terraform": ("infra/main.tf", 'resource "a" "b" {}', ["terraform"]),
    "a playbook": ("site.yml", "- hosts: all\n  tasks: []\n", ["ansible"]),
    "a role": ("roles/web/tasks/main.yml", "- debug: x\n", ["ansible"]),
    "hosts that are no play": ("main.yml", "hosts: [a]\n", []),
    "Heroku": ("Procfile", "web: x", ["deploy"]),
    "Fly": ("fly.toml", "app = 'x'", ["deploy"]),
    "App Engine": ("app.yaml", "runtime: python313\n", ["deploy"]),
    "another app.yaml": ("app.yaml", "colour: blue\n", []),
    "serverless": ("api/serverless.yml", "service: x\nprovider: {}\n", ["deploy"]),
}


@pytest.mark.parametrize("case", INFRASTRUCTURE)
def test_infrastructure_is_what_its_files_say(tmp_path: Path, case: str) -> None:
    path, text, expected = INFRASTRUCTURE[case]
    assert words(stack(tmp_path, {path: text}), "infrastructure") == expected


def test_evidence_names_the_first_file_and_counts_the_rest(tmp_path: Path) -> None:
    found = stack(tmp_path, {f"infra/{name}.tf": "" for name in "abc"})
    assert evidence(found, "infrastructure", "terraform") == ["`infra/a.tf` and 2 more"]


DJANGO = """
import os
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}}
CACHES = {"default": {"BACKEND": "mysql"}}
"""
PRISMA = 'generator a {\n provider = "sqlite"\n}\n// provider = "mysql"\ndatasource db {\n provider = "postgresql"\n}\n'

SETTINGS: dict[str, tuple[str, str, list[str]]] = {
    "compose": (
        "compose.yaml",
        "services: {a: {image: 'docker.io/postgis/postgis:17'}, b: {build: .}}",
        ["postgresql"],
    ),
    "compose with a default": ("compose.yml", "services: {a: {image: '${DB:-mariadb:11}'}}", ["mysql"]),
    "compose, SQL Server": (
        "compose.yml",
        "services: {a: {image: mcr.microsoft.com/mssql/server:2022}}",
        ["sqlserver"],
    ),
    "Django": ("shop/settings.py", DJANGO, ["postgresql"]),
    "Django by URL": (
        "config/settings/base.py",
        'DATABASES = {"default": env.db("DATABASE_URL", default="mysql://u:p@h/d")}\n',
        ["mysql"],
    ),
    "settings of something else": ("app/settings.py", 'DATABASES = ["a postgresql one"]\n', []),
    "Prisma": ("prisma/schema.prisma", PRISMA, ["postgresql"]),
    "Rails": (
        "config/database.yml",
        "default: &d\n  adapter: postgresql\n  pool: <%= ENV['X'] %>\ntest:\n  <<: *d\n  adapter: sqlite3\n",
        ["postgresql", "sqlite"],
    ),
    "Spring": ("src/main/resources/application.yml", "spring: {datasource: {url: 'jdbc:oracle:x'}}", ["oracle"]),
    "Spring's properties": (
        "src/main/resources/application-prod.properties",
        "# spring.datasource.url=jdbc:mysql://x\nspring.datasource.url=${U:jdbc:postgresql://x/y}\n",
        ["postgresql"],
    ),
    "an example of an environment": (
        ".env.example",
        "export DATABASE_URL='postgres://u:secret@h/d'\nDB_CONNECTION=mysql\nHOME_URL=https://x\nNOTE=redis://\n",
        ["mysql", "postgresql"],
    ),
    "Alembic": ("alembic.ini", "[alembic]\nsqlalchemy.url = sqlite:///x.db\n", ["sqlite"]),
    "Drizzle": ("drizzle.config.ts", 'export default { dialect: "postgresql" } // dialect: "mysql"', ["postgresql"]),
    "an import": ("store.py", "def f():\n    import sqlite3\n", ["sqlite"]),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_name_the_database(tmp_path: Path, case: str) -> None:
    path, text, expected = SETTINGS[case]
    assert sorted(words(stack(tmp_path, {path: text}), "database")) == expected


def test_no_secret_of_settings_is_told(tmp_path: Path) -> None:
    found = stack(tmp_path, {".env.example": "DATABASE_URL=postgres://u:secret@h/d\n"})
    assert evidence(found, "database", "postgresql") == ["`.env.example` names it in DATABASE_URL"]


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("postgresql+asyncpg://a", "postgresql"),
        ("jdbc:sqlserver://a", "sqlserver"),
        ("mongodb+srv://a", "mongodb"),
        ("sqlite:///a", "sqlite"),
        ("https://postgres", None),
        ("postgres", None),
        ("", None),
    ],
)
def test_a_url_names_its_engine(url: str, engine: str | None) -> None:
    assert engine_of_url(url) == engine


def test_imports_stand_in_where_no_manifest_does(tmp_path: Path) -> None:
    files = {
        "etl/load.py": "import os, pandas as pd\nfrom psycopg import connect\n",
        "note.py": '"""\nimport flask\n"""\n',
    }
    found = stack(tmp_path, files)
    assert words(found, "framework", "database") == ["pandas", "postgresql"]
    assert evidence(found, "framework", "pandas") == ["`etl/load.py` imports pandas"]


def test_a_manifest_further_out_is_believed_as_well(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname="a"\nversion="1"\n',
        "ui/package.json": "{}",
        "ui/a.py": "import flask\n",
    }
    assert words(stack(tmp_path, files), "framework") == []


def test_a_manifest_is_believed_over_imports(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project]\nname="a"\nversion="1"\n', "a.py": "try:\n    import django\nexcept: ...\n"}
    assert words(stack(tmp_path, files), "framework") == []


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("api/openapi.yaml", "openapi: 3.1.0\npaths: {}\n", ["openapi"]),
        ("swagger.json", '{"swagger": "2.0", "paths": {}}', ["openapi"]),
        ("openapi.yaml", "title: notes on openapi\n", []),
        ("schema.graphql", "type Query { a: Int }\n", ["graphql"]),
        ("schema.graphql", "\n" * 500_000 + "query A { a }\n", []),
        ("queries/a.graphql", "query A { a }\n", []),
        ("App/View.swift", "import SwiftUI\n", ["swiftui"]),
        ("App/View.swift", "// import SwiftUI\n", []),
    ],
)
def test_descriptions_and_views_are_facts(tmp_path: Path, path: str, text: str, expected: list[str]) -> None:
    assert words(stack(tmp_path, {path: text}), "framework") == expected
