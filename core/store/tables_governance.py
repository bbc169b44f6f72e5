"""Tables of governance: questions, answers, decisions, authority's review, notices and budgets.

Times are integers, milliseconds since the epoch, UTC. JSON columns hold canonical JSON text. A `*_at` column is a
fact that happened once; states are derived from such facts when read (`core.store.states`) and stored nowhere.
"""

from __future__ import annotations

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
    fn,
)


class Escalation(Model):
    """A question that waits for a human. One row per question, however often it is raised."""

    id = AutoField()
    kind = CharField(16)
    key = CharField(64)
    """Equal keys are the same question."""
    question = TextField()
    details = TextField(default="{}")
    urgency = CharField(16)
    work_item = IntegerField(null=True)
    phase = CharField(2, null=True)
    round = IntegerField(null=True)
    blocks = CharField(64, default="")
    """What waits for the answer: "" nothing, a phase code, or a task id."""
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
    next_at = BigIntegerField(null=True)
    """When its clock has something to do next: a breach, a reminder, an end of a snooze, an expiry."""
    expires_at = BigIntegerField(null=True)
    breaches = IntegerField(default=0)
    note = TextField(default="")
    """What whoever handed it over said last."""

    class Meta:
        table_name = "escalations"
        indexes = (
            (("resolved_at", "withdrawn_at", "expired_at", "urgency", "due_at"), False),
            (("key", "id"), False),
            (("work_item", "id"), False),
            (("next_at",), False),
            (("merged_into",), False),
        )


_OF_OPEN = (
    *(Escalation.urgency, Escalation.due_at, Escalation.id, Escalation.snoozed_until, Escalation.acknowledged_until),
    *(Escalation.assigned_to, Escalation.kind, Escalation.work_item, Escalation.phase, Escalation.question),
)
Escalation.add_index(
    Escalation.index(
        *_OF_OPEN,
        name="escalation_open",
        where=fn.COALESCE(
            Escalation.resolved_at, Escalation.withdrawn_at, Escalation.expired_at, Escalation.merged_into
        ).is_null(),
    )
)


class Answer(Model):
    """One answer given to an escalation; late and undone ones are kept too."""

    id = AutoField()
    escalation = ForeignKeyField(Escalation, index=True)
    option = CharField(64)
    answer = TextField()
    reason = TextField()
    by = TextField()
    provenance = CharField(16)
    """"human", "rule" or "timeout"."""
    payload_digest = CharField(64)
    seconds_to_answer = FloatField(null=True)
    late = BooleanField(default=False)
    at = BigIntegerField()
    undone_at = BigIntegerField(null=True)
    attention_seconds = FloatField(null=True)
    """How long the person was at it, as far as that can be told; null is not measured."""
    undone_by = TextField(null=True)
    undo_reason = TextField(null=True)

    class Meta:
        table_name = "answers"


class Decision(Model):
    """A choice of one kind: made autonomously, by a rule, or by a human."""

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
    """"decided" or "escalated"."""
    rule = TextField()
    provenance = CharField(16, null=True)
    authority = IntegerField(null=True)
    cohort = CharField(64, default="")
    """Digest of runtime, model and SOP: a change of one starts a new record."""
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
    topic = TextField(default="")
    """What it is about, where its raiser said so: two owners' decisions on one topic may be a conflict."""
    conflict = IntegerField(null=True)
    """The conflict that settled it, or that it waits for."""
    reverses = IntegerField(null=True)
    """The decision that this one takes back."""
    reason = TextField(default="")
    decided_by = TextField(null=True)
    """Who chose: an agent's role, a person, or the id of a conflict rule."""

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
    key = CharField(64, default="")
    """Equal keys are the same conflict."""
    phase = CharField(2, null=True)
    provenance = CharField(16, null=True)
    decided_by = TextField(null=True)

    class Meta:
        table_name = "conflicts"
        indexes = ((("work_item", "id"), False), (("key",), False), (("escalation",), False))


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
    """"expansion", "contraction", "collaboration" or "bottleneck"."""
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
    clarification = TextField(null=True)
    """What a person wants to know before they decide; the next review's proposal answers it with its figures."""
    undone_at = BigIntegerField(null=True)
    undone_by = TextField(null=True)

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
    """"sent", "failed" or "suppressed"."""
    outcome_at = BigIntegerField(null=True)
    error = TextField(null=True)
    urgency = CharField(16, null=True)
    repeats = IntegerField(default=0)
    """How often the same notice came up again and was not sent."""

    class Meta:
        table_name = "notifications"
        indexes = ((("key", "channel"), True), (("outcome", "next_try_at"), False))


class Spend(Model):
    """One call of a model: what it was to cost at most, reserved before it was sent, and what it did cost.

    Amounts in US dollars and tokens. While `settled_at` is empty the call runs; `is_lost` marks one whose end nobody
    saw, so that its reservation is all that is known. `cost` stays empty where no price of the model is known.
    """

    id = AutoField()
    work_item = IntegerField(null=True)
    phase = CharField(2, null=True)
    round = IntegerField(null=True)
    agent = CharField(64)
    subject = CharField(32)
    provider = CharField(32, default="")
    model = CharField(128, default="")
    reserved_cost = FloatField()
    reserved_tokens = BigIntegerField()
    cost = FloatField(null=True)
    tokens = BigIntegerField(null=True)
    input_tokens = BigIntegerField(null=True)
    output_tokens = BigIntegerField(null=True)
    cache_read_tokens = BigIntegerField(null=True)
    cache_write_tokens = BigIntegerField(null=True)
    request_id = CharField(128, default="")
    is_lost = BooleanField(default=False)
    at = BigIntegerField()
    settled_at = BigIntegerField(null=True)

    class Meta:
        table_name = "spend"
        indexes = ((("work_item", "id"), False), (("at",), False))


class SpendTotal(Model):
    """What the calls of a day (UTC, since the epoch) used whose rows are in an archive. "Taken" is what budgets count:
    a lost call at its most."""

    day = IntegerField(primary_key=True)
    taken_cost = FloatField()
    taken_tokens = BigIntegerField()
    cost = FloatField()
    tokens = BigIntegerField()
    calls = IntegerField()
    unpriced = IntegerField()
    lost = IntegerField()

    class Meta:
        table_name = "spend_totals"


class Budget(Model):
    """What a person allowed instead of what `agents.yaml` says; the newest of a scope and its subject holds.

    Both amounts empty: no limit. A day's holds on that day (UTC) only.
    """

    id = AutoField()
    scope = CharField(16)
    """"delegation", "work_item", "day" or "workspace"."""
    work_item = IntegerField(null=True)
    phase = CharField(2, null=True)
    agent = CharField(64, null=True)
    subject = CharField(32, null=True)
    cost = FloatField(null=True)
    tokens = BigIntegerField(null=True)
    escalation = IntegerField(null=True)
    """The question whose answer this is, or puts back what was allowed before."""
    at = BigIntegerField()
    by = TextField()
    reason = TextField()

    class Meta:
        table_name = "budgets"
