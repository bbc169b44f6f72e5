"""One work item on its way: request → master.route → phase → delegations → gate → artifact → master.route → …

A drive goes as far as it can and then ends: at the end of the way, at a question that waits for a human, at a pause.
Going on means driving again; what the journal holds is passed through in no time, and nothing of it is done twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.agents.bench import Bench
from core.contract import ApmError, Json
from core.orchestration import master, merging, outcomes, retracing
from core.orchestration.delegating import Delegator
from core.orchestration.executions import Executions
from core.orchestration.gatekeeping import unproven
from core.orchestration.journal import Journal
from core.orchestration.lease import HeldStore, LeaseLost
from core.orchestration.live import Live
from core.orchestration.phase_runner import PhaseRunner
from core.orchestration.position import Position, journal_facts
from core.orchestration.providers import Providers
from core.orchestration.reloading import Team
from core.orchestration.requests import PhaseContext
from core.orchestration.standing import News, Parked, Roster, Standing
from core.phases import PHASE_BY_CODE, PhaseSpec
from core.projects import git, worktrees
from core.projects.governing import governing, governs
from core.projects.own_work import own_base
from core.projects.preparation import prepare
from core.registry.catalog import Catalog
from core.runtimes.base import Runtime
from core.sanitise import one_line
from core.store import rows
from core.store.database import StoreError
from core.store.rows import PhaseRunRow
from core.store.transaction import Transaction

logger = logging.getLogger(__name__)

PREPARED = ("I1", "R1", "O1")
"""The phases that run a project's code, and so need what its setup makes."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What every drive of an engine shares. The locks are one a project: one release, one setup at a time."""

    store: HeldStore
    state: Path
    team: Team
    runtimes: Mapping[str, Runtime]
    live: Live
    news: News
    roster: Roster
    providers: Providers
    executions: Executions = field(default_factory=Executions)
    release_locks: dict[int, asyncio.Lock] = field(default_factory=dict)
    setup_locks: dict[int, asyncio.Lock] = field(default_factory=dict)

    @property
    def catalog(self) -> Catalog:
        """The team as it is now; what has begun keeps the one that it was given."""
        return self.team.catalog


class Drive:
    """Drives one work item. `run` ends when nothing more can be done without a human, or at all."""

    def __init__(self, equipment: Equipment, work_item: int) -> None:
        self._eq, self._id = equipment, work_item
        self._held: asyncio.Lock | None = None
        self.waits_for: frozenset[int] = frozenset()
        """The questions at which it was parked in the middle of a phase."""
        self.rest_seconds = 0.0
        """How long there is no use in driving it, because a provider that it needs takes no calls."""
        self._tree: worktrees.Worktree | None = None
        self._folders: tuple[Path, Path] | None = None
        """Where its project's releases lie, and its own scratch, once they are there."""
        self._standing = Standing(equipment.store, equipment.news, work_item)

    async def run(self) -> None:
        try:
            with self._eq.news.followed(self._id):
                while await self._advance():
                    pass
        except Parked as parked:
            self.waits_for, self.rest_seconds = parked.waits_for, parked.rest_seconds
        finally:
            self._let_others_release()

    async def _advance(self) -> bool:
        """One phase further; False when the work item has to stand still."""
        position = await self._standing.position()
        run = position.run
        if position.is_over or position.facts.paused_at is not None or position.facts.accepted_at is None:
            return False
        if run is not None and run.outcome in ("blocked", "failed"):
            if position.holds_back(run.phase):
                return False
            mend = outcomes.what_to_mend(position, run)
            position, run = await self._open(position, run.phase, run.input_digest, mend)
        if run is None or run.outcome == "passed":
            if run is not None and run.phase == position.facts.until:
                return False
            opened = await self._next(position)
            if opened is None:
                return False
            position, run = opened
        return await self._phase(position, run)

    async def _next(self, position: Position) -> tuple[Position, PhaseRunRow] | None:
        """Open the phase that the newest artifact is routed to; None when the way has ended."""
        newest = position.newest
        if newest.type == "release.deployed":
            if position.holds_back("E1") or not await self._has_telemetry(position):
                return None
            position = await self._standing.position()
            newest = position.newest
        phase = _leads_to(position)
        return None if phase is None else await self._open(position, phase, newest.digest, [])

    def _enter_next(self, tx: Transaction, position: Position) -> Position:
        """Begin the next phase in the transaction that has passed the one before, where nothing is in the way."""
        facts, run, newest = position.facts, position.run, position.newest
        phase = None if newest.type == "release.deployed" else _leads_to(position)
        if phase is None or run is None or run.phase == facts.until or facts.paused_at is not None:
            return position
        return position.entered(outcomes.open_run(tx, self._id, phase, position.rounds(phase) + 1, newest.digest, []))

    async def _open(
        self, position: Position, phase: str, digest: str, missing: list[str]
    ) -> tuple[Position, PhaseRunRow]:
        round_, is_first = position.rounds(phase) + 1, position.facts.started_at is None
        run = await self._eq.store.write(
            lambda tx: outcomes.open_run(tx, self._id, phase, round_, digest, missing, is_first=is_first)
        )
        entered = position.entered(run)
        self._standing.moved(entered)
        return entered, run

    async def _phase(self, position: Position, run: PhaseRunRow) -> bool:
        spec = PHASE_BY_CODE[run.phase]
        if run.phase not in ("R1", "O1"):
            self._let_others_release()
        try:
            if spec.code == "O1" and not await self._ready_to_release(position, run):
                return True
            went_on = await self._run_phase(position, run)
        except (StoreError, LeaseLost, Parked):
            # No fault of the work: the engine tries again after a rest, and nobody has to answer for it.
            raise
        except Exception as error:
            await self._fail(spec, run, error)
            return False
        if went_on and run.phase == "O1":
            self._let_others_release()
        return went_on

    async def _fail(self, spec: PhaseSpec, run: PhaseRunRow, error: Exception) -> None:
        """End the round and ask, whatever went wrong: a fault of the program would only repeat itself in silence."""
        why = self._told(spec.code, error)
        await self._eq.store.write(lambda tx: outcomes.fail_run(tx, spec, run, why))

    async def _has_telemetry(self, position: Position) -> bool:
        """Collect what E1 reads; False when a person has been asked because it cannot be collected."""
        try:
            await self._collect_telemetry(position)
        except (StoreError, LeaseLost, Parked):
            raise
        except Exception as error:
            why = self._told("telemetry", error)
            await self._eq.store.write(lambda tx: outcomes.telemetry_failed(tx, self._id, why))
            return False
        return True

    def _told(self, what: str, error: Exception) -> str:
        """An error as a person reads it; a fault of the program goes to the log in full."""
        if isinstance(error, ApmError):
            return str(error)
        logger.error("work item %s: %s broke off", self._id, what, exc_info=error)
        return one_line(f"{type(error).__name__}: {error}", 500)

    async def _run_phase(self, position: Position, run: PhaseRunRow) -> bool:
        bench, project = await self._bench(position)
        if project is not None and run.phase in PREPARED:
            await self._prepare(project, bench)
        context = await self._context(position, run, project)
        delegator = Delegator(
            store=self._eq.store,
            catalog=self._eq.catalog,
            runtimes=self._eq.runtimes,
            live=self._eq.live,
            roster=self._eq.roster,
            standing=self._standing,
            position=position,
            context=context,
            bench=bench,
            home=self._eq.state.parent,
            executions=self._eq.executions,
            providers=self._eq.providers,
        )
        return await PhaseRunner(
            self._eq.store, self._eq.catalog, delegator, context, self._standing, self._enter_next
        ).run()

    async def _prepare(self, project: Json, bench: Bench) -> None:
        """Run the project's setup once in this worktree; the environment it may make is shared, so one at a time."""
        async with self._eq.setup_locks.setdefault(project["id"], asyncio.Lock()):
            commands = await prepare(project, bench.tree(), bench.scratch)
        if commands:
            await self._eq.store.write(lambda tx: outcomes.note_commands(tx, self._id, commands))

    def _let_others_release(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None

    async def _bench(self, position: Position) -> tuple[Bench, Json | None]:
        """The folders of this work item, its worktree made or mended, and its project as agents are told of it."""
        facts, project = position.facts, position.project
        name = project.name if project else "no-project"
        if self._folders is None:
            self._folders = self._eq.state / "releases" / name, self._eq.state / "scratch" / str(self._id)
            for folder in self._folders:
                folder.mkdir(parents=True, exist_ok=True)
        releases, scratch = self._folders
        if project is None:
            return Bench(None, releases, scratch), None
        if not Path(project.path).is_dir():
            raise ApmError(
                f"The project {name} is not at {project.path} any more. Put it back, or say where it is now with "
                f"`apm project set {name} --path DIR`; then try again."
            )
        home = self._eq.state / "worktrees" / name
        tree = self._tree
        if tree is None or not (tree.path / ".git").exists():
            tree = await worktrees.ensure(Path(project.path), home, self._id, facts.title, project.target)
            if facts.branch is None:
                await self._refuse_anothers(project, tree)
            self._tree = tree
        on = await git.current_branch(tree.path)
        if on != tree.branch:
            # What is judged there and what would be released must be the same thing.
            raise ApmError(
                f"{tree.path} has {on or 'a commit without a branch'} checked out instead of {tree.branch}. "
                f"Bring your commits onto {tree.branch} there, then try again."
            )
        if (facts.branch, facts.base_commit) != (tree.branch, tree.base_commit):
            await self._eq.store.write(lambda tx: outcomes.note_branch(tx, self._id, tree.branch, tree.base_commit))
        told: Json = {
            "id": project.id,
            "name": project.name,
            "path": project.path,
            "target": project.target,
            "branch": tree.branch,
            "base_commit": tree.base_commit,
            "settings": project.settings,
            "tech": project.tech,
            "environment": str(self._eq.state / "environments" / name),
        }
        return Bench(tree.path, releases, scratch), told

    async def _context(self, position: Position, run: PhaseRunRow, project: Json | None) -> PhaseContext:
        ready, gates = position.newest_of("workitem.ready"), position.gates
        incoming, written = await self._standing.content(position.artifact(run.input_digest))
        defined = {} if ready is None else (await self._standing.content(ready))[0]
        journal = await self._eq.store.read(lambda r: journal_facts(r, position)) if run.phase == "E1" else None
        attempt, began = outcomes.attempt(position, run)
        return PhaseContext(
            spec=PHASE_BY_CODE[run.phase],
            run=run,
            position=position,
            incoming=incoming,
            written=written,
            criteria=defined.get("acceptance_criteria", []),
            risks=defined.get("risks", []),
            project=project,
            reviewed_commit=outcomes.judged_commit(gates, "R1", passed_only=True),
            attempt=attempt,
            first_round=began.round,
            judged_commit=outcomes.judged_commit([g for g in gates if g.at <= began.started_at], "I1", "R1"),
            unproven=unproven(gates, run.phase),
            journal=journal,
        )

    async def _ready_to_release(self, position: Position, run: PhaseRunRow) -> bool:
        """Whether what R1 judged is what would be released now; if not, R1 is opened again on what is there.

        One release of a project at a time: from here to the end of O1 the project's lock is held, so that the
        target cannot move under a branch that has just been judged on top of it.
        """
        project = position.project
        if project is None:
            raise ApmError(f"Work item {self._id} has no project, so there is nothing to release it into.")
        if self._held is None:
            lock = self._eq.release_locks.setdefault(project.id, asyncio.Lock())
            await lock.acquire()
            self._held = lock
        bench, told = await self._bench(position)
        reviewed, tree = outcomes.judged_commit(position.gates, "R1", passed_only=True), bench.tree()
        if told is None or reviewed is None:
            raise ApmError(f"Work item {self._id} was never reviewed, so it cannot be released.")
        await merging.undo_killed_merge(bench, told)
        await self._refuse_uncommitted(tree, position.journal, run.round)
        await self._refuse_own_team(tree, project, told)
        own = outcomes.release_commits(position.journal)
        own |= await self._left_by_kill(position, run, bench, told, own)
        if await outcomes.is_released_from(tree, Path(project.path), project.target, reviewed, own):
            return True
        conflicts = await merging.merge_in(bench, project.target)
        if conflicts:
            raise ApmError(
                f"{project.target} has moved and does not merge into {told['branch']}: {', '.join(conflicts[:10])} "
                f"conflict. Merge {project.target} into the branch in {tree}, commit, then try again."
            )
        bundle = position.newest_of("build.bundle")
        if bundle is None:
            raise ApmError(f"Work item {self._id} has no build to review again.")
        await self._eq.store.write(
            lambda tx: outcomes.review_again(tx, self._id, run, position.rounds("R1") + 1, bundle.digest)
        )
        return False

    async def _left_by_kill(
        self, position: Position, run: PhaseRunRow, bench: Bench, project: Json, own: frozenset[str]
    ) -> frozenset[str]:
        """The commit that an agent of this round made before it was killed, and that is on no record for that."""
        agent = await self._eq.store.read(lambda r: retracing.begun_agent(r, position.journal, run))
        if agent is None:
            return frozenset()
        context = await self._context(position, run, project)
        found = await retracing.left_commit(agent, context, bench, own)
        return frozenset() if found is None else frozenset({found})

    async def _refuse_anothers(self, project: rows.ProjectRow, tree: worktrees.Worktree) -> None:
        """A work item that has not begun owns no commits: a branch of its number that has some is somebody else's."""
        if not await git.commits(tree.path, tree.base_commit, "HEAD", limit=1):
            return
        if not await worktrees.holds_changes(tree.path):
            await worktrees.remove(Path(project.path), tree, delete_branch=False)
        raise ApmError(
            f"{project.name} has a branch {tree.branch} with commits that are not of this work item: another workspace "
            f"made it. Rename it (git branch -m {tree.branch} kept/{tree.branch}) or delete it, then try again."
        )

    async def _refuse_uncommitted(self, tree: Path, journal: Journal, round_: int) -> None:
        """Before a release is begun, nothing may lie in the worktree that it would leave behind.

        Once it is begun, what lies there is the half-done work of its own agents, who clear it away themselves.
        """
        if any((key.phase, key.round) == ("O1", round_) for key in journal.intended):
            return
        left = await git.status(tree)
        if left:
            names = ", ".join(path for _, path in left[:10])
            raise ApmError(
                f"{tree} holds changes that are not committed ({names}), and what is released is what is committed. "
                "Commit or discard them there, then try again."
            )

    async def _refuse_own_team(self, tree: Path, project: rows.ProjectRow, told: Json) -> None:
        """Who may decide what here is for people to say, and not for what is released here."""
        changed = [path for _, path in await git.changed_files(tree, await own_base(tree, told))]
        names = governing(Path(project.path), self._eq.state.parent)
        own = [path for path in changed if governs(path, names)]
        if own:
            raise ApmError(
                f"The branch changes {one_line(', '.join(own[:10]), 1_000)}, which says who may decide what here, or "
                "what that may cost. Take it out of the branch, and make the change yourself if you want it."
            )

    async def _collect_telemetry(self, position: Position) -> None:
        from core.agents.telemetry import collect

        bench, told = await self._bench(position)
        context: Json = {
            "work_item": {"id": self._id, "title": position.facts.title, "type": position.facts.type},
            "journal": await self._eq.store.read(lambda r: journal_facts(r, position)),
        }
        if told is not None:
            context["project"] = told
        with self._eq.live.delegation(self._id, "E1", "signal-harvester", ""):
            content = await collect(context, bench)
        snapshot = outcomes.snapshot_of(content, position.newest.digest)
        kept = await self._eq.store.write(lambda tx: outcomes.keep_telemetry(tx, self._id, snapshot))
        self._standing.collected(position, kept)


def _leads_to(position: Position) -> str | None:
    """The phase that the newest artifact is routed to; None where the way has ended, or a question holds it back."""
    if position.newest.type == "evolution.backlog_delta":
        return None
    phase = master.route(position.newest.type).phase
    return None if position.holds_back(phase) else phase
