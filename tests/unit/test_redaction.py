"""What a model is sent has no secrets in it, and is still the code that it is to edit."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import MARK, Redactor, secrets_of

redactor = Redactor()

LONG = "Tr0ub4dor-and-3"

texts = st.lists(
    st.sampled_from(
        ["password", "token", "=", ": ", '"', "'", "\n", " ", "://", "@", LONG, "sk-abcdefgh1234", "Bearer ", MARK]
    )
    | st.text(max_size=8)
).map("".join)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (f'password = "{LONG}"', f'password = "{MARK}"'),
        (f"password: str = '{LONG}'", f"password: str = '{MARK}'"),
        (f'{{"api_key": "{LONG}"}}', f'{{"api_key": "{MARK}"}}'),
        (f'{{\\"api_key\\": \\"{LONG}\\"}}', f'{{\\"api_key\\": \\"{MARK}\\"}}'),
        (f'setenv("UPLOAD_TOKEN", "{LONG}")', f'setenv("UPLOAD_TOKEN", "{MARK}")'),
        (f"A=1\nexport DB_PASSWORD={LONG}\nB=2", f"A=1\nexport DB_PASSWORD={MARK}\nB=2"),
        (f"  secret: {LONG}", f"  secret: {MARK}"),
        (f"https://x.org/?api_key={LONG}&n=1", f"https://x.org/?api_key={MARK}&n=1"),
        ("postgres://ada:hunter2@db:5432/x", f"postgres://ada:{MARK}@db:5432/x"),
        (f"Authorization: Bearer {LONG}", f"Authorization: Bearer {MARK}"),
        ("key AKIAABCDEFGHIJKLMNOP.", f"key {MARK}."),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nx",
            f"{MARK}\nx",
        ),
    ],
)
def test_what_looks_like_a_secret_is_not_sent_and_the_text_around_it_is(text: str, sent: str) -> None:
    assert redactor.text(text) == sent


@pytest.mark.parametrize(
    "code",
    [
        "token = tokens[index]",
        "password = request.form['password']",
        "secret = os.environ['SECRET_KEY_BASE']",
        "def login(api_key=api_key, password: str = None): ...",
        "api_key = settings.api_key2",
        'token = "end_of_file"',
        'url = f"postgres://{user}:{password}@{host}/db"',
        "DB_URL=postgres://$USER:$PASSWORD@db",
        "https://unpkg.com/react@18/umd",
        "Basic functionality; token validation; Bearer authentication",
        "password: ${{ secrets.PYPI_TOKEN }}",
        "token: string;",
    ],
)
def test_code_that_only_speaks_of_secrets_is_sent_as_it_is(code: str) -> None:
    assert redactor.text(code) == code


def test_python_that_holds_a_secret_is_still_python() -> None:
    source = f'PASSWORD = "{LONG}"\nKEYS = {{"token": "{LONG}", "n": 1}}\n'

    sent = redactor.text(source)

    assert LONG not in sent
    ast.parse(sent)


def test_what_the_environment_calls_a_secret_is_not_sent_wherever_it_stands() -> None:
    secrets = secrets_of(
        {
            "ANTHROPIC_API_KEY": "plain words only",
            "GITHUB_TOKEN": "aaaaaaaaaaaa",
            "AWS_SECRET_ACCESS_KEY": "bbbbbbbbbbbb",
            "apikey": "cccccccccccc",
            "DB_PASSWORD": "dddddddddddd",
            "SHORT_TOKEN": "yes",
            "KEYBOARD_LAYOUT": "dvorak-programmer",
            "HOME": "/home/ada/projects",
            "DATABASE_URL": "postgres://postgres:postgres@localhost/ledger",
        }
    )

    sent = Redactor(secrets).text("plain words only aaaaaaaaaaaa (bbbbbbbbbbbb)xccccccccccccx dddddddddddd yes dvorak")

    assert sent == f"{MARK} {MARK} ({MARK})x{MARK}x {MARK} yes dvorak"
    assert secrets == {"plain words only", "a" * 12, "b" * 12, "c" * 12, "d" * 12}


def test_what_is_sent_in_headers_and_to_proxies_is_a_secret_too() -> None:
    headers = "X-Gw-Token: gwsecret-abcdef1234\nAuthorization: Bearer zzzz-9999-zzzz\nAccept: application/json\nodd"
    secrets = secrets_of(
        {
            "ANTHROPIC_CUSTOM_HEADERS": headers,
            "https_proxy": "http://bob:pass%40word9@proxy:3128",
            "NO_PROXY": "*.local",
        }
    )

    assert secrets == {
        "gwsecret-abcdef1234",
        "Bearer zzzz-9999-zzzz",
        "zzzz-9999-zzzz",
        "pass%40word9",
        "pass@word9",
    }
    assert Redactor(secrets).text("bad header X-Gw-Token: gwsecret-abcdef1234") == f"bad header X-Gw-Token: {MARK}"


def test_of_two_secrets_that_begin_alike_no_end_is_left() -> None:
    assert Redactor(frozenset({"aaaaaaaa", "aaaaaaaabbbb"})).text("aaaaaaaabbbb") == MARK


def test_a_redactor_does_not_show_what_it_looks_for() -> None:
    assert LONG not in repr(Redactor(frozenset({LONG})))


def test_every_string_of_a_message_is_redacted_and_its_form_stays() -> None:
    message = {"role": "user", "content": [{"type": "text", "text": f"token='{LONG}'", "n": 1, "deep": [{"a": None}]}]}

    assert redactor.content(message) == {
        "role": "user",
        "content": [{"type": "text", "text": f"token='{MARK}'", "n": 1, "deep": [{"a": None}]}],
    }


@given(text=texts)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redactor.text(text)

    assert Redactor().text(once) == once
