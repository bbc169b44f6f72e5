import pytest

from rowdown.rows import BadTable, find_delimiter, pick_columns, read_rows

FRUIT = [["fruit", "price"], ["apple", "0.40"]]


def test_the_first_row_is_the_header():
    assert read_rows("fruit,price\napple,0.40\n") == FRUIT


def test_quoted_cells_may_hold_commas_quotes_and_line_breaks():
    text = 'name,note\n"Lee, Ann","said ""hi"",\nthen left"\n'
    assert read_rows(text)[1] == ["Lee, Ann", 'said "hi",\nthen left']


def test_a_byte_order_mark_empty_lines_and_spaces_around_cells_are_dropped():
    assert read_rows("\ufefffruit, price\n\n apple ,0.40\n") == FRUIT


def test_every_row_is_made_as_long_as_the_header():
    assert read_rows("a,b\n1\n1,2,3\n") == [["a", "b"], ["1", ""], ["1", "2"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_the_header(delimiter):
    text = f"fruit{delimiter}price\napple{delimiter}0.40\n"
    assert find_delimiter(text) == delimiter
    assert read_rows(text) == FRUIT


def test_one_column_needs_no_delimiter():
    assert read_rows("fruit\napple\n") == [["fruit"], ["apple"]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is no header row"),
        ("\n\n", "there is no header row"),
        ('a,b\n"open,2\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(text, reason):
    with pytest.raises(BadTable) as refused:
        read_rows(text)
    assert str(refused.value) == reason


def test_columns_are_picked_in_the_order_of_their_names():
    assert pick_columns(FRUIT, ["price", "fruit"]) == [["price", "fruit"], ["0.40", "apple"]]


def test_a_column_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(BadTable, match=r"no column 'colour'; there are fruit, price"):
        pick_columns(FRUIT, ["colour"])
