"""Headers of surveys: two rows that make one name, markup, names that come again."""

from collections.abc import Iterator
from typing import Any

import pytest

from include.loading.kept_readers import RereadRow, read_kept
from include.settings import Settings
from tests.include.loading.load_world import LoadWorld, make_contract, open_load_world

SURVEY = make_contract(
    ("number", "ended_at"),
    required=("number",),
    headers={"number": ["Respondent ID"], "ended_at": ["End Date"]},
    natural_key=["number"],
    storage="record",
    header_options={"plain": ["Response"]},
    plain_headers=True,
)


@pytest.fixture
def world(settings: Settings) -> Iterator[LoadWorld]:
    world = open_load_world(settings)
    yield world
    world.connection.close()


def load(world: LoadWorld, text: str, rejected: int = 0) -> list[dict[str, Any]]:
    world.put(text)
    assert world.load(SURVEY).rows_rejected == rejected
    return [record for (record,) in world.raw_rows("record")]


def test_a_second_header_row_names_the_options_of_questions(world: LoadWorld) -> None:
    assert load(
        world,
        "Respondent ID,End Date,Why?,,,How likely?,Sex\n"
        ",,Price,Taste,Other (please specify),Response,\n"
        "7,01/31/2026,,Taste,,9,\n",
    ) == [
        {
            "number": "7",
            "ended_at": "01/31/2026",
            "Why? - Price": None,
            "Why? - Taste": "Taste",
            "Why? - Other (please specify)": None,
            "How likely?": "9",
            "Sex": None,
        }
    ]


def test_an_export_with_one_header_row_keeps_its_first_record(world: LoadWorld) -> None:
    assert load(world, "Respondent ID,How likely?\n7,9\n8,\n") == [
        {"number": "7", "How likely?": "9"},
        {"number": "8", "How likely?": None},
    ]


def test_the_order_of_columns_does_not_matter(world: LoadWorld) -> None:
    (record,) = load(world, "Why?,,Respondent ID\nPrice,Taste,\n,x,7\n")
    assert record == {"Why? - Price": None, "Why? - Taste": "x", "number": "7"}


def test_what_a_program_wrote_for_an_empty_header_is_empty(world: LoadWorld) -> None:
    (record,) = load(
        world,
        "Respondent ID,Why?,Unnamed: 2,Sex\n"
        "Unnamed: 0_level_1,Price,Taste,Unnamed: 3_level_1\n"
        "7,x,,f\n",
    )
    assert record == {
        **{"number": "7", "Why? - Price": "x", "Why? - Taste": None},
        "Sex": "f",
    }


def test_a_malformed_second_row_is_a_reject_and_no_header(world: LoadWorld) -> None:
    text = 'Respondent ID,How likely?\n7,"9" x\n8,3\n'
    assert load(world, text, rejected=1) == [{"number": "8", "How likely?": "3"}]


def test_markup_and_needless_blanks_are_no_part_of_a_name(world: LoadWorld) -> None:
    (record,) = load(
        world,
        "\ufeff<b>respondent\u00a0id</b>,END DATE ,"
        '"How <strong>likely</strong>\nis it? &amp; why",Income < 50\n'
        "7,x,9,yes\n",
    )
    assert record == {
        **{"number": "7", "ended_at": "x"},
        **{"How likely is it? & why": "9", "Income < 50": "yes"},
    }


def test_names_that_come_again_are_numbered(world: LoadWorld) -> None:
    (record,) = load(
        world, "Respondent ID,Comment,<i>Comment</i>,respondent id\n7,a,b,c\n"
    )
    assert record == {
        **{"number": "7", "Comment": "a", "Comment__2": "b"},
        "respondent id": "c",
    }


def test_an_exact_contract_takes_names_as_they_are(world: LoadWorld) -> None:
    world.put("id,<b>Q</b>\n1,x\n")
    world.load(make_contract(("id",), storage="record"))
    assert world.raw_rows("record") == [({"id": "1", "<b>Q</b>": "x"},)]


def test_a_reject_is_read_again_under_both_header_rows(world: LoadWorld) -> None:
    header = b"Respondent ID,Why?,\n,Price,Taste\n"
    reread = read_kept(SURVEY, header, b"7,x,", 3)
    assert isinstance(reread, RereadRow)
    assert reread.row == (
        3,
        '{"number": "7", "Why? - Price": "x", "Why? - Taste": null}',
    )
