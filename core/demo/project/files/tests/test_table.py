from rowdown import render

PRICES = [["fruit", "price"], ["apple", "0.40"], ["fig", "12.00"]]


def test_columns_line_up_and_numbers_stand_on_the_right():
    assert render(PRICES) == (
        "| fruit | price |\n| ----- | ----: |\n| apple |  0.40 |\n| fig   | 12.00 |\n"
    )


def test_a_header_alone_is_a_table():
    assert render([["a", "b"]]) == "| a   | b   |\n| --- | --- |\n"


def test_empty_cells_leave_a_column_numeric():
    assert render([["n"], ["1"], [""]]).splitlines()[1] == "| --: |"


def test_a_column_without_any_value_is_text():
    assert render([["n"], [""]]).splitlines()[1] == "| --- |"


def test_pipes_and_line_breaks_stay_inside_their_cell():
    assert r"a\|b<br>c" in render([["x"], ["a|b\nc"]])
