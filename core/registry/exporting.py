"""From the database back to a file that imports to the same rows.

Where there is a file of the same registry already, it is the template: its comments, its order, its quotes and its
block texts stay, and only the values change that differ. What is written has been read back and compared first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from core.contract import ApmError, Json, canonical_json
from core.registry import styling
from core.registry.catalog import SECTIONS, CatalogError, filled
from core.registry.changes import AUTONOMOUS, Known, Pair
from core.registry.columns import FILE_KEYS, KIND_KEYS, file_values
from core.registry.documents import DocumentError, parse
from core.registry.schema import AgentEntry, CatalogFile, Defaults, EscalateFirst
from core.registry.sentences import checked
from core.registry.sources import FILE_NAME
from core.store.rows import AgentRow

ENTRY_KEYS = ("role", *(key for key in FILE_KEYS if key not in ("context", "sop")), "context", "authority", "sop")
"""Keys of an agent's entry in the order in which a new one is written."""
_NEEDED = frozenset(name for name, known in AgentEntry.model_fields.items() if known.is_required())


class NotExpressible(ApmError):
    """What the database holds cannot be said in a file."""


def export(known: Known, sections: Json, template: bytes | None = None, name: str = FILE_NAME) -> str:
    """The text of a file that says what the database holds, with `sections` for what it holds not.

    Raises CatalogError, naming `name`, for a template that is broken; NotExpressible when no file says the same.
    """
    document = _template(template, name) if template is not None else None
    old = document[1] if document else None
    wanted = _wanted(known, sections, document[0] if document else {}, old)
    if document and wanted == document[0]:
        return document[2]
    texts = styling.updated(document[2], document[0], wanted) if document else styling.written(wanted)
    for text in texts:
        if _says(text, known, sections):
            return text
    raise NotExpressible("The registry cannot be written as a file that imports back to the same; please report this.")


def _template(content: bytes, name: str) -> tuple[Json, CatalogFile, str]:
    """A file's data, its model and its text; raises CatalogError when it is broken, or no registry at all."""
    try:
        document = parse(content, name)
    except DocumentError as error:
        raise CatalogError(error.source, error.problems) from None
    if not isinstance(document.data, dict):
        raise CatalogError(name, [document.problem((), "is no registry; export to a name that is not taken")])
    file, problems = checked(document)
    if file is None:
        raise CatalogError(name, problems)
    return document.data, file, content.decode("utf-8-sig")


def _wanted(known: Known, sections: Json, plain: Json, old: CatalogFile | None) -> Json:
    """The file's data as it has to be: the template's, with what differs changed."""
    defaults = Defaults.model_validate_json(canonical_json(sections["defaults"]))
    highest = _highest_autonomous(sections)
    sections, before = _in_order(sections), _sections_of(old)
    entries = {e.role: e for e in old.agents} if old else {}
    written = {entry["role"]: entry for entry in plain.get("agents", ())}
    active = sorted((a for a in known.agents.values() if a.is_active), key=lambda a: a.id)
    by_role = {a.role: a for a in active}
    order = [*(role for role in written if role in by_role), *(a.role for a in active if a.role not in written)]
    wanted: Json = {"version": 1, **{k: v for k, v in plain.items() if k != "agents"}}
    for name, section in sections.items():
        if before.get(name) != section:
            wanted[name] = _updated(plain.get(name), before[name], section) if old else _without_nothing(section)
    wanted["agents"] = [
        _entry(by_role[role], _authority(known, role, highest), written.get(role), entries.get(role), defaults)
        for role in order
    ]
    return wanted


def _sections_of(file: CatalogFile | None) -> Json:
    return file.model_dump(mode="json", by_alias=True, include=set(SECTIONS)) if file else {}


def _in_order(sections: Json) -> Json:
    """The sections with their keys as the schema has them; what was kept as JSON has them by the alphabet."""
    found: Json = {}
    for name in SECTIONS:
        kind: Any = CatalogFile.model_fields[name].annotation
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        found[name] = adapter.dump_python(
            adapter.validate_json(canonical_json(sections[name])), mode="json", by_alias=True
        )
    return found


def _without_nothing(value: Any) -> Any:
    """Without the keys that say null, which is what a key that is left out says."""
    if isinstance(value, Mapping):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def _highest_autonomous(sections: Json) -> int:
    rules = [EscalateFirst.model_validate_json(canonical_json(rule)) for rule in sections["escalate_first"]]
    return min((rule.value or 10 for rule in rules if rule.when == "impact_above"), default=10)


def _entry(
    row: AgentRow,
    authority: Json | None,
    written: Json | None,
    entry: AgentEntry | None,
    defaults: Defaults,
) -> Json:
    """An agent's entry: as it is written where that says the same, else with the keys that differ."""
    wanted = file_values(row)
    if entry is None or written is None:
        written = {"role": row.role, **{key: wanted[key] for key in ENTRY_KEYS if key in _NEEDED and key != "role"}}
        entry = AgentEntry.model_validate_json(canonical_json(written))
    # A change of the defaults is written there, and whoever goes by them goes by the new ones.
    found = file_values(filled(entry, defaults))
    changed = {key: wanted[key] for key in FILE_KEYS if found[key] != wanted[key]}
    if authority is not None and authority != _authority_of(entry):
        changed["authority"] = _updated_authority(written.get("authority") or {}, authority)
    elif authority is None and entry.authority is not None:
        changed["authority"] = None
    if not changed:
        return written
    # Null says what a key that is left out says.
    return _ordered({key: value for key, value in {**written, **changed}.items() if value is not None})


def _ordered(entry: Json) -> Json:
    """Keys that are new are the last; each goes before the first that comes later in a new entry."""
    order = {key: n for n, key in enumerate(ENTRY_KEYS)}
    keys: list[str] = []
    for key in entry:
        later = (n for n, other in enumerate(keys) if order.get(other, 0) > order.get(key, 0))
        keys.insert(next(later, len(keys)), key)
    return {key: entry[key] for key in keys}


def _authority(known: Known, role: str, highest: int) -> Json | None:
    """The lists of a domain agent by the authority in force; None for any other agent."""
    if known.agents[role].agent_type != "domain":
        return None
    lists: dict[str, list[Json]] = {"autonomous": [], "escalate": []}
    for pair, kind in known.kinds.items():
        if pair[0] == role and kind.columns["is_active"]:
            mode = "autonomous" if _is_autonomous(known, pair, highest) else "escalate"
            lists[mode].append({"key": pair[1], **{key: kind.columns[key] for key in KIND_KEYS}})
    return dict(lists)


def _is_autonomous(known: Known, pair: Pair, highest: int) -> bool:
    """In force as autonomous, and not above what always escalates, where a file may not list it so."""
    grant, kind = known.grants.get(pair), known.kinds[pair].columns
    return grant is not None and grant.mode == AUTONOMOUS and not kind["ceiling"] and kind["impact"] <= highest


def _authority_of(entry: AgentEntry) -> Json | None:
    """An entry's lists, each kind with its defaults."""
    return None if entry.authority is None else entry.authority.model_dump(mode="json")


def _updated_authority(written: Json, wanted: Json) -> Json:
    """The lists as written, kinds that stay in their places, those that move or are new behind them."""
    known = {kind["key"]: kind for kinds in written.values() for kind in kinds or ()}
    lists: Json = {}
    for mode, kinds in wanted.items():
        now = {kind["key"]: kind for kind in kinds}
        stays = [kind["key"] for kind in written.get(mode) or () if kind["key"] in now]
        lists[mode] = [_kind(known.get(key), now[key]) for key in (*stays, *(k for k in now if k not in stays))]
    return lists


def _kind(written: Json | None, wanted: Json) -> Json:
    usual = {"reversible": True, "ceiling": None}
    if written is None:
        return {k: v for k, v in wanted.items() if k not in usual or v != usual[k]}
    merged = {**written, **{k: v for k, v in wanted.items() if {**usual, **written}.get(k) != v}}
    return {k: v for k, v in merged.items() if v is not None}


def _updated(plain: Any, old: Any, new: Any) -> Any:
    """`plain`, which says `old` once its defaults are written out, changed to say `new`."""
    if old == new:
        return plain
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        kept = {k: v for k, v in (plain or {}).items() if k in new}
        changed = {k: _updated(kept.get(k), old.get(k), v) for k, v in new.items() if old.get(k) != v or k not in old}
        return {**kept, **changed}
    if _has_ids(new) and _has_ids(old) and isinstance(plain, list):
        before, written = _by_id(old), _by_id(plain)
        return [_updated(written[v["id"]], before[v["id"]], v) if v["id"] in before else v for v in new]
    return new


def _has_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, Mapping) and "id" in v for v in value)


def _by_id(rules: Iterable[Json]) -> dict[str, Json]:
    return {rule["id"]: rule for rule in rules}


def _says(text: str, known: Known, sections: Json) -> bool:
    """Whether a file with this text imports to what the database holds."""
    try:
        document = parse(text.encode(), FILE_NAME)
    except DocumentError:
        return False
    file, _ = checked(document)
    if file is None or _sections_of(file) != sections:
        return False
    found = {entry.role: entry for entry in file.agents}
    active = {role: row for role, row in known.agents.items() if row.is_active}
    highest = _highest_autonomous(sections)
    return found.keys() == active.keys() and all(
        file_values(filled(found[role], file.defaults)) == file_values(row)
        and _same_authority(_authority_of(found[role]), _authority(known, role, highest))
        for role, row in active.items()
    )


def _same_authority(one: Json | None, other: Json | None) -> bool:
    """Whether both have the same kinds on the same lists; their order means nothing."""

    def sets(lists: Json | None) -> dict[str, dict[str, Json]]:
        return {mode: {kind["key"]: kind for kind in kinds} for mode, kinds in (lists or {}).items()}

    return (one is None) == (other is None) and sets(one) == sets(other)
