"""What kind of values a column holds; where two readings fit, none is chosen."""

from collections import Counter

import pytest

from include.new_source.date_order import find_date_order
from include.new_source.null_markers import choose_null_markers
from include.new_source.value_kinds import guess_kind


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-2", "+30"], "integer"),
        (["1.5", "2", "-0.25"], "number"),
        (["1,5", "1.234,56", "7"], "comma_number"),
        (["00123", "00124"], "text"),
        (["1234567890123456"], "text"),
        (["True", "FALSE"], "boolean"),
        (["Yes", "No"], "boolean"),
        (["Sim", "Não"], "yes_or_no"),
        (["0", "1"], "integer"),
        (["2026-01-31", "2026-02-01"], "date"),
        (["2026-01-31 10:20", "2026-02-01T10:20:30.5Z"], "timestamp"),
        (["2026/01/31", "2026/2/1 2:03 PM GMT-3"], "year_first"),
        (["31.01.2026", "1.2.2026"], "local_date"),
        (["31/01/2026 10:20", "01/02/2026"], "local_timestamp"),
        (["01/31/2026 1:20 PM", "02/01/2026 2:00 AM"], "local_timestamp"),
        (["red", "2026-01-31"], "text"),
        ([], "empty"),
        (["", " ", "N/A"], "empty"),
    ],
)
def test_the_kind_of_a_column(texts: list[str], kind: str) -> None:
    assert guess_kind(Counter(texts)).kind == kind


def test_words_for_nothing_stand_beside_values() -> None:
    found = guess_kind(Counter(["1,5", "?", " ", "2,25"]))
    assert (found.kind, found.nulls) == ("comma_number", (" ", "?"))


def test_a_few_values_that_do_not_fit_are_counted() -> None:
    values = Counter({str(number): 1 for number in range(100)} | {"many": 1})
    found = guess_kind(values)
    assert found.kind == "integer"
    assert "1 of 101 values are no number" in found.doubts[0]


@pytest.mark.parametrize("texts", [["1.234", "5.678"], ["1,234", "5,678", "12"]])
def test_a_sign_between_thousands_or_before_decimals_is_left_to_a_person(
    texts: list[str],
) -> None:
    found = guess_kind(Counter(texts))
    assert found.kind == "text"
    assert "may stand between thousands or before decimals" in found.doubts[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31/01/26", "two digits"),
        ("20260131", "20260131"),
        ("3 de março de 2026", "month names"),
        ("1769817600", "since 1970"),
        ("1,234,567.89", "commas between thousands"),
        ("1,234.50", "commas between thousands"),
        ("R$ 12,50", "a sign"),
        ("12 %", "a sign"),
    ],
)
def test_what_no_macro_reads_is_said(text: str, words: str) -> None:
    found = guess_kind(Counter([text]))
    assert not found.is_time
    assert any(words in doubt for doubt in found.doubts)


@pytest.mark.parametrize(
    ("texts", "order", "doubt"),
    [
        (["29.02.2016", "03.04.2016"], "DMY", None),
        (["02/29/2016", "03/04/2016"], "MDY", None),
        (["03.04.2016", "05.06.2016"], None, "every date fits both"),
        (["29.02.2016", "02.29.2016"], None, "two orders in one column"),
    ],
)
def test_the_order_of_day_and_month(
    texts: list[str], order: str | None, doubt: str | None
) -> None:
    found = find_date_order(Counter(texts))
    assert found.order == order
    assert not found.doubts if doubt is None else doubt in found.doubts[0]


def test_swapped_days_and_months_are_noticed_by_where_they_lie() -> None:
    right = {f"{day:02}.08.2026": 1 for day in range(13, 32)}
    swapped = {f"08.{day:02}.2026": 1 for day in range(1, 13)}
    assert find_date_order(right | swapped).doubts == ()
    doubts = find_date_order(right | dict.fromkeys(swapped, 3)).doubts
    assert "day and month seem swapped in 33 rows" in doubts[0]
    sound = {f"{day:02}.08.2026": 3 for day in range(1, 13)}
    assert find_date_order(right | sound).doubts == ()


def test_swapped_days_and_months_are_noticed_in_iso_order_too() -> None:
    right = {f"2026-08-{day}": 1 for day in range(13, 32)}
    swapped = {f"2026-{day:02}-08": 3 for day in range(1, 13)}
    assert "seem swapped" in guess_kind(right | swapped).doubts[0]


def test_a_null_marker_stands_beside_types_or_is_a_sign_in_several_columns() -> None:
    kinds = [
        guess_kind({"1": 5, "None": 1}),
        guess_kind({"red": 5, "?": 1, "nd": 1}),
        guess_kind({"blue": 5, "?": 1}),
        guess_kind({"loud": 5, "-": 1, " ": 1}),
    ]
    markers, doubts = choose_null_markers(kinds)
    assert markers == ("", " ", "?", "None")
    assert "'-', 'nd' were left as values" in doubts[1]
