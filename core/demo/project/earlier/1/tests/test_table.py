from rowdown import render

PRICES = [["fruit", "price"], ["apple", "0.40"]]


def test_columns_line_up():
    assert render(PRICES) == "| fruit | price |\n| ----- | ----- |\n| apple | 0.40  |\n"


def test_a_header_alone_is_a_table():
    assert render([["a", "b"]]) == "| a   | b   |\n| --- | --- |\n"


def test_pipes_and_line_breaks_stay_inside_their_cell():
    assert r"a\|b<br>c" in render([["x"], ["a|b\nc"]])
