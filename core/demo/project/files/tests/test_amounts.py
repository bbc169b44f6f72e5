import pytest

from rowdown.amounts import is_number


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "42",
        "3.14",
        "-3",
        "+3",
        "\N{MINUS SIGN}3",
        "$5",
        "-$5",
        "5 €",
        "$1,250.00",
        "1,250,000",
        "12.5 %",
        "(40)",
        " 7 ",
    ],
)
def test_numbers_as_people_write_them(text):
    assert is_number(text)


@pytest.mark.parametrize(
    "text", ["", "-", "$", "()", "%", "four", "3rd", "1.2.3", "1.", "12,50", "1,2500", "2026-03-14"]
)
def test_words_dates_and_halves_of_numbers_are_no_numbers(text):
    assert not is_number(text)
