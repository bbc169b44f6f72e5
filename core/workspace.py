"""A workspace: the folder with `agents.yaml` and `state/`, opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.contract import ApmError, Json, UsageError
from core.paths import real
from core.places import FILE, why_none
from core.registry.sources import OVERLAYS, Sources, read_sources, replace_file
from core.store.settings import keep_setting, read_setting
from core.store.store import Store

if TYPE_CHECKING:
    from core.governance.team import Imported
    from core.profiles.reading import Profile
    from core.registry.catalog import Catalog
    from core.store.transaction import Transaction

__all__ = ["OVERLAYS", "Workspace", "create"]

DEFAULT_PROFILE = "default"
"""What a workspace begins with where nobody asks for more: the team, and nothing said of anybody's product."""
MODELS_OFF = "models_off"
"""The setting that keeps models from being asked, whatever key the environment holds: a demo's."""
PROFILE = "profile"
"""The setting that says what it began with."""

Team = Literal["current", "as-known", "untouched"]
"""What opening does about the team's files. "current": they are brought in, and broken ones are an error; "as-known":
they are brought in, and where they are broken the team stays as the database has it; "untouched": nothing."""


@dataclass
class Workspace:
    """One open workspace. Close it, or use it as a context manager."""

    folder: Path
    store: Store
    fault: ApmError | None = None
    """Why the team's files could not be brought in, in a workspace that was opened with the team as known."""
    _catalog: Catalog | None = field(default=None, repr=False)
    _closed: bool = field(default=False, repr=False)

    @classmethod
    def open(cls, folder: Path, team: Team = "current") -> Workspace:
        """Open an existing workspace and bring its registry up to date with `agents.yaml` and its overlays.

        Raises UsageError when the folder is none, CatalogError when a file of the team is broken, StoreError when
        its database cannot serve.
        """
        folder = real(folder)
        if why := why_none(folder):
            raise UsageError(why)
        workspace = cls(folder, Store.open(folder / "state"))
        try:
            workspace._begin(team)
        except BaseException:
            workspace.close()
            raise
        return workspace

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def id(self) -> str:
        """What marks this workspace's processes: stable as long as its journal key is."""
        return hashlib.sha256(self.store.key + b"workspace").hexdigest()[:16]

    @property
    def file(self) -> Path:
        return self.folder / FILE

    @property
    def catalog(self) -> Catalog:
        """The team's files as they were read last. Raises CatalogError when they are broken."""
        if self._catalog is None:
            self._catalog = self.load_team()
        return self._catalog

    @property
    def sections(self) -> Json:
        """What the team's files say beside the agents, as imported last: a broken file changes no rules."""
        from core.registry.importing import read_memory

        found: Json = self.store.read_now(read_memory).get("sections") or self.catalog.sections()
        return found

    @property
    def milestone(self) -> Json:
        """`tag` and `title` of the milestone, as imported last."""
        return dict(self.sections["defaults"]["milestone"])

    @property
    def profile(self) -> str:
        """What the workspace began with."""
        return str(self.setting(PROFILE) or DEFAULT_PROFILE)

    @property
    def cassette(self) -> Path | None:
        """The recorded responses that the replay runtime plays here, if any."""
        value = self.setting("cassette")
        return None if value is None else Path(value)

    @property
    def are_models_off(self) -> bool:
        return bool(self.setting(MODELS_OFF))

    def setting(self, key: str) -> Any:
        """A setting's value; None where it was never set."""
        return self.store.read_now(lambda r: read_setting(r, key))

    def set(self, key: str, value: Any) -> None:
        def put(tx: Transaction) -> None:
            keep_setting(tx, key, value)
            tx.event("setting.changed", key=key)

        self.store.write_now(put)

    def _begin(self, team: Team) -> None:
        if team == "untouched":
            return
        try:
            self.update_registry()
        except ApmError as error:
            from core.registry.documents import DocumentError

            if team == "current" or not isinstance(error, DocumentError):
                raise
            self.fault, digest, why = error, self.digest(), str(error)
            self.store.write_now(lambda tx: self.refuse(tx, digest, why))

    def load_team(self, sources: Sources | None = None) -> Catalog:
        """The catalog that the team's files, or these, describe now. Raises CatalogError when they are broken."""
        # The catalog's schema takes 0.1 s to import, which no start pays for while the files are the same.
        from core.registry.catalog import load, load_sources

        return load(self.file) if sources is None else load_sources(sources)

    def update_registry(self) -> Imported | None:
        """Import the team's files when they are not the ones that were imported last; what that changed."""
        while (digest := self.digest()) is None or digest != self.good_digest():
            self._catalog = catalog = self.load_team()
            imported = self.store.write_now(lambda tx, catalog=catalog: self.bring_in(tx, catalog))  # type: ignore[misc]
            if imported is not None:
                return imported
        return None

    def bring_in(self, tx: Transaction, catalog: Catalog) -> Imported | None:
        """Import a catalog; None, with nothing changed, when the files have become others since it was read.

        Asked inside the transaction: a process that was slow to read must not undo what a quicker one brought in.
        """
        from core.governance.team import import_catalog
        from core.registry.importing import accept

        if self.digest() != catalog.digest:
            return None
        accept(tx)
        return import_catalog(tx, catalog)

    def refuse(self, tx: Transaction, digest: str | None, why: str) -> None:
        """Put on record that the files with this digest are broken; once, however often they are looked at."""
        from core.registry.importing import refuse

        if self.digest() == digest:
            refuse(tx, digest, why)

    def digest(self) -> str | None:
        """Of the team's files as they are now; None when they cannot be read."""
        try:
            return read_sources(self.file).digest
        except OSError:
            return None

    def sources(self, base: bytes | None = None, path: Path | None = None) -> Sources:
        """What the team's files hold now, or would with another `agents.yaml` (from `path`, which errors then name).

        Raises OSError when they cannot be read.
        """
        found = read_sources(self.file)
        return found if base is None else replace(found, base=base, path=path or self.file)

    def imported_digest(self) -> str | None:
        """Of the files that were imported last."""
        from core.registry.importing import read_memory

        return self.store.read_now(read_memory).get("digest")

    def good_digest(self) -> str | None:
        """Of the files that were imported last, unless broken ones have been seen since."""
        from core.registry.importing import read_refused

        return None if self.store.read_now(read_refused) else self.imported_digest()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create(folder: Path, profile: str = DEFAULT_PROFILE) -> Path:
    """A new workspace with the agents that come with apm and what the profile says; the folder.

    An existing one is left as it is. Raises UsageError for an unknown profile, and where `agents.yaml` is no file.
    """
    from core.profiles.reading import read
    from core.registry.catalog import default_path

    chosen = read(profile)
    if (folder / FILE).exists() and (why := why_none(folder)):
        raise UsageError(why)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state", "state/inbox"):
        # Who may write there, answers for a person; whatever the umask says.
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    (folder / "state" / ".gitignore").write_text("*\n", encoding="utf-8")
    target = folder / FILE
    if not target.exists():
        _begin_with(folder, chosen)
        # What makes the folder a workspace comes last: what was stopped before is begun again.
        draft = target.with_suffix(".yaml.new")
        draft.write_bytes(chosen.team(default_path().read_bytes()))
        draft.rename(target)
    return folder


def _begin_with(folder: Path, profile: Profile) -> None:
    """Put the profile's overlays beside the team's file, and its facts into the database."""
    for name, content in profile.overlays.items():
        overlay = folder / name
        overlay.parent.mkdir(exist_ok=True)
        if not overlay.exists():
            replace_file(overlay, content)
    if profile.facts:
        from core.governance.shared_context import checked, keep_facts

        facts, by = checked(profile.facts), f"profile {profile.name}"
        with Workspace(folder, Store.open(folder / "state")) as begun:
            begun.set(PROFILE, profile.name)
            begun.store.write_now(lambda tx: keep_facts(tx, facts, by=by))
