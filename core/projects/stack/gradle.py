"""Java, Kotlin and Android under Gradle: build scripts in Groovy or Kotlin, and version catalogs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from core.projects.stack.manifest import Dependency, Group, Manifest, Sign, framework, mobile
from core.projects.stack.tokens import GRADLE, Token, calls, is_mark, lines, quoted, tokens
from core.projects.tree import Tree, table

_CONFIGURATION = re.compile(
    r"(\w*(implementation|api|compile|compileonly|runtimeonly|runtime|developmentonly)|kapt|ksp|providedcompile"
    r"|classpath)",
    re.IGNORECASE,
)
_FOR_TESTS = re.compile(r"test|benchmark|lint|debug|fixture|mock", re.IGNORECASE)
_COORDINATES = re.compile(r"([\w.-]+):([\w.-]+)(?::([\w.+$-]+))?.*")
MOST_OF_A_BUNDLE = 100
"""Libraries that are taken of one bundle."""
MOST_DEPENDENCIES = 5_000
"""Dependencies of one script: one line may name a bundle, and ten thousand lines the same one."""
_CATALOG = "gradle/libs.versions.toml"
_PLUGINS: dict[str, tuple[Sign, ...]] = {
    "org.springframework.boot": (framework("spring", "applies the plugin org.springframework.boot"),),
    "io.quarkus": (framework("quarkus", "applies the plugin io.quarkus"),),
    "io.micronaut.application": (framework("micronaut", "applies the plugin io.micronaut.application"),),
    "io.ktor.plugin": (framework("ktor", "applies the plugin io.ktor.plugin"),),
    "com.android.application": (
        framework("android", "applies the plugin com.android.application"),
        mobile("builds an Android application"),
    ),
    "com.android.library": (framework("android", "applies the plugin com.android.library"),),
}
_SERVERS = frozenset(("org.springframework.boot", "io.quarkus", "io.micronaut.application", "io.ktor.plugin", "war"))
_COMPILERS = frozenset(("java", "java-library", "maven-publish", "com.android.library", "org.jetbrains.kotlin.jvm"))
"""With one of these and no program anywhere, what is built is for others."""
_KOTLIN = re.compile(r"kotlin|org\.jetbrains\.kotlin\..*|kotlin-android|kotlin-multiplatform")

Names = dict[str, str]
"""Names of a version catalog as a script writes them (`libs.` left out, dots between), and what they stand for."""


def read_gradle(tree: Tree, path: str) -> Manifest | None:
    found = tokens(tree.read(path), GRADLE)
    libraries, plugin_names = _names(_catalog(tree, path))
    plugins = set(_plugins(found, plugin_names))
    dependencies = tuple(islice(_dependencies(found, libraries), MOST_DEPENDENCIES))
    kotlin = any(_KOTLIN.fullmatch(plugin) for plugin in plugins)
    signs = [sign for plugin in sorted(plugins) for sign in _PLUGINS.get(plugin, ())]
    is_server, is_mobile = not plugins.isdisjoint(_SERVERS), "com.android.application" in plugins
    started = "application" in plugins and not is_server
    command = "applies the plugin application" if started else ""
    if not dependencies and not plugins:
        return None
    published = not (is_server or started or is_mobile)
    published = published and not plugins.isdisjoint(_COMPILERS)
    offered = not plugins.isdisjoint({"maven-publish", "com.vanniktech.maven.publish", "signing"})
    languages = ("kotlin", "java") if kotlin else ("java",)
    return Manifest(
        path,
        "maven",
        "",
        dependencies,
        languages,
        tuple(signs),
        published,
        is_server or started or is_mobile,
        command,
        published and offered,
    )


def _dependencies(found: Sequence[Token], libraries: Names) -> Iterator[Dependency]:
    for _, block in calls(found, "dependencies", brackets="{}"):
        for line in lines(block):
            yield from _declared(line, libraries)


def _declared(line: Sequence[Token], libraries: Names) -> Iterator[Dependency]:
    """`implementation("g:a:v")`, `implementation platform(libs.x)`, `api group: "g", name: "a"`, and the like."""
    if line[0].kind not in ("word", "text") or not _CONFIGURATION.fullmatch(line[0].text):
        return
    configuration = line[0].text
    group: Group = "dev" if _FOR_TESTS.search(configuration) or configuration == "classpath" else "main"
    texts = quoted(line[1:])
    mapped = {line[n - 2].text: token.text for n, token in enumerate(line) if n > 2 and is_mark(line[n - 1], ":")}
    if {"group", "name"} <= mapped.keys():
        yield Dependency(f"{mapped['group']}:{mapped['name']}", mapped.get("version", ""), group)
        return
    for text in texts:
        if match := _COORDINATES.fullmatch(text):
            version = match[3] or ""
            yield Dependency(f"{match[1]}:{match[2]}", "" if "$" in version else version, group)
    for name in _accessors(line[1:], "libs"):
        bundled = libraries.get(name, "").split(",", MOST_OF_A_BUNDLE)[:MOST_OF_A_BUNDLE]
        members = bundled if name.startswith("bundles.") else [name]
        yield from (_library(libraries[member], group) for member in members if member in libraries)


def _library(text: str, group: Group) -> Dependency:
    name, _, version = text.partition(" ")
    return Dependency(name, version, group)


def _accessors(line: Sequence[Token], root: str) -> Iterator[str]:
    """`libs.androidx.core.ktx` written as `androidx.core.ktx`."""
    place = 0
    while place < len(line):
        if line[place].kind == "word" and line[place].text == root:
            words = []
            while place + 2 < len(line) and is_mark(line[place + 1], ".") and line[place + 2].kind == "word":
                words.append(line[place + 2].text)
                place += 2
            yield ".".join(words)
        place += 1


def _plugins(found: Sequence[Token], names: Names) -> Iterator[str]:
    """Plugins by `id(...)`, `alias(...)`, `kotlin(...)`, a bare word in `plugins { }`, and `apply plugin:`.

    One with `apply false` is only made known for other scripts.
    """
    for _, block in calls(found, "plugins", brackets="{}"):
        for line in lines(block):
            yield from _plugin(line, names)
    for place, token in enumerate(found[:-1]):
        if token.kind == "word" and token.text == "apply" and found[place + 1].text in ("plugin", "("):
            yield from quoted(found[place + 1 : place + 5])[:1]


def _plugin(line: Sequence[Token], names: Names) -> Iterator[str]:
    written = [token.text for token in line]
    if "false" in written and "apply" in written:
        return
    first, texts = written[0], quoted(line)
    if first == "id" and texts:
        yield texts[0]
    elif first == "kotlin" and texts:
        yield f"org.jetbrains.kotlin.{texts[0]}"
    elif first == "alias":
        for name in _accessors(line, "libs"):
            yield names.get(name.removeprefix("plugins."), "")
    elif line[0].kind == "word" or len(line) == 1:
        yield first.strip("`") if first != "`" else "".join(written).strip("`")


def _catalog(tree: Tree, path: str) -> str:
    """The text of the version catalog nearest around a build script; empty when there is none."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if text := tree.read(f"{folder}/{_CATALOG}" if folder else _CATALOG):
            return text
    return ""


@lru_cache(maxsize=4)
def _names(text: str) -> tuple[Names, Names]:
    """A catalog's libraries and plugins; kept, as every module of a project asks for the same."""
    try:
        catalog = tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}, {}
    return _libraries(catalog), _plugin_ids(catalog)


def _libraries(catalog: dict[str, object]) -> Names:
    """`name` → `group:artifact version`, and `bundles.name` → names with commas."""
    versions = table(catalog.get("versions"))
    found: Names = {}
    for name, value in table(catalog.get("libraries")).items():
        parts = table(value)
        if isinstance(value, str):
            group, artifact, version = (*value.split(":"), "", "", "")[:3]
        else:
            module = str(parts.get("module") or f"{parts.get('group')}:{parts.get('name')}")
            group, _, artifact = module.partition(":")
            stated = parts.get("version")
            reference = table(stated).get("ref")
            version = str(stated if isinstance(stated, str) else versions.get(str(reference), ""))
        found[_accessor(name)] = f"{group}:{artifact} {version if '{' not in version else ''}"
    for name, members in table(catalog.get("bundles")).items():
        listed = members if isinstance(members, list) else []
        found[f"bundles.{_accessor(name)}"] = ",".join(_accessor(str(member)) for member in listed)
    return found


def _plugin_ids(catalog: dict[str, object]) -> Names:
    """Plugins are declared as `{ id = ... }` or `"id:version"`."""
    found: Names = {}
    for name, value in table(catalog.get("plugins")).items():
        stated = value if isinstance(value, str) else table(value).get("id")
        found[_accessor(name)] = str(stated or "").partition(":")[0]
    return found


def _accessor(name: str) -> str:
    return re.sub(r"[-_]", ".", name)
