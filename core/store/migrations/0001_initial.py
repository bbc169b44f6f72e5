"""The first schema. A frozen copy of the tables as they were, independent of today's models."""

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
    id = IntegerField(primary_key=True)
    seq = IntegerField()
    mac = BlobField()

    class Meta:
        table_name = "chain_head"


class Setting(Model):
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
    last_used_at = BigIntegerField(null=True)

    class Meta:
        table_name = "agents"
        indexes = ((("phase",), False),)


class DecisionKind(Model):
    id = AutoField()
    agent = CharField(64)
    key = CharField(64)
    title = TextField()
    impact = IntegerField()
    reversible = BooleanField()
    ceiling = CharField(16, null=True)

    is_active = BooleanField(default=True)

    class Meta:
        table_name = "decision_kinds"
        indexes = ((("agent", "key"), True),)


class Authority(Model):
    id = AutoField()
    agent = CharField(64)
    kind = CharField(64)
    mode = CharField(16)
    at = BigIntegerField()
    by = TextField()
    reason = TextField()
    proposal = IntegerField(null=True)

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
    id = AutoField()
    work_item = ForeignKeyField(WorkItem, index=False)
    phase = CharField(2)
    round = IntegerField()
    input_digest = CharField(64)
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)
    outcome = CharField(16, null=True)

    missing = TextField(default="[]")

    class Meta:
        table_name = "phase_runs"
        indexes = ((("work_item", "phase", "round"), True),)


class Delegation(Model):
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


class Intent(Model):
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
    at = BigIntegerField()

    class Meta:
        table_name = "gate_results"
        indexes = ((("work_item", "phase", "round"), True),)


class Evidence(Model):
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


class Escalation(Model):
    id = AutoField()
    kind = CharField(16)
    key = CharField(64)
    question = TextField()
    details = TextField(default="{}")
    urgency = CharField(16)
    work_item = IntegerField(null=True)
    phase = CharField(2, null=True)
    round = IntegerField(null=True)
    blocks = CharField(64, default="")
    chain = TextField()
    missing = TextField(default="[]")
    options = TextField()
    recommended = CharField(64, null=True)
    payload_digest = CharField(64)
    count = IntegerField(default=1)
    raised_at = BigIntegerField()
    last_raised_at = BigIntegerField()
    due_at = BigIntegerField(null=True)
    acknowledged_at = BigIntegerField(null=True)
    acknowledged_until = BigIntegerField(null=True)
    acknowledged_by = TextField(null=True)
    snoozed_until = BigIntegerField(null=True)
    assigned_to = TextField(null=True)
    merged_into = IntegerField(null=True)
    reminders = IntegerField(default=0)
    reminded_at = BigIntegerField(null=True)
    resolved_at = BigIntegerField(null=True)
    withdrawn_at = BigIntegerField(null=True)
    expired_at = BigIntegerField(null=True)

    class Meta:
        table_name = "escalations"
        indexes = (
            (("resolved_at", "withdrawn_at", "expired_at", "urgency", "due_at"), False),
            (("key", "id"), False),
            (("work_item", "id"), False),
        )


class Answer(Model):
    id = AutoField()
    escalation = ForeignKeyField(Escalation, index=True)
    option = CharField(64)
    answer = TextField()
    reason = TextField()
    by = TextField()
    provenance = CharField(16)

    payload_digest = CharField(64)
    seconds_to_answer = FloatField(null=True)
    late = BooleanField(default=False)
    at = BigIntegerField()
    undone_at = BigIntegerField(null=True)

    class Meta:
        table_name = "answers"


class Decision(Model):
    id = AutoField()
    agent = CharField(64)
    kind = CharField(64)
    question = TextField()
    choice = CharField(64, null=True)
    options = TextField(default="[]")
    recommended = CharField(64, null=True)
    impact = IntegerField()
    tags = TextField(default="[]")
    outcome = CharField(16)

    rule = TextField()
    provenance = CharField(16, null=True)
    authority = IntegerField(null=True)
    cohort = CharField(64, default="")
    escalation = IntegerField(null=True)
    work_item = IntegerField(null=True)
    phase = CharField(2, null=True)
    context = TextField(default="{}")
    key = CharField(64, default="")
    at = BigIntegerField()
    decided_at = BigIntegerField(null=True)
    reverted_at = BigIntegerField(null=True)
    reverted_by = TextField(null=True)
    revert_reason = TextField(null=True)

    class Meta:
        table_name = "decisions"
        indexes = (
            (("agent", "kind", "id"), False),
            (("work_item", "id"), False),
            (("key",), False),
            (("escalation",), False),
        )


class Conflict(Model):
    id = AutoField()
    first = CharField(64)
    second = CharField(64)
    topic = TextField()
    positions = TextField(default="{}")
    impact = IntegerField()
    tags = TextField(default="[]")
    outcome = CharField(16)
    winner = CharField(64, null=True)
    rule = TextField()
    urgency = CharField(16, null=True)
    escalation = IntegerField(null=True)
    work_item = IntegerField(null=True)
    at = BigIntegerField()
    resolved_at = BigIntegerField(null=True)

    class Meta:
        table_name = "conflicts"


class ScopeReview(Model):
    id = AutoField()
    at = BigIntegerField()
    window_from = BigIntegerField()
    requested_by = TextField()
    package = TextField()

    class Meta:
        table_name = "scope_reviews"


class ScopeProposal(Model):
    id = AutoField()
    review = ForeignKeyField(ScopeReview, null=True, index=True)
    agent = CharField(64)
    kind = CharField(64)
    change = CharField(16)

    n = IntegerField()
    accepted = IntegerField()
    lower_bound = FloatField(null=True)
    hours_saved_per_week = FloatField(null=True)
    risk = CharField(16)
    recommendation = CharField(16)
    analysis = TextField(default="{}")
    cohort = CharField(64, default="")
    payload_digest = CharField(64)
    at = BigIntegerField()
    decided_at = BigIntegerField(null=True)
    decision = CharField(16, null=True)
    decided_by = TextField(null=True)
    reason = TextField(null=True)
    cool_down_until = BigIntegerField(null=True)

    class Meta:
        table_name = "scope_proposals"
        indexes = ((("agent", "kind", "id"), False),)


class Briefing(Model):
    id = AutoField()
    at = BigIntegerField()
    date = CharField(10)
    content = TextField()
    sent_at = BigIntegerField(null=True)

    class Meta:
        table_name = "briefings"


class Notification(Model):
    id = AutoField()
    key = CharField(64)
    channel = CharField(64)
    subject = TextField()
    body = TextField()
    escalation = IntegerField(null=True)
    at = BigIntegerField()
    attempts = IntegerField(default=0)
    next_try_at = BigIntegerField(null=True)
    outcome = CharField(16, null=True)

    outcome_at = BigIntegerField(null=True)
    error = TextField(null=True)

    class Meta:
        table_name = "notifications"
        indexes = ((("key", "channel"), True), (("outcome", "next_try_at"), False))


class Spend(Model):
    id = AutoField()
    work_item = IntegerField(null=True)
    phase = CharField(2, null=True)
    agent = CharField(64)
    subject = CharField(32)
    reserved_cost = FloatField()
    reserved_tokens = BigIntegerField()
    cost = FloatField(null=True)
    tokens = BigIntegerField(null=True)
    at = BigIntegerField()
    settled_at = BigIntegerField(null=True)

    class Meta:
        table_name = "spend"
        indexes = ((("work_item", "id"), False), (("at",), False))


class Budget(Model):
    id = AutoField()
    scope = CharField(16)

    work_item = IntegerField(null=True)
    cost = FloatField(null=True)
    tokens = BigIntegerField(null=True)
    at = BigIntegerField()
    by = TextField()
    reason = TextField()

    class Meta:
        table_name = "budgets"


class Schedule(Model):
    name = CharField(64, primary_key=True)
    trigger = TextField()
    next_at = BigIntegerField(null=True)
    last_at = BigIntegerField(null=True)

    class Meta:
        table_name = "schedules"


class InboxFile(Model):
    id = AutoField()
    name = TextField()
    digest = CharField(64, unique=True)
    outcome = CharField(16)
    reasons = TextField(default="[]")
    at = BigIntegerField()

    class Meta:
        table_name = "inbox_files"


class GeneratedFile(Model):
    id = AutoField()
    provider = CharField(32)
    root = TextField()
    path = TextField()
    role = CharField(64, null=True)
    digest = CharField(64)
    at = BigIntegerField()

    class Meta:
        table_name = "generated_files"
        indexes = ((("root", "path"), True),)


class Lease(Model):
    name = CharField(32, primary_key=True)
    holder = CharField(64)
    pid = IntegerField()
    fence = IntegerField()
    heartbeat_at = BigIntegerField()
    live = TextField(default="{}")

    class Meta:
        table_name = "leases"


class Counter(Model):
    agent = CharField(64)
    day = IntegerField()
    runs = IntegerField(default=0)
    failures = IntegerField(default=0)
    milliseconds = BigIntegerField(default=0)
    tokens = BigIntegerField(default=0)
    cost = FloatField(default=0.0)

    class Meta:
        table_name = "counters"
        primary_key = CompositeKey("agent", "day")


TABLES = (
    Event,
    ChainHead,
    Setting,
    Project,
    Agent,
    DecisionKind,
    Authority,
    WorkItem,
    Artifact,
    PhaseRun,
    Delegation,
    Intent,
    GateResult,
    Evidence,
    Escalation,
    Answer,
    Decision,
    Conflict,
    ScopeReview,
    ScopeProposal,
    Briefing,
    Notification,
    Spend,
    Budget,
    Schedule,
    InboxFile,
    GeneratedFile,
    Lease,
    Counter,
)


def up(migrator, db):
    with db.bind_ctx(TABLES):
        db.create_tables(TABLES)
