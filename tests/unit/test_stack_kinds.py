"""What kind of thing a project is: applications by what they do, libraries by being on offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.stack_place import evidence, stack, words

Files = dict[str, str]
MAIN = "package main\nfunc main() {}\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"


def python(*dependencies: str, more: str = "") -> str:
    return f'[project]\nname = "a"\nversion = "1"\ndependencies = {list(dependencies)}\n{more}'


KINDS: dict[str, tuple[Files, list[str]]] = {
    "a Django site": ({"pyproject.toml": python("django"), "manage.py": ""}, ["web"]),
    "a Django interface": ({"requirements.txt": "django\ndjangorestframework\n"}, ["api"]),
    "a Django site with an interface": (
        {"requirements.txt": "django\ndjangorestframework\n", "shop/templates/a.html": ""},
        ["api", "web"],
    ),
    "a Django application for others": ({"pyproject.toml": python("django"), "a/__init__.py": ""}, ["library"]),
    "a Flask site": ({"pyproject.toml": python("flask"), "app.py": FLASK, "templates/a.html": ""}, ["web"]),
    "a Flask interface": ({"requirements.txt": "flask\n"}, ["api"]),
    "an extension whose docstring shows an application": (
        {"pyproject.toml": python("flask"), "a/__init__.py": f'"""How to:\n\n{FLASK}\n"""'},
        ["library"],
    ),
    "a FastAPI service": ({"pyproject.toml": python("fastapi"), "a/main.py": "app = FastAPI()\n"}, ["api"]),
    "a Python command": ({"pyproject.toml": python(more='[project.scripts]\nx = "a:b"\n')}, ["cli"]),
    "a Python command that fetches": (
        {"pyproject.toml": python("aiohttp", more='[project.scripts]\nx = "a:b"\n')},
        ["cli"],
    ),
    "an aiohttp service": ({"requirements.txt": "aiohttp", "a.py": "app = web.Application()\n"}, ["api"]),
    "a Python library with a command": (
        {
            "pyproject.toml": python(
                more='classifiers = ["Topic :: Software Development :: Libraries"]\n[project.scripts]\nx = "a:b"\n'
            )
        },
        ["cli", "library"],
    ),
    "a private Python package": (
        {"pyproject.toml": python(more='classifiers = ["Private :: Do Not Upload"]\n')},
        [],
    ),
    "an analysis": ({"requirements.txt": "pandas\n", "a.py": ""}, ["data"]),
    "notebooks": ({"a.ipynb": "{}", "b.ipynb": "{}"}, ["data"]),
    "a library on pandas": ({"pyproject.toml": python("pandas")}, ["library"]),
    "a dbt project": ({"dbt_project.yml": "name: x"}, ["data"]),
    "a React application": ({"package.json": '{"dependencies": {"react": "1", "react-dom": "1"}}'}, ["web"]),
    "React components for others": (
        {"package.json": '{"name": "a", "version": "1", "exports": "./a.js", "peerDependencies": {"react": "1"}}'},
        ["library"],
    ),
    "an Express interface": ({"package.json": '{"private": true, "dependencies": {"express": "5"}}'}, ["api"]),
    "an Express site": ({"package.json": '{"dependencies": {"express": "5"}}', "views/a.ejs": ""}, ["web"]),
    "a Node command": ({"package.json": '{"name": "a", "version": "1", "bin": "a.js"}'}, ["cli"]),
    "a React Native application": (
        {"package.json": '{"private": true, "dependencies": {"react": "1", "react-native": "0.80"}}'},
        ["mobile"],
    ),
    "a Go command": (
        {"go.mod": "module x.org/a\nrequire github.com/spf13/cobra v1\n", "cmd/a/main.go": MAIN},
        ["cli"],
    ),
    "a Go library": ({"go.mod": "module x.org/a\n", "a.go": "package a\n"}, ["library"]),
    "a Go service": (
        {"go.mod": "module x.org/a\nrequire github.com/gin-gonic/gin v1\n", "main.go": MAIN},
        ["api"],
    ),
    "a Go service without a framework": (
        {"go.mod": "module x.org/a\n", "main.go": MAIN, "web/a.go": "package web\nvar x = http.ListenAndServe(a, b)\n"},
        ["api"],
    ),
    "a Go library with a generator": (
        {"go.mod": "module x.org/a\n", "a.go": "package a\n", "gen.go": "//go:build ignore\n\npackage main\n"},
        ["library"],
    ),
    "a gRPC server": (
        {
            "go.mod": "module x.org/a\nrequire google.golang.org/grpc v1\n",
            "main.go": "package main\nvar s = grpc.NewServer()\n",
        },
        ["api", "cli"],
    ),
    "a Rust command": ({"Cargo.toml": '[package]\nname="a"\n', "src/main.rs": ""}, ["cli"]),
    "a Rust library": ({"Cargo.toml": '[package]\nname="a"\n', "src/lib.rs": ""}, ["library"]),
    "a Rust service": ({"Cargo.toml": '[package]\nname="a"\n[dependencies]\naxum="1"\n', "src/main.rs": ""}, ["api"]),
    "a Rust program with windows": (
        {"Cargo.toml": '[package]\nname="a"\n[dependencies]\ntauri="2"\n', "src/main.rs": ""},
        [],
    ),
    "a Java library beside a program": (
        {
            "pom.xml": "<project><packaging>pom</packaging><licenses/><scm/></project>",
            "lib/pom.xml": "<project><artifactId>lib</artifactId></project>",
            "command/pom.xml": "<project><build><plugins><plugin><artifactId>maven-jar-plugin</artifactId>"
            "<configuration><mainClass>A</mainClass></configuration></plugin></plugins></build></project>",
        },
        ["cli", "library"],
    ),
    "a Java program in modules": (
        {
            "lib/pom.xml": "<project><artifactId>lib</artifactId></project>",
            "app/pom.xml": "<project><packaging>war</packaging></project>",
        },
        [],
    ),
    "a Rust workspace around a command": (
        {
            "Cargo.toml": '[package]\nname="a"\n[workspace]\n',
            "src/main.rs": "",
            "crates/b/Cargo.toml": '[package]\nname="b"\n',
            "crates/b/src/lib.rs": "",
        },
        ["cli"],
    ),
    "a Spring service": (
        {"build.gradle": "plugins { id 'org.springframework.boot' }\ndependencies { implementation 'io.ktor:x:1' }"},
        ["api"],
    ),
    "a Java library": ({"build.gradle": "plugins {\n  id 'java-library'\n}"}, ["library"]),
    "a Java program": ({"build.gradle": "apply plugin: 'application'"}, ["cli"]),
    "an Android application": (
        {"app/build.gradle.kts": 'plugins {\n  id("com.android.application")\n}'},
        ["mobile"],
    ),
    "an Android application in modules": (
        {
            "app/build.gradle": "plugins { id 'com.android.application' }",
            "data/build.gradle": "plugins { id 'com.android.library' }",
        },
        ["mobile"],
    ),
    "a package that stays in its workspace": (
        {"package.json": '{"name": "a", "version": "0.0.0", "main": "a.js"}'},
        [],
    ),
    "an ASP.NET service": ({"a.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>'}, ["api"]),
    "an ASP.NET site": ({"a.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>', "Pages/Index.cshtml": ""}, ["web"]),
    "a .NET tool": (
        {"a.csproj": "<Project><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup></Project>"},
        ["cli"],
    ),
    "a .NET library": ({"a.csproj": '<Project Sdk="Microsoft.NET.Sdk"/>'}, ["library"]),
    "a Rails site": ({"Gemfile": "gem 'rails'", "config.ru": "", "app/views/a/b.html.erb": ""}, ["web"]),
    "a Rails interface": ({"Gemfile": "gem 'rails'", "app/controllers/api/a.rb": ""}, ["api"]),
    "a gem": ({"a.gemspec": "s.name = 'a'\ns.add_dependency 'rails'\n", "Gemfile": "gemspec\n"}, ["library"]),
    "a gem with a command": ({"a.gemspec": "s.name = 'a'\ns.executables = ['a']\n"}, ["cli", "library"]),
    "a Laravel site": (
        {
            "composer.json": '{"type": "project", "name": "a/b", "require": {"laravel/framework": "11"}}',
            "artisan": "",
            "resources/views/a.blade.php": "",
        },
        ["web"],
    ),
    "a PHP library": ({"composer.json": '{"name": "a/b", "autoload": {}}', "src/A.php": ""}, ["library"]),
    "a plain PHP site": ({"index.php": "", "composer.json": '{"type": "project"}'}, ["web"]),
    "a Swift library": ({"Package.swift": 'Package(products: [.library(name: "A", targets: [])])'}, ["library"]),
    "a Swift command": ({"Package.swift": 'Package(targets: [.executableTarget(name: "a")])'}, ["cli"]),
    "a Vapor service": (
        {
            "Package.swift": 'Package(dependencies: [.package(url: "https://github.com/vapor/vapor", from: "4.0.0")],'
            'targets: [.executableTarget(name: "App")])'
        },
        ["api"],
    ),
    "a Flutter application": (
        {"pubspec.yaml": "name: a\ndependencies: {flutter: {sdk: flutter}}", "lib/main.dart": ""},
        ["mobile"],
    ),
    "a C++ library": ({"CMakeLists.txt": "project(a CXX)\nadd_library(a a.cc)\n"}, ["library"]),
    "a C program": ({"CMakeLists.txt": "project(a C)\n", "src/CMakeLists.txt": "add_executable(a a.c)\n"}, ["cli"]),
    "a program with windows": ({"CMakeLists.txt": "project(a)\nfind_package(Qt6)\nadd_executable(a a.cc)\n"}, []),
    "a program that carries a library along": (
        {
            "CMakeLists.txt": "project(a CXX)\nfind_package(Qt6)\nadd_executable(a a.cc)\n",
            "src/fmt/CMakeLists.txt": "project(fmt CXX)\nadd_library(fmt f.cc)\n",
            "bundle/x/CMakeLists.txt": "project(x C)\nadd_library(x x.c)\n",
        },
        [],
    ),
    "a C library with a program": (
        {"Makefile.am": "bin_PROGRAMS = curl\nlib_LTLIBRARIES = libcurl.la\n"},
        ["cli", "library"],
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_the_kinds_of(tmp_path: Path, case: str) -> None:
    files, kinds = KINDS[case]
    assert sorted(words(stack(tmp_path, files), "project_type")) == kinds


def test_a_kind_has_the_evidence_of_what_shows_it(tmp_path: Path) -> None:
    found = stack(tmp_path, {"pyproject.toml": python(more='[project.scripts]\nx = "a:b"\n')})
    assert evidence(found, "project_type", "cli") == ["`pyproject.toml` declares the command x"]
