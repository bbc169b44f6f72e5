"""Infrastructure: what builds, packs, places and runs the project, from the files that say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from core.contract import Json
from core.projects.stack.facts import Fact
from core.projects.stack.formats import yaml_documents, yaml_table
from core.projects.stack.inventory import WORKSHOP, Inventory, Packages
from core.projects.tree import dig, items, table
from core.sanitise import one_line

Word = Literal["ci", "docker", "compose", "kubernetes", "helm", "terraform", "ansible", "deploy"]
MOST_READ = 150
"""YAML files that are looked into for what their names do not tell."""
MOST_CHARACTERS = 2**16
"""How much of such a file is read: what it is stands at its beginning."""


Check = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Mark:
    """A word that a file stands for: by its lower-case path, and by a check of its content where one is needed."""

    word: Word
    path: re.Pattern[str]
    check: Check | None


def _mark(word: Word, path: str, check: Check | None = None) -> Mark:
    return Mark(word, re.compile(path), check)


def _has(*names: str) -> Callable[[Json], bool]:
    return lambda content: any(name in content for name in names)


MARKS = (
    _mark("ci", r"\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml", _has("jobs")),
    _mark("ci", r"\.gitlab-ci\.ya?ml"),
    _mark("ci", r"\.circleci/config\.ya?ml", _has("jobs", "workflows", "orbs")),
    _mark("ci", r"(\.azure/|azure/)?azure-pipelines[\w.-]*\.ya?ml|\.azure-pipelines/.+\.ya?ml"),
    _mark("ci", r"(.*/)?jenkinsfile(\.\w+)?"),
    _mark("ci", r"\.(travis|cirrus|drone|appveyor)\.ya?ml|appveyor\.ya?ml|bitbucket-pipelines\.ya?ml"),
    _mark("ci", r"\.(woodpecker(/[^/]+)?|buildkite/[^/]+)\.ya?ml|\.teamcity/.+\.kts|cloudbuild\.ya?ml|\.ci/run"),
    _mark("docker", r"(.*/)?(dockerfile|containerfile)([.-][\w.-]+)?|(.*/)?[\w.-]+\.dockerfile"),
    _mark("compose", r"(.*/)?(docker-)?compose([.-][\w.-]+)?\.ya?ml", _has("services")),
    _mark("kubernetes", r"(.*/)?(kustomization|skaffold)\.ya?ml"),
    _mark("helm", r"(.*/)?chart\.yaml", _has("apiVersion", "version")),
    _mark("helm", r"(.*/)?helmfile\.ya?ml(\.gotmpl)?"),
    _mark("terraform", r"(.*/)?[^/]+\.(tf|tofu|tf\.json)|(.*/)?terragrunt\.hcl"),
    _mark("ansible", r"(.*/)?ansible\.cfg|(.*/)?roles/[^/]+/tasks/main\.ya?ml"),
    _mark("deploy", r"([^/]+/)?procfile"),
    _mark("deploy", r"(.*/)?(fly\.toml|vercel\.json|netlify\.toml|render\.ya?ml|wrangler\.(toml|jsonc?))"),
    _mark("deploy", r"(.*/)?(railway|firebase|now|apprunner)\.(json|toml|ya?ml)|(.*/)?captain-definition"),
    _mark("deploy", r"(.*/)?app\.ya?ml", _has("runtime", "service", "entrypoint")),
    _mark("deploy", r"(.*/)?serverless\.ya?ml", _has("service", "provider", "functions")),
    _mark("deploy", r"(.*/)?(samconfig\.toml|cdk\.json|pulumi\.ya?ml|copilot/\.workspace|\.do/app\.ya?ml)"),
    _mark("deploy", r"(.*/)?(config/deploy\.(rb|ya?ml)|capfile|\.platform\.app\.yaml|azure\.yaml)"),
)

_KINDS = frozenset(
    (
        *("Deployment", "StatefulSet", "DaemonSet", "Service", "Ingress", "ConfigMap", "Secret", "CronJob"),
        *("Job", "Pod", "Namespace", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "NetworkPolicy"),
        *("CustomResourceDefinition", "ClusterRole", "Role", "RoleBinding", "ServiceAccount", "Kustomization"),
        *("HTTPRoute", "Gateway", "HelmRelease", "Application"),
    )
)
_LIKELY = re.compile(r"k8s|kube|deploy|manifest|kustom|overlay|cluster|argo|flux|service|ingress|playbook|site|main")
"""Words in a path that make it worth reading first."""


def infrastructure_facts(inventory: Inventory, packages: Packages) -> Iterator[Fact]:
    found: dict[Word, list[str]] = {}
    for path in _candidates(inventory):
        for word in _words(inventory, path):
            found.setdefault(word, []).append(path)
    for path in _looked_into(inventory):
        told = _word_of_content(inventory.tree.read(path)[:MOST_CHARACTERS])
        if told and path not in found.get(told, ()):
            found.setdefault(told, []).append(path)
    for word, paths in found.items():
        yield from _evidence(word, paths, packages)


def _evidence(word: Word, paths: list[str], packages: Packages) -> Iterator[Fact]:
    """The first files of each package, and how many more there are."""
    by_package: dict[str, list[str]] = {}
    for path in paths:
        by_package.setdefault(packages.of(path), []).append(path)
    for package, own in by_package.items():
        more = f" and {len(own) - 1} more" if len(own) > 1 else ""
        yield Fact("infrastructure", word, f"`{one_line(own[0])}`{more}", package)


_CANDIDATE_NAMES = (
    r"jenkinsfile.*|(docker|container)file.*|.*\.dockerfile|(docker-)?compose.*|procfile|capfile|captain-definition|run"
    r"|.*\.(ya?ml|tf|tofu|toml|hcl|jsonc?|kts|cfg|config|rb|gotmpl)|\.workspace"
)


def _candidates(inventory: Inventory) -> Iterator[str]:
    yield from inventory.matching(_CANDIDATE_NAMES)


_SHIPPED = frozenset(("docker", "compose"))
"""What developers' tools may have for themselves."""
_ANY = re.compile("|".join(f"(?:{mark.path.pattern})" for mark in MARKS))


def _words(inventory: Inventory, path: str) -> Iterator[Word]:
    lower = path.lower()
    if _ANY.fullmatch(lower):
        for mark in MARKS:
            is_shipped = mark.word not in _SHIPPED or not WORKSHOP.match(path)
            if is_shipped and mark.path.fullmatch(lower) and _holds(mark, inventory, path):
                yield mark.word


def _holds(mark: Mark, inventory: Inventory, path: str) -> bool:
    return mark.check is None or mark.check(yaml_table(inventory.tree.read(path)))


def _looked_into(inventory: Inventory) -> Iterator[str]:
    """YAML files that may be objects of Kubernetes or plays of Ansible, the likely ones first, a bounded number."""
    paths = [path for path in inventory.ending("yaml", "yml") if not path.startswith(".")]
    likely = [path for path in paths if _LIKELY.search(path.lower())]
    rest = [path for path in paths if path.count("/") <= 2 and not _LIKELY.search(path.lower())]
    yield from islice([*likely, *rest], MOST_READ)


def _word_of_content(text: str) -> Word | None:
    if "apiVersion:" in text and "kind:" in text and any(map(_is_object, yaml_documents(text))):
        return "kubernetes"
    return "ansible" if "hosts:" in text and any(map(_is_play, yaml_documents(text)[:1])) else None


def _is_object(document: Any) -> bool:
    return isinstance(dig(document, "apiVersion"), str) and dig(document, "kind") in _KINDS


def _is_play(document: Any) -> bool:
    """A playbook is a list of plays; a play says for which hosts, and what it does there."""
    plays = [table(entry) for entry in items(document)] if isinstance(document, list) else []
    return any("hosts" in play and not {"tasks", "roles", "pre_tasks"}.isdisjoint(play) for play in plays)
