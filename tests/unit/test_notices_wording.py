"""What a notice says: clean, bounded, without secrets, and how the question is answered."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.governance.notices import wording
from core.governance.notices.outside import defused
from core.governance.notices.wording import Asked
from core.redaction import MARK, redact
from core.sanitise import sanitise

NOON = 1_800_000_000_000

QUESTION = Asked(
    id=12,
    kind="gate",
    question="Which criteria are missing?",
    urgency="IMMEDIATE",
    work_item=3,
    phase="D1",
    chain=("master-orchestrator", "definition-orch"),
    options=(
        {"key": "retry", "label": "Try again", "consequence": "It runs again."},
        {"key": "supply", "label": "Supply them", "consequence": "It goes on.", "asks": {"criteria": "lines"}},
    ),
    recommended="retry",
    due_at=NOON,
    assigned_to=None,
    note="",
)

HOSTILE = (
    "\x1b]52;c;cm0gLXJm\x07 \u202eevil\u202c [bold red]x[/] <script>alert(1)</script>\r\nBcc: eve@example.org\r\n\r\nx"
)

SECRETS = (
    "sk-ant-api03-abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "xoxb-1234567890-abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXX",
    "https://discord.com/api/webhooks/1234/abcd-efgh",
)

texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from("\x1b\x9b\u202e\u2066\u200b\r\n\x00[]<>@`"), max_size=400
)


def asked(**changes: Any) -> Asked:
    return dataclasses.replace(QUESTION, **changes)


def test_a_question_says_by_when_what_is_recommended_and_how_it_is_answered() -> None:
    text = wording.question_body(QUESTION)

    assert text.startswith("Which criteria are missing?\n")
    for part in (
        "Escalation 12 · gate · IMMEDIATE · work item 3, phase D1",
        "Answer by 2027-01-15 08:00 UTC",
        "Came up through master-orchestrator > definition-orch",
        "Recommended: retry (Try again): It runs again.",
        "- supply (Supply them): It goes on.",
        "apm escalation resolve 12 --recommended",
        "apm escalation resolve 12 --option KEY --reason TEXT",
        "apm escalation show 12",
    ):
        assert part in text


def test_a_recommendation_that_needs_values_is_not_offered_as_one_command() -> None:
    assert "--recommended" not in wording.question_body(asked(recommended="supply"))
    assert "--recommended" not in wording.question_body(asked(recommended=None))


def test_a_weekly_question_waits_for_the_review() -> None:
    assert "Waits for the next scope review" in wording.question_body(asked(urgency="WEEKLY", due_at=None))


def test_hostile_text_is_shown_harmlessly() -> None:
    subject = wording.question_subject("IMMEDIATE question 12", asked(question=HOSTILE))
    text = wording.question_body(asked(question=HOSTILE, assigned_to=HOSTILE, chain=(HOSTILE,)))

    assert "\n" not in subject
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", subject + text)
    assert "evil [bold red]x[/]" in text


@given(question=texts, name=texts, note=texts)
def test_a_subject_is_one_bounded_clean_line(question: str, name: str, note: str) -> None:
    subject = wording.question_subject(name, asked(question=question))

    assert 0 < len(subject) <= wording.SUBJECT_CHARACTERS
    assert sanitise(subject, keep_newlines=False) == subject
    assert subject.splitlines() == [subject]


@given(question=texts, name=texts, note=texts)
def test_a_body_is_bounded_clean_and_says_how_to_answer(question: str, name: str, note: str) -> None:
    options = [{"key": name, "label": note, "consequence": question}] * 30
    row = asked(question=question * 20, assigned_to=name * 3, chain=[name] * 9, options=options)

    body = wording.question_body(row, wording.cleaned(note * 20, wording.NOTE_CHARACTERS))

    assert len(body) <= wording.BODY_CHARACTERS
    assert sanitise(body) == body
    assert "apm escalation show 12" in body


def test_ten_megabytes_are_cut_to_what_somebody_reads() -> None:
    huge = asked(question="evidence " * 1_200_000)

    assert len(wording.question_subject("x", huge)) <= wording.SUBJECT_CHARACTERS
    assert "apm escalation resolve 12" in wording.question_body(huge)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_does_not_leave(secret: str) -> None:
    hidden = secret[:4] + "\u200b" + secret[4:]
    for text in (f"It says {secret} there.", f"key={secret}", f"({hidden})"):
        shown = wording.question_subject("x", asked(question=text)) + wording.question_body(asked(question=text))
        assert secret not in shown
        assert secret[-12:] not in shown
        assert MARK in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://ada:hunter2@db:5432/x", f"postgres://ada:{MARK}@db:5432/x"),
        ("Authorization: Bearer abcdefghijklmnop", f"Authorization: Bearer {MARK}"),
        ("password = correct-horse", f"password = {MARK}"),
        ('"api_key": "abcd1234"', f'"api_key": {MARK}'),
        ("DB_PASSWORD: 'two words'", f"DB_PASSWORD: {MARK}"),
    ],
)
def test_what_stands_where_a_secret_stands_goes_and_the_rest_stays(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Raise the token limit of 4096, or keep it?",
        "Is the password field long enough?",
        "sk-learn is a dependency; commit 0123456789abcdef0123456789abcdef01234567 removed it",
        "token: none",
        "See https://example.org/a/b?c=d and ada@example.org",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(text=texts)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_secret_that_the_cut_goes_through_is_not_shown_in_part() -> None:
    padding = "-----BEGIN PRIVATE KEY-----" + "x" * (wording.READ_CHARACTERS - 60) + "-----END PRIVATE KEY----- "
    shown = wording.cleaned(padding + "ghp_abcdefghijklmnopqrstuvwxyz0123456789", 4_000)

    assert "ghp_" not in shown


@pytest.mark.parametrize(
    "call",
    [
        *(
            "@everyone",
            "@here",
            "<!channel>",
            "<@U123>",
            "<https://evil.example|click>",
            "[approve](https://evil.example)",
        ),
        *("done.@channel", "x@everyone", "@**all**", "@_**all**", "@room"),
    ],
)
def test_nobody_calls_a_whole_team_through_a_question(call: str) -> None:
    sent = defused(f"Look ({call}) now")

    assert call not in sent
    assert defused(sent) == sent


def test_a_mail_address_and_a_comparison_stay_as_they_are() -> None:
    text = "ada@all.example.org says a < b and <b>so</b>"

    assert defused(text) == text


def test_a_long_list_is_counted_where_it_is_not_shown() -> None:
    shown = wording.bullets([f"line {n}" for n in range(37)])

    assert shown.count("\n") == wording.MOST_LINES
    assert shown.endswith("- and 17 more")
