"""Tables of the work itself: the journal, the registry, work items and what their phases leave.

Times are integers, milliseconds since the epoch, UTC. JSON columns hold canonical JSON text. A `*_at` column is a
fact that happened once; states are derived from such facts when read (`core.store.states`) and stored nowhere.
"""

from __future__ import annotations

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class Event(Model):
    """One state change: numbered without gaps, carrying whole facts, chained by HMAC to the one before."""

    seq = AutoField()
    at = BigIntegerField()
    kind = CharField(64)
    work_item = IntegerField(null=True)
    payload = TextField()
    mac = BlobField()

    class Meta:
        table_name = "events"
        indexes = ((("work_item", "seq"), False),)


class ChainHead(Model):
    """The last event's number and mac, kept apart from the events so that a cut tail shows, and signed, so that the
    head is not moved along with the cut (`core.store.chain.head_signature`)."""

    id = IntegerField(primary_key=True)
    seq = IntegerField()
    mac = BlobField()
    signature = BlobField(null=True)

    class Meta:
        table_name = "chain_head"


class Setting(Model):
    """A workspace's own settings: theme, keys, limits, budgets, saved filters."""

    key = CharField(128, primary_key=True)
    value = TextField()

    class Meta:
        table_name = "settings"


class Project(Model):
    id = AutoField()
    name = CharField(128, unique=True)
    path = TextField()
    target = CharField(255)
    tech = TextField()
    settings = TextField()
    thresholds = TextField(default="{}")
    """Thresholds of this project: {criterion: {"value", "by", "reason", "at"}}."""
    created_at = BigIntegerField()
    removed_at = BigIntegerField(null=True)

    class Meta:
        table_name = "projects"


class Agent(Model):
    id = AutoField()
    role = CharField(64, unique=True)
    display_name = CharField(128)
    description = TextField()
    agent_type = CharField(16)
    tier = IntegerField()
    phase = CharField(2, null=True)
    capabilities = TextField()
    sop_content = TextField()
    sop_digest = CharField(64)
    runtime = CharField(32)
    model = CharField(128, null=True)
    outward = BooleanField(default=False)
    parameters = TextField(default="{}")
    origin = TextField(default="")
    file_path = TextField(null=True)
    generated_at = BigIntegerField(null=True)
    is_active = BooleanField(default=True)
    technologies = TextField(default="[]")
    serves = TextField(default="[]")
    """Roles of the phases that this specialist stands in for."""
    selection = TextField(default="{}")
    """What a project must hold for this agent to be chosen, by category; {} for never by itself."""
    tools = TextField(default="[]")
    skill = BooleanField(default=False)

    class Meta:
        table_name = "agents"
        indexes = ((("phase",), False),)


class DecisionKind(Model):
    """A kind of decision that a domain agent owns."""

    id = AutoField()
    agent = CharField(64)
    key = CharField(64)
    title = TextField()
    impact = IntegerField()
    reversible = BooleanField()
    ceiling = CharField(16, null=True)
    """"escalate" where no record ever lifts it to autonomous."""
    is_active = BooleanField(default=True)

    class Meta:
        table_name = "decision_kinds"
        indexes = ((("agent", "key"), True),)


class Authority(Model):
    """One grant of authority. The newest row of an agent and kind is in force; none is ever changed.

    One that `restores` another puts that one in force again as it was; 0 stands for none, as before the first grant.
    """

    id = AutoField()
    agent = CharField(64)
    kind = CharField(64)
    mode = CharField(16)
    at = BigIntegerField()
    by = TextField()
    reason = TextField()
    proposal = IntegerField(null=True)
    restores = IntegerField(null=True)

    class Meta:
        table_name = "authority"
        indexes = ((("agent", "kind", "id"), False),)


class WorkItem(Model):
    id = AutoField()
    project = ForeignKeyField(Project, null=True, index=True)
    title = TextField()
    type = CharField(16)
    tags = TextField(default="[]")
    impact = IntegerField(null=True)
    origin = CharField(16)
    """"human", "evolution" or "demo": who asked for it."""
    parent = IntegerField(null=True)
    created_at = BigIntegerField()
    accepted_at = BigIntegerField(null=True)
    started_at = BigIntegerField(null=True)
    paused_at = BigIntegerField(null=True)
    released_at = BigIntegerField(null=True)
    closed_at = BigIntegerField(null=True)
    failed_at = BigIntegerField(null=True)
    cancelled_at = BigIntegerField(null=True)
    branch = TextField(null=True)
    base_commit = CharField(64, null=True)
    until = CharField(2, null=True)
    """The phase after which it stops, when a person asked for that."""

    class Meta:
        table_name = "work_items"
        indexes = ((("closed_at", "id"), False),)


class Artifact(Model):
    id = AutoField()
    work_item = ForeignKeyField(WorkItem, index=False)
    type = CharField(32)
    digest = CharField(64)
    parent = CharField(64, null=True)
    producer = CharField(64)
    content = TextField()
    at = BigIntegerField()

    class Meta:
        table_name = "artifacts"
        indexes = ((("work_item", "id"), False),)


class PhaseRun(Model):
    """One round of one phase of a work item: opened once, ended once."""

    id = AutoField()
    work_item = ForeignKeyField(WorkItem, index=False)
    phase = CharField(2)
    round = IntegerField()
    input_digest = CharField(64)
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)
    outcome = CharField(16, null=True)
    """"passed", "blocked", "sent_back", "failed" or "void"."""
    missing = TextField(default="[]")
    """What sent the work here again: the list the round is to mend."""

    class Meta:
        table_name = "phase_runs"
        indexes = ((("work_item", "phase", "round"), True),)


class Delegation(Model):
    """The journal's index: one recorded delegation. Request and response stand in the event `event`."""

    id = AutoField()
    work_item = IntegerField()
    phase = CharField(2)
    round = IntegerField()
    agent = CharField(64)
    subject = CharField(32)
    status = CharField(8)
    runtime = CharField(32)
    request_digest = CharField(32)
    at = BigIntegerField()
    milliseconds = IntegerField()
    event = IntegerField()

    class Meta:
        table_name = "delegations"
        indexes = ((("work_item", "phase", "round", "agent", "subject"), True),)


class Turn(Model):
    """One step of a delegation that a model executes, kept while it runs: what it said, what a tool gave.

    The content stands in the event `event`. `number` counts from 1 within the delegation.
    """

    id = AutoField()
    work_item = IntegerField()
    phase = CharField(2)
    round = IntegerField()
    agent = CharField(64)
    subject = CharField(32)
    number = IntegerField()
    kind = CharField(16)
    request_digest = CharField(32)
    at = BigIntegerField()
    event = IntegerField()

    class Meta:
        table_name = "turns"
        indexes = ((("work_item", "phase", "round", "agent", "subject", "number"), True),)


class Intent(Model):
    """Written before an agent acts outward; settled by the delegation that records what it did."""

    id = AutoField()
    work_item = IntegerField()
    phase = CharField(2)
    round = IntegerField()
    agent = CharField(64)
    subject = CharField(32)
    at = BigIntegerField()

    class Meta:
        table_name = "intents"
        indexes = ((("work_item", "phase", "round", "agent", "subject"), True),)


class GateResult(Model):
    id = AutoField()
    work_item = ForeignKeyField(WorkItem, index=False)
    phase = CharField(2)
    round = IntegerField()
    passed = BooleanField()
    criteria = TextField()
    missing = TextField()
    suggested_action = TextField()
    judged = TextField()
    """What was judged: {"request": digest, "delegation": number, "commit": …}. The pass is void when one changes."""
    at = BigIntegerField()

    class Meta:
        table_name = "gate_results"
        indexes = ((("work_item", "phase", "round"), True),)


class Evidence(Model):
    """One command that was run and what it gave."""

    id = AutoField()
    work_item = IntegerField(null=True)
    delegation = IntegerField(null=True)
    agent = CharField(64)
    command = TextField()
    cwd = TextField()
    exit_code = IntegerField(null=True)
    output_digest = CharField(64)
    output_tail = TextField()
    tool = CharField(64)
    tool_version = CharField(64)
    note = TextField(default="")
    timed_out = BooleanField(default=False)
    at = BigIntegerField()
    milliseconds = IntegerField()

    class Meta:
        table_name = "evidence"
        indexes = ((("work_item", "id"), False), (("delegation",), False))


class Schedule(Model):
    """A recurring duty and when it is next due; claimed in the transaction that acts on it."""

    name = CharField(64, primary_key=True)
    trigger = TextField()
    next_at = BigIntegerField(null=True)
    last_at = BigIntegerField(null=True)
    error = TextField(default="")
    """Why the last run failed; empty when it did not."""

    class Meta:
        table_name = "schedules"


class InboxFile(Model):
    """A decisions file that was read, by digest, so that none is applied twice."""

    id = AutoField()
    name = TextField()
    digest = CharField(64, unique=True)
    outcome = CharField(16)
    reasons = TextField(default="[]")
    at = BigIntegerField()

    class Meta:
        table_name = "inbox_files"


class Lease(Model):
    """Who drives this workspace. `fence` grows with each change of hands; a holder with an older one must stop."""

    name = CharField(32, primary_key=True)
    holder = CharField(64)
    pid = IntegerField()
    fence = IntegerField()
    heartbeat_at = BigIntegerField()
    live = TextField(default="{}")
    """What runs at this moment, for other processes' screens: {"work_items": […], "delegations": […]}."""

    class Meta:
        table_name = "leases"


class Counter(Model):
    """Runs and time of an agent per day, kept by the journal: what the tier tree counts."""

    agent = CharField(64)
    day = IntegerField()
    runs = IntegerField(default=0)
    failures = IntegerField(default=0)
    milliseconds = BigIntegerField(default=0)
    tokens = BigIntegerField(default=0)
    cost = FloatField(default=0.0)
    last_at = BigIntegerField(default=0)

    class Meta:
        table_name = "counters"
        primary_key = CompositeKey("agent", "day")
