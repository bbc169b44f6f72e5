"""What a call costs, by prices with a date; what nobody knows a price of costs "not known"."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.session import Usage
from core.contract import Json, UsageError
from core.registry.documents import DocumentError
from core.runtimes.models.prices import Price, cost, most, price_of, read_own

MODELS = (
    "claude-fable-5-2",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-haiku-4-5",
)

tokens = st.integers(min_value=0, max_value=900_000)


def priced(model: str, overrides: dict[str, Json] | None = None) -> Price:
    price = price_of(model, overrides)
    assert price is not None
    return price


@pytest.mark.parametrize(
    ("model", "used", "dollars"),
    [
        ("claude-sonnet-5-5", Usage(input=1_000_000), 2.0),
        ("claude-sonnet-5-5", Usage(output=1_000_000), 10.0),
        ("claude-sonnet-5-5", Usage(cache_write=1_000_000), 2.5),
        ("claude-sonnet-5-5", Usage(cache_read=1_000_000), 0.1),
        ("claude-opus-5-5", Usage(1_000, 2_000, 3_000, 4_000), 0.004 + 0.04 + 0.0006 + 0.02),
        ("claude-haiku-4-5", Usage(312, 2), 0.000322),
    ],
)
def test_each_kind_of_token_has_its_own_price(model: str, used: Usage, dollars: float) -> None:
    assert cost(priced(model), used) == pytest.approx(dollars)


def test_what_the_cache_keeps_for_an_hour_costs_more_than_what_it_keeps_for_five_minutes() -> None:
    used = Usage(cache_write=1_000_000)

    assert cost(priced("claude-sonnet-5-5"), used, kept_an_hour=400_000) == pytest.approx(0.6 * 2.5 + 0.4 * 4)


@pytest.mark.parametrize(
    ("used", "dollars"),
    [(Usage(100_000, 1_000), 0.0105), (Usage(100_001, 1_000), 0.0525005), (Usage(1, 1_000, 100_000), 0.0075005)],
)
def test_a_long_prompt_is_paid_at_its_own_rates_as_a_whole(used: Usage, dollars: float) -> None:
    assert cost(priced("claude-haiku-5-5"), used) == pytest.approx(dollars)


@pytest.mark.parametrize("model", ["claude-haiku-4-5-20251001", "claude-haiku-4-5@20251001", "claude-haiku-4-5-latest"])
def test_a_dated_snapshot_costs_what_its_family_costs(model: str) -> None:
    assert price_of(model) == price_of("claude-haiku-4-5")


@pytest.mark.parametrize(
    "model", ["", "qwen2.5-coder", "claude-haiku-4", "claude-haiku-4-5-2025", "claude-haiku-4-5-turbo", "-latest"]
)
def test_a_model_that_nobody_knows_has_no_price(model: str) -> None:
    assert price_of(model) is None


@given(st.sampled_from(MODELS), tokens, tokens, st.data())
def test_no_call_costs_more_than_the_most_it_can_cost(
    model: str, reserved: int, written: int, data: st.DataObject
) -> None:
    new = data.draw(st.integers(0, reserved))
    cached = data.draw(st.integers(0, reserved - new))
    output = data.draw(st.integers(0, written))
    used = Usage(new, output, cached, reserved - new - cached)

    assert cost(priced(model), used) <= most(priced(model), reserved, written) + 1e-9


def test_a_workspace_says_what_it_pays() -> None:
    overrides: dict[str, Json] = {"claude-haiku-4-5": {"input": 0.5, "output": 1}, "ours": {"input": 0, "output": 0}}

    dated = priced("claude-haiku-4-5-20251001", overrides)

    assert cost(dated, Usage(1_000_000, 1_000_000, 1_000_000)) == pytest.approx(0.5 + 1 + 0.5)
    assert cost(priced("ours", overrides), Usage(5, 5)) == 0
    assert priced("claude-opus-5", overrides).since.startswith("list price of 20")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (7, "must be a mapping"),
        ({"input": 1}, "says nothing about output"),
        ({"input": "1", "output": 2}, "input is '1'"),
        ({"input": True, "output": 2}, "input is True"),
        ({"input": -1, "output": 2}, "input is -1"),
        ({"input": float("nan"), "output": 2}, "input is nan"),
        ({"input": 1, "output": 2, "context": 0.5}, "context is 0.5"),
        ({"input": 1, "output": 2, "above": {"many": {"input": 1, "output": 2}}}, "above must map"),
        ({"input": 1, "output": 2, "above": {5: 1}}, "above.5 must be a mapping"),
    ],
)
def test_a_price_that_is_none_is_refused_with_its_model(entry: object, message: str) -> None:
    with pytest.raises(UsageError, match="'ours'") as refused:
        price_of("ours", {"ours": entry})  # type: ignore[dict-item]

    assert message in str(refused.value)


def test_prices_are_read_when_the_first_is_asked_for() -> None:
    words = (
        "import sys, core.runtimes.models.prices as prices; before = 'yaml' in sys.modules;"
        "prices.price_of('x'); print(before, 'yaml' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["False", "True"]


def test_a_workspaces_own_file_says_what_it_pays(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("my-model: {input: 1, output: 4}\n")

    found = price_of("my-model", read_own(tmp_path))

    assert found is not None
    assert (found.base.input, found.base.output, read_own(tmp_path / "nowhere")) == (1.0, 4.0, {})


def test_a_workspaces_own_file_may_price_long_prompts_and_be_empty(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("# ours\nm:\n  input: 1\n  output: 4\n  above: {5: {input: 2, output: 8}}\n")
    found = price_of("m", read_own(tmp_path))
    (tmp_path / "prices.yaml").write_text("# nothing yet\n")

    assert found is not None
    assert (found.rates(5).input, found.rates(6).input, read_own(tmp_path)) == (1.0, 2.0, {})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- 1", "prices.yaml:1: must map models to their prices, as in `my-model: {input: 1, output: 4}`"),
        ("a: {input: 1, output: 1}\nb: 3", "prices.yaml:2: b: must be a mapping with at least input and output"),
        ("# x\nb: {input: 1}", "prices.yaml:2: b: says nothing about output: give dollars per million tokens"),
        ("b:\n  output: 1\n  input: -1", "prices.yaml:3: b.input: is -1; it must be dollars per million tokens"),
        (
            "b:\n  output: 1\n  input: 1\n  context: x",
            "prices.yaml:4: b.context: is 'x'; it must be a number of tokens",
        ),
        (
            "b:\n  input: 1\n  output: 1\n  above:\n    9:\n      input: 1\n      output: dear",
            "prices.yaml:7: b.above.9.output: is 'dear'; it must be dollars per million tokens",
        ),
        ("b: {input: 1, output: 1, above: {many: 1}}", "prices.yaml:1: b.above: must map a number of prompt tokens"),
        ("\ta: 1", "prices.yaml:1: is indented with a tab"),
        ("a: {input: 1, output: 1}\na: {input: 2, output: 1}", "prices.yaml:2: a: stands twice"),
        (b"a: \xff", "prices.yaml:1: is not UTF-8 text"),
    ],
)
def test_prices_that_are_none_are_refused_with_their_line(tmp_path: Path, content: str | bytes, told: str) -> None:
    (tmp_path / "prices.yaml").write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(DocumentError) as refused:
        read_own(tmp_path)
    assert str(refused.value).startswith(told)


def test_each_models_mistake_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("a: 1\nb: {input: 1, output: 1}\nc: 2\n")

    with pytest.raises(DocumentError) as refused:
        read_own(tmp_path)
    assert [line[:14] for line in str(refused.value).splitlines()] == ["prices.yaml:1:", "prices.yaml:3:"]


def test_a_folder_in_the_file_s_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").mkdir()

    with pytest.raises(DocumentError, match=r"prices\.yaml:1: cannot be read: is a directory"):
        read_own(tmp_path)
