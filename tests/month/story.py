"""The plan of the month: who asks what, when, and what the people do about it. Data, and small functions that spell
it out day by day. The only chance in it is which autonomous choice comes up when, drawn with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from tests.month.days import DAYS, HOUR, MINUTE, at, day_of, is_weekday
from tests.month.deeds import (
    OTHER,
    Acknowledge,
    Answer,
    Ask,
    ChangeSop,
    Deed,
    Differ,
    HandOver,
    Judge,
    Merge,
    Request,
    Reverse,
    Review,
    Settle,
    Snooze,
    Undo,
)

SEED = 20_260_601
MILESTONE = "milestone"
SESSION = "09:30"
AWAY = (13, 14)
"""The weekend on which nobody looks at the queue."""
STEP = 2 * MINUTE
"""From one answer of a session to the next."""

AUTONOMOUS: dict[str, tuple[str, ...]] = {
    "technical": ("test_strategy", "error_handling", "observability", "refactoring"),
    "strategy": ("progress_report", "backlog_order", "feedback_themes", "competitive_analysis"),
    "ux": ("microcopy", "icons", "empty_states"),
    "gtm": ("content_calendar", "campaign_report", "social_media"),
}
"""The kinds of the story that an agent decides itself on the first day."""
EVERYDAY: dict[str, tuple[str, ...]] = {
    "technical": AUTONOMOUS["technical"],
    "strategy": AUTONOMOUS["strategy"][:3],
    "ux": AUTONOMOUS["ux"],
    "gtm": AUTONOMOUS["gtm"][:2],
}
"""Those of them that come up every day without anybody's noticing."""
CEILINGS = frozenset({("gtm", "customer_reference"), ("technical", "data_removal"), ("technical", "security")})
"""The kinds of the story that always wait for a person."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One kind that runs through the month. `moments` are when it comes up; `stem` begins its questions."""

    name: str
    agent: str
    kind: str
    impact: int
    stem: str
    moments: tuple[int, ...]

    def asks(self) -> Iterator[Ask]:
        for n, moment in enumerate(self.moments, 1):
            yield Ask(moment, f"{self.name}{n:02}", self.agent, self.kind, self.impact, f"{self.stem}, case {n}?")


def _weekdays(*days: int) -> tuple[int, ...]:
    return tuple(day for day in days if is_weekday(day))


def _moments(days: tuple[int, ...], *clocks: str) -> tuple[int, ...]:
    return tuple(at(day, clock) for day in days for clock in clocks)


ALL_DAYS = tuple(range(1, DAYS + 1))
WORKDAYS = _weekdays(*ALL_DAYS)

THREADS: tuple[Thread, ...] = (
    Thread(
        "places",
        "ux",
        "information_architecture",
        7,
        "Where in the product does this belong",
        (
            *_moments(ALL_DAYS[:11], "08:10", "13:40"),
            *_moments((12,), "08:10", "08:20", "08:30"),
            at(15, "13:40"),
            *_moments(ALL_DAYS[15:], "08:10", "13:40"),
        ),
    ),
    Thread(
        "services",
        "technical",
        "external_service",
        8,
        "May the build call this outside service",
        (
            *_moments((1, 2, 3, 4, 5), "08:05", "16:00"),
            *_moments((6, 7), "08:05"),
            *_moments((8, 9, 10, 11), "08:05", "16:00"),
            *_moments((12,), "08:05", "08:35", "16:00"),
            *_moments(AWAY, "11:00"),
            *_moments(_weekdays(*ALL_DAYS[14:]), "16:00"),
        ),
    ),
    Thread(
        "breaks",
        "technical",
        "breaking_change",
        8,
        "May this public call change its shape",
        _moments(WORKDAYS[:20], "08:00"),
    ),
    Thread(
        "names",
        "gtm",
        "customer_reference",
        8,
        "May this customer be named in public",
        _moments(ALL_DAYS, "07:30"),
    ),
    Thread(
        "markets",
        "strategy",
        "target_market",
        8,
        "Is this group of customers ours to win",
        (
            *_moments((1, 2, 3, 4, 8, 9, 10, 11), "08:50", "15:20"),
            *_moments(_weekdays(*range(17, 27)), "08:50"),
        ),
    ),
    Thread(
        "paths", "ux", "navigation", 8, "Does this path through the product move", _moments((3, 9, 17, 23), "15:00")
    ),
    Thread("posts", "gtm", "social_media", 4, "Which post goes out today", _moments(WORKDAYS, "11:00")),
)

PURGE = "Are traces older than a year dropped?"

SINGLE: tuple[Ask, ...] = (
    Ask(at(2, "10:20"), "store", "technical", "architecture", 9, "Does the index move into a store of its own?"),
    Ask(
        *(at(10, "11:00"), "rivals", "strategy", "competitive_analysis", 4),
        "Which rival does the milestone's page compare with?",
        (MILESTONE,),
    ),
    Ask(at(11, "14:00"), "plans", "strategy", "naming_of_plans", 5, "What are the three plans called?"),
    Ask(at(18, "03:10"), "home", "ux", "command_center", 9, "Does the queue become the first screen?"),
    Ask(at(20, "02:00"), "purge", "technical", "data_removal", 8, PURGE),
    *(Ask(at(20, f"02:{n}0"), f"purge-{n}", "technical", "data_removal", 8, PURGE, again="purge") for n in range(1, 5)),
    Ask(at(23, "10:40"), "export", "strategy", "roadmap_commitment", 8, "Is the export promised for August?"),
    Ask(at(23, "12:10"), "exports", "strategy", "roadmap_commitment", 8, "May sales say that exports come in August?"),
    Ask(
        *(at(24, "14:00"), "launch", "gtm", "launch_date", 8),
        "Is the launch on the first or on the eighth of July?",
        (MILESTONE,),
    ),
    Ask(at(25, "10:30"), "palette", "ux", "brand_identity", 8, "Is the darker palette the brand's?"),
    Ask(at(26, "09:50"), "tokens", "technical", "security", 9, "Do service tokens end after an hour?"),
)

REQUESTS: tuple[Request, ...] = (
    Request(at(12, "16:30"), "crawl", "technical", "May the crawler run over the weekend?", 36 * HOUR),
    Request(at(20, "10:05"), "banner", "ux", "May the banner change for tonight's demo?", 18 * HOUR),
    Request(at(27, "09:40"), "survey", "gtm", "May the survey go out on Sunday?", 20 * HOUR, OTHER),
)
"""Permissions that are of no use later. Nobody looks in time."""

ANSWERED_AT: dict[str, int] = {
    "store": at(2, "10:45"),
    "rivals": at(10, "11:35"),
    "launch": at(24, "15:10"),
    "palette": at(25, "16:00"),
    "tokens": at(26, "10:05"),
    "paths01": at(6, "10:00"),
    "paths02": at(12, "10:00"),
    "paths03": at(19, "10:00"),
    "paths04": at(25, "10:00"),
}
"""Answers that are given outside of the next morning's session."""
DECLINED: dict[str, str] = {"breaks11": "A partner's release depends on the old shape until autumn."}
"""Questions that are answered in another way than recommended, and why."""
ANSWERED_BY: dict[str, str] = {"palette": "lin"}
MERGED: dict[str, str] = {"exports": "export"}

DISPUTES: tuple[Differ, ...] = (
    Differ(at(2, "14:00"), "list", ("technical", "ux"), "performance of the activity list", "technical"),
    Differ(at(4, "14:00"), "import", ("technical", "ux"), "performance against user experience of the importer"),
    Differ(at(8, "14:00"), "free", ("strategy", "gtm"), "positioning of the free plan", "strategy"),
    Differ(at(9, "14:00"), "launch", ("strategy", "gtm"), "execution of the launch campaign", "gtm"),
    Differ(at(10, "14:00"), "analysts", ("strategy", "gtm"), "who answers the analysts"),
    Differ(at(13, "12:00"), "tone", ("strategy", "gtm"), "the tone of the launch mail"),
    Differ(at(16, "14:00"), "page", ("strategy", "gtm"), "positioning on the page of plans", "strategy"),
    Differ(at(17, "14:00"), "figures", ("strategy", "gtm"), "figures in the announcement", tags=(MILESTONE,)),
    Differ(at(18, "14:00"), "letter", ("strategy", "gtm"), "who owns the newsletter"),
    Differ(at(18, "15:00"), "first-run", ("technical", "ux"), "user experience of the first run", "ux"),
    Differ(at(24, "14:00"), "wording", ("strategy", "ux"), "the wording of plan names"),
)
SETTLED: tuple[Settle, ...] = (
    Settle(at(5, "10:00"), "import", "ux", "People wait once, and look at it every day."),
    Settle(at(11, "10:00"), "analysts", "strategy"),
    Settle(at(15, "10:00"), "tone", "gtm", "It is their channel."),
    Settle(at(17, "14:30"), "figures", "strategy"),
    Settle(at(19, "10:05"), "letter", "neither", "It goes to the editors, whom neither of them is."),
    Settle(at(25, "10:05"), "wording", "ux", "Those who test the words choose them."),
)

OTHER_DEEDS: tuple[Deed, ...] = (
    Snooze(at(4, "10:00"), "paths01", until=at(5, "09:00")),
    Undo(at(4, "11:30"), "places07", "Read too fast: it would stand in two places."),
    Answer(at(4, "11:40"), "places07", OTHER, "One place only: below settings."),
    Reverse(at(5, "16:00"), "posts05", "The post named a customer who had not agreed."),
    Judge(at(8, "10:15"), "approve", "gtm", "customer_reference", "bottleneck", "Seen; the mornings are for these."),
    Acknowledge(at(10, "10:00"), "paths02", minutes=30),
    Reverse(at(10, "10:20"), "posts07", "The post answered a rival in anger."),
    Acknowledge(at(10, "11:10"), "rivals", minutes=20),
    Answer(at(15, "09:58"), "crawl"),
    Judge(at(15, "10:15"), "approve", "ux", "information_architecture", "expansion", "The one miss was mine to see."),
    Judge(
        *(at(15, "10:17"), "reject", "technical", "external_service", "expansion"),
        "Contracts are being renegotiated; ask again in autumn.",
    ),
    Judge(at(15, "10:19"), "approve", "gtm", "social_media", "contraction", "Two in a fortnight are two too many."),
    Judge(
        *(at(15, "10:21"), "clarify", "strategy", "gtm", "collaboration"),
        "How many of these did the launch cause?",
    ),
    ChangeSop(at(16, "12:00"), "strategy", "Name the three largest customers of a market before you judge it."),
    Judge(at(22, "10:15"), "approve", "strategy", "gtm", "collaboration", "They meet on Tuesdays from now on."),
    Judge(at(22, "10:17"), "approve", "ux", "navigation", "bottleneck", "Seen; lin takes these from July."),
    Merge(at(24, "09:20"), "exports", into="export"),
    Acknowledge(at(24, "14:05"), "launch", minutes=30),
    HandOver(at(25, "11:00"), "palette", to="lin"),
    Review(at(30, "17:00")),
)


@cache
def story() -> tuple[Deed, ...]:
    """Every deed of the month in its order; deeds of one moment in the order of their lists."""
    asks = (*(ask for thread in THREADS for ask in thread.asks()), *SINGLE, *_everyday())
    waiting = sorted((ask for ask in asks if waits(ask) and not ask.again), key=_when)
    return tuple(sorted([*asks, *REQUESTS, *DISPUTES, *_answers(waiting), *SETTLED, *OTHER_DEEDS], key=_when))


def _when(deed: Deed) -> int:
    return deed.at


def mode_at(agent: str, kind: str, moment: int) -> str:
    """What the story's people have granted by then; "" for a kind that no list names."""
    mode = "autonomous" if kind in AUTONOMOUS[agent] else "" if kind == "naming_of_plans" else "escalate"
    for deed in OTHER_DEEDS:
        is_it = isinstance(deed, Judge) and (deed.word, deed.agent, deed.subject) == ("approve", agent, kind)
        if is_it and isinstance(deed, Judge) and deed.at < moment:
            mode = {"expansion": "autonomous", "contraction": "escalate"}.get(deed.change, mode)
    return mode


def urgency(ask: Ask) -> str:
    """With which urgency a person is asked; "" where the agent decides."""
    if ask.impact > 8 or MILESTONE in ask.tags:
        return "IMMEDIATE"
    return "" if mode_at(ask.agent, ask.kind, ask.at) == "autonomous" else "DAILY"


def waits(ask: Ask) -> bool:
    return urgency(ask) != ""


def _everyday() -> Iterator[Ask]:
    """The choices that nobody is asked about: three a day of each agent, one on days off."""
    chance = Random(SEED)
    for day in ALL_DAYS:
        for agent, kinds in EVERYDAY.items():
            for n in range(3 if is_weekday(day) else 1):
                kind = chance.choice(kinds)
                moment = at(day, "10:30") + chance.randrange(7 * 60) * MINUTE
                yield Ask(moment, f"{agent}-{day}-{n}", agent, kind, 3, f"Everyday {kind}, day {day}, number {n + 1}?")


def _answers(waiting: list[Ask]) -> Iterator[Answer]:
    """What is asked is answered in the next session, one after the other, unless the story says otherwise."""
    taken: dict[int, int] = {}
    for ask in waiting:
        day = session_day(ask.at)
        given = ANSWERED_AT.get(ask.name)
        if ask.name in MERGED or (given is None and day > DAYS):
            continue
        if given is None:
            given = at(day, SESSION) + taken.get(day, 0) * STEP
            taken[day] = taken.get(day, 0) + 1
        reason = DECLINED.get(ask.name, "")
        by = ANSWERED_BY.get(ask.name, "ada")
        yield Answer(given, ask.name, OTHER if reason else "as-proposed", reason, by)


def session_day(moment: int) -> int:
    """The day of the first session after a moment; beyond the month for one that nobody sees in it."""
    day = day_of(moment)
    day += moment >= at(day, SESSION)
    while day in AWAY:
        day += 1
    return day


def watched() -> tuple[Thread, ...]:
    """The kinds whose records the report follows."""
    return THREADS[:5]
