"""Database engines: drivers among the dependencies, images of compose files, and settings that name an engine."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import islice

from core.projects.stack.facts import Fact
from core.projects.stack.formats import yaml_documents, yaml_table
from core.projects.stack.inventory import WORKSHOP, Inventory, Packages
from core.projects.stack.tokens import SCRIPT, is_mark, tokens
from core.projects.tree import Tree, dig, table
from core.sanitise import one_line

MOST_SETTINGS = 40
"""Files of settings that are read of each kind."""

LONGEST_IMAGE = 500

ENGINES = {
    name: word
    for word, names in {
        "postgresql": "postgresql postgres pgsql postgis psycopg psycopg2 asyncpg timescaledb pgvector pg cockroachdb "
        "postgresql_psycopg2",
        "mysql": "mysql mysql2 mariadb trilogy percona percona-server",
        "sqlite": "sqlite sqlite3 spatialite better-sqlite3 aiosqlite",
        "mongodb": "mongodb mongo mongodb-community-server mongodb+srv",
        "redis": "redis rediss valkey redis-stack redis-stack-server keydb dragonfly",
        "sqlserver": "sqlserver mssql azure-sql-edge sqlsrv",
        "oracle": "oracle oracle-free oracle-xe oracle-database",
        "elasticsearch": "elasticsearch opensearch",
    }.items()
    for name in names.split()
}
"""Names that images, URLs and settings give an engine."""

_COMPOSE = r"(docker-)?compose([.-][\w.-]+)?\.ya?ml"
_SETTINGS_PY = r"settings(_\w+)?\.py|(base|common|production|prod|development|local|dev|defaults)\.py"
_ENV = r"\.?env[.-](example|sample|dist|template|defaults?)|(example|sample|template)\.env|env\.example"
_SPRING = r"application(-[\w-]+)?\.(ya?ml|properties)"
_DRIZZLE = r"drizzle\.config\.[cm]?[jt]s|ormconfig\.[jt]s|data-?source\.ts"
_URL = re.compile(r"(?:jdbc:|r2dbc:)?([a-z][a-z0-9+]+)(?::|$)")
_URL_KEY = re.compile(r"(?:^|_)(url|uri|dsn|connection)$", re.IGNORECASE)

Found = Iterator[tuple[str, str]]
"""Words, each with the rest of a sentence that begins with the file."""


def database_facts(inventory: Inventory, packages: Packages) -> Iterator[Fact]:
    """Engines that files of settings name; drivers are told with the other dependencies."""
    for paths, read in _readers(inventory):
        for path in islice((path for path in paths if not WORKSHOP.match(path)), MOST_SETTINGS):
            for word, says in read(inventory.tree, path):
                yield Fact("database", word, f"`{one_line(path)}` {one_line(says)}", packages.of(path))


def _readers(inventory: Inventory) -> Iterator[tuple[list[str], Callable[[Tree, str], Found]]]:
    yield inventory.matching(_COMPOSE), _compose
    yield inventory.matching(_SETTINGS_PY), _django
    yield inventory.ending("prisma"), _prisma
    yield [path for path in inventory.named("database.yml") if "config/" in path], _rails
    yield inventory.matching(_SPRING), _spring
    yield inventory.matching(_ENV), _environment
    yield inventory.named("alembic.ini"), _alembic
    yield inventory.matching(_DRIZZLE), _script


def engine_of_url(text: str) -> str | None:
    """The engine of `postgresql+asyncpg://…`, `jdbc:mysql:…`, `sqlite:///…`; None for another text."""
    match = _URL.match(text.strip().lower())
    if match is None or ":" not in text:
        return None
    return ENGINES.get(match[1]) or ENGINES.get(match[1].partition("+")[0])


def _compose(tree: Tree, path: str) -> Found:
    for service in table(yaml_table(tree.read(path)).get("services")).values():
        image = dig(service, "image")
        if isinstance(image, str):
            plain = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", image[:LONGEST_IMAGE])
            name = plain.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
            word = "sqlserver" if "mssql/server" in plain else ENGINES.get(name)
            if word:
                yield word, f"runs {plain}"


def _django(tree: Tree, path: str) -> Found:
    """Texts in what is assigned to DATABASES: an engine's dotted name, or a URL as a default."""
    if "DATABASES" not in tree.read(path):
        return
    for statement in ast.walk(tree.python(path)):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value and _assigns(statement, "DATABASES"):
            constants = [node.value for node in ast.walk(statement.value) if isinstance(node, ast.Constant)]
            for text in (value for value in constants if isinstance(value, str)):
                name = text.rpartition(".")[2]
                word = ENGINES.get(name) if ".db" in text or "backends" in text else engine_of_url(text)
                if word:
                    yield word, f"sets the engine {name}" if "://" not in text else "names it in DATABASES"


def _assigns(statement: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(getattr(target, "id", getattr(getattr(target, "value", None), "id", "")) == name for target in targets)


def _prisma(tree: Tree, path: str) -> Found:
    """`provider` inside a `datasource` block."""
    found = tokens(tree.read(path), SCRIPT)
    inside = False
    for place, token in enumerate(found):
        if token.text == "datasource" and token.kind == "word":
            inside = True
        elif is_mark(token, "}"):
            inside = False
        elif inside and token.text == "provider":
            named = next((later.text for later in found[place + 1 : place + 3] if later.kind == "text"), "")
            if named in ENGINES:
                yield ENGINES[named], f"has the provider {named}"


def _rails(tree: Tree, path: str) -> Found:
    """The adapters of database.yml; what ERB would put in is left out."""
    content = yaml_table(re.sub(r"<%.*?(?:%>|\Z)", "", tree.read(path), flags=re.DOTALL))
    for adapter in dict.fromkeys(str(value) for value in _values(content, "adapter")):
        if adapter in ENGINES:
            yield ENGINES[adapter], f"has the adapter {adapter}"


def _values(content: object, key: str) -> Iterator[object]:
    """What stands under a key, anywhere in nested tables."""
    for name, value in table(content).items():
        if name == key:
            yield value
        elif isinstance(value, dict):
            yield from _values(value, key)


def _spring(tree: Tree, path: str) -> Found:
    """Values of keys that end in url or uri: JDBC, R2DBC, MongoDB, Elasticsearch."""
    text = tree.read(path)
    if path.endswith(".properties"):
        lines = (line.partition("=") for line in text.splitlines() if not line.lstrip().startswith(("#", "!")))
        pairs = [(key.strip(), value.strip()) for key, _, value in lines]
    else:
        pairs = [pair for document in yaml_documents(text) for pair in _leaves(document, "")]
    for key, value in pairs:
        plain = re.sub(r"\$\{[\w.]+:([^}]*)\}?", r"\1", value)
        if key.rpartition(".")[2].lower() in ("url", "uri", "uris", "jdbc-url") and (word := engine_of_url(plain)):
            yield word, f"sets {key}"


def _leaves(content: object, prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table(content).items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            yield from _leaves(value, name)
        elif isinstance(value, str):
            yield name, value


def _environment(tree: Tree, path: str) -> Found:
    """`DATABASE_URL=postgres://…` and `DB_CONNECTION=pgsql` of an example of settings; only the engine is told."""
    for line in tree.read(path).splitlines():
        key, _, value = line.removeprefix("export ").partition("=")
        plain = value.strip().strip("\"'")
        if re.fullmatch(r"\w+", key) and _URL_KEY.search(key):
            word = engine_of_url(plain) or (ENGINES.get(plain) if key == "DB_CONNECTION" else None)
            if word:
                yield word, f"names it in {key}"


def _alembic(tree: Tree, path: str) -> Found:
    url = tree.ini(path).get("alembic", {}).get("sqlalchemy.url", "")
    if word := engine_of_url(url):
        yield word, "sets sqlalchemy.url"


def _script(tree: Tree, path: str) -> Found:
    """`dialect: "postgresql"` and `type: "mysql"` of the settings of Drizzle and TypeORM."""
    found = tokens(tree.read(path), SCRIPT)
    for key, colon, value in zip(found, found[1:], found[2:], strict=False):
        if key.text in ("dialect", "type") and is_mark(colon, ":") and value.kind == "text" and value.text in ENGINES:
            yield ENGINES[value.text], f"has the {key.text} {value.text}"
