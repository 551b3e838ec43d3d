"""Surveys of three tools and reviews of two sites, in one warehouse that has no CRM.

Real files where there are any (their figures were counted apart from this project), and
files written here as the tools write them, whose scores are worked out by hand.
"""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from include import night
from include.contracts import read_contracts
from include.embedded.postgres import EmbeddedPostgres
from include.settings import PROJECT_FOLDER, Settings
from tests.conftest import open_database, settings_of
from tests.nights import fetch, run

# A build of its own for the sources that are on here.
pytestmark = pytest.mark.slow

FIRST, SECOND = date(2026, 11, 17), date(2026, 11, 18)
SOURCES = (
    *("surveymonkey", "typeform", "google_forms"),
    *("restaurant_reviews", "shop_reviews"),
)
REAL = {
    "survey_surveymonkey/comma-survey.csv": "surveymonkey/responses",
    "survey_surveymonkey/thanksgiving-2015-poll-data.csv": "surveymonkey/responses",
    "survey_reviews/restaurants_es.xlsx": "restaurant_reviews/reviews",
    "survey_reviews/laroseda_test.json": "shop_reviews/reviews",
}

# The place in the real workbook of a review with five stars.
CHANGED_REVIEW = 3

DELIVERY = "How satisfied were you with the delivery?"
RECOMMEND = "How likely is it that you would recommend us?"
EASE = "How easy was it to get help, {{field:name}}?"
HELP = "Was it easy to order?"

# Two header rows, options of a question below it, markup, a name that comes twice, and
# American dates: one row without its end, one whose date is none.
DELIVERIES_HEADER = f"""\
Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,\
Last Name,Custom Data 1,<p><strong>{DELIVERY}</strong></p>,{RECOMMEND},\
Which did you use?,,,Comment,Comment
,,,,,,,,,Response,Response,Courier,Locker,Other (please specify),\
Open-Ended Response,Open-Ended Response
"""
MORNING = "11/16/2026 10:00:00 AM"
DELIVERIES = f"""\
1,9,{MORNING},11/16/2026 10:01:10 AM,10.0.0.1,ana@posta.example,Ana,Silva,,\
Extremely satisfied,10 - Extremely likely,Courier,,,"fast,
and kind",
2,9,{MORNING},11/16/2026 01:06:00 PM,10.0.0.2,,,,,Very satisfied,9,,Locker,,,
3,9,{MORNING},,10.0.0.3,,,,,Somewhat satisfied,8,Courier,Locker,,,
4,9,{MORNING},11/16/2026 10:02:00 AM,,,,,,very  Satisfied,Not likely – 2,,,,,
5,9,{MORNING},11/16/2026 10:03:00 AM,,,,,,Delighted,,,,by drone,é,
6,9,16/11/2026 10:00:00,16/11/2026 10:03:00,,,,,,Very satisfied,10,,,,,
7,9,{MORNING},11/16/2026 10:04:00 AM,,,,,,,7.0,,,,,
"""
# An opinion scale of Typeform, a hidden field, responses that were not finished.
HELPED = f"""\
#,"<strong>{EASE}</strong>",Why?,Other,email,Response Type,Start Date (UTC),\
Stage Date (UTC),Submit Date (UTC),Network ID,Tags,Ending
a1,7,,,,completed,2026-11-16 12:00:00,,2026-11-16 12:01:00,n1,,Thanks
a2,6,"slow
chat",,,completed,2026-11-16 12:00:00,,2026-11-16 12:02:00,n2,,
a3,2,,,,completed,2026-11-16 12:00:00,,2026-11-16 12:03:00,n3,,
a4,1,,,,partial,2026-11-16 12:00:00,2026-11-16 12:04:00,,n4,,
a5,,,,,completed,2026-11-16 12:00:00,,2026-11-16 12:05:00,n5,,
a6,8,,,,completed,2026-11-16 12:00:00,,2026-11-16 12:06:00,n6,,
"""
# As a spreadsheet saved it again, without the newer columns: 3 April, said by DMY.
OLD_EXPORT = f"""\
#,"{EASE}",Start Date (UTC),Submit Date (UTC),Network ID
b1,5,03/04/2026 08:00,03/04/2026 08:01,n7
b2,5,31/12/2026 25:00,31/12/2026 25:00,n8
"""
# A sheet in Portuguese: two responses of one second, one of them word by word the same.
SHEET_HEADER = f"Carimbo de data/hora,Endereço de e-mail,{HELP},Comentário,Comentário"
SHEET = [
    "16/11/2026 23:30:00,ion@posta.example,Very easy,,",
    "16/11/2026 23:31:00,,Easy,a,b",
    "16/11/2026 23:31:00,,Difficult,,",
    "16/11/2026 23:31:00,,Easy,a,b",
]
NEXT_DAY = '17/11/2026 08:00:00,,Very difficult,"um\ndois",'
# The form's own download: the year first, and the zone.
DOWNLOAD = f"""\
Timestamp,{HELP}
2026/11/16 11:30:00 PM GMT-3,7
2026/11/16 11:30:00 PM EET,7
"""

SURVEYS = """\
deliveries,Delivery,transactional,anonymous,,7,visitor,en,,
typeform/helped,Helped,transactional,anonymous,,7,visitor,en,,
google_forms/pedido,Pedido,transactional,anonymous,,7,visitor,pt,,
google_forms/download,Download,transactional,anonymous,,7,visitor,pt,,
wide,Wide,relational,anonymous,,7,customer,en,,
"""
QUESTIONS = f"""\
deliveries,{DELIVERY},csat,,1,5,4,higher_is_better
deliveries,{RECOMMEND},nps,,0,10,,higher_is_better
typeform/helped,"{EASE}",ces,,1,7,5,higher_is_better
google_forms/pedido,{HELP},ces,,1,7,5,higher_is_better
google_forms/download,{HELP},ces,,1,7,5,higher_is_better
wide,Question 1100,nps,,0,10,,higher_is_better
"""
# In this survey the second best is "very satisfied".
ANSWER_VALUES = f"""\
deliveries,{DELIVERY},,,Extremely satisfied,5
deliveries,{DELIVERY},,,Very satisfied,4
deliveries,{DELIVERY},,,Somewhat satisfied,3
,,1,7,Very easy,7
,,1,7,Easy,6
,,1,7,Difficult,2
,,1,7,Very difficult,1
"""


DECLARED_NAMES = {
    column.name
    for column in read_contracts(PROJECT_FOLDER, SOURCES)[
        "surveymonkey.responses"
    ].columns
}


@dataclass(frozen=True)
class Loaded:
    """The warehouse after both nights, and the reviews as they were after the first."""

    settings: Settings
    first_reviews: dict[tuple[str, str], list[int]]


def write_exports(landing: Path, shared_data: Path) -> None:
    """Write the exports of both nights; the second brings most of the first again."""

    def put(feed: str, night_of: date, name: str, content: str | bytes) -> None:
        path = landing / feed / night_of.isoformat() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    for source, feed in REAL.items():
        put(feed, FIRST, Path(source).name, (shared_data / source).read_bytes())
    deliveries = DELIVERIES_HEADER + DELIVERIES
    put("surveymonkey/responses", FIRST, "deliveries__all.csv", deliveries)
    put("surveymonkey/responses", FIRST, "wide.csv", make_wide_survey())
    put("surveymonkey/responses", SECOND, "deliveries.csv", save_again(deliveries))
    put("typeform/responses", FIRST, "helped.csv", HELPED)
    put("typeform/responses", SECOND, "helped.csv", OLD_EXPORT)
    sheet = "\n".join([SHEET_HEADER, *SHEET]) + "\n"
    put("google_forms/responses", FIRST, "pedido.csv", sheet)
    put("google_forms/responses", FIRST, "download.csv", DOWNLOAD)
    # A question more, and the newest first.
    more = [f"{row},x" for row in [NEXT_DAY, *reversed(SHEET)]]
    sheet = "\n".join([f"{SHEET_HEADER},Nova pergunta", *more]) + "\n"
    put("google_forms/responses", SECOND, "pedido.csv", sheet)
    put("restaurant_reviews/reviews", SECOND, "again.xlsx", send_again(shared_data))
    page = {"reviews": [{"index": "9675", "content": "Da", "starRating": 2}]}
    put("shop_reviews/reviews", SECOND, "page.json", json.dumps(page))


def save_again(export: str) -> bytes:
    """Write an export as a spreadsheet does: `;`, windows-1252, rows at their end cut
    off or filled up; sorted otherwise; and once with its number rounded."""
    header, options, *rows = csv.reader(io.StringIO(export))
    text = io.StringIO()
    rounded = ["1,18E+11", *rows[0][1:]]
    rows = [header, options, rows[-1][:12], *rows[:-1], rounded]
    csv.writer(text, delimiter=";").writerows([*row, ""] for row in rows)
    return text.getvalue().encode("windows-1252")


def send_again(shared_data: Path) -> bytes:
    """Make a workbook of forty of the real reviews, one with other stars, under other
    headers in another order; and of a new one, whose stars are none."""
    workbook = openpyxl.load_workbook(
        shared_data / "survey_reviews/restaurants_es.xlsx", read_only=True
    )
    rows = workbook.worksheets[0].iter_rows(min_row=2, max_row=41, values_only=True)
    again = openpyxl.Workbook()
    sheet = again.active
    assert sheet is not None
    sheet.append(("Lugar", "Calificación", "OPINIÓN ", "Título", "Más"))
    for number, (title, opinion, rating, attraction) in enumerate(rows):
        stars = 1 if number == CHANGED_REVIEW else rating
        sheet.append((attraction, stars, opinion, title, None))
    sheet.append(("Hotel", 6, "Six stars", None, "x"))
    buffer = io.BytesIO()
    again.save(buffer)
    return buffer.getvalue()


def make_wide_survey() -> str:
    """Three answers to 1,200 questions, with dates in ISO form."""
    questions = ",".join(f"Question {number}" for number in range(1, 1201))
    rows = [
        ",".join([str(900 + score), "2026-11-16 12:00:00", *[str(score)] * 1200])
        for score in (10, 9, 3)
    ]
    return "\n".join([f"RespondentID,EndDate,{questions}", *rows]) + "\n"


def copy_project(folder: Path) -> Path:
    """Copy the dbt project, and register the surveys of this test in its seeds."""
    shutil.copytree(PROJECT_FOLDER / "dbt_project", folder / "dbt_project")
    for name, rows in (
        ("surveys", SURVEYS),
        ("survey_questions", QUESTIONS),
        ("answer_values", ANSWER_VALUES),
    ):
        with (folder / "dbt_project/seeds" / f"{name}.csv").open("a") as file:
            file.write(rows)
    return folder


@pytest.fixture(scope="module")
def loaded(
    postgres_server: EmbeddedPostgres,
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Loaded]:
    landing = tmp_path_factory.mktemp("landing")
    write_exports(landing, shared_data)
    with open_database(postgres_server, template="template1") as url:
        settings = replace(
            settings_of(url, landing),
            sources=SOURCES,
            project_folder=copy_project(tmp_path_factory.mktemp("project")),
            report_folder=tmp_path_factory.mktemp("report"),
        )
        night.prepare(settings)
        assert run(settings, FIRST, FIRST, "first") == []
        first_reviews = count_reviews(settings)
        assert run(settings, SECOND, SECOND, "second") == []
        yield Loaded(settings, first_reviews)


def count_reviews(settings: Settings) -> dict[tuple[str, str], list[int]]:
    """Reviews with one star, two … five, by site and language."""
    rows = fetch(
        settings,
        "select site, language, array_agg(reviews order by stars) from ("
        "  select site, language, stars, count(*) filter (where rating = stars)"
        "   as reviews from marts.fct_reviews, generate_series(1, 5) as stars"
        "  group by site, language, stars) as counted group by site, language",
    )
    return {(site, language): reviews for site, language, reviews in rows}


def test_every_row_is_accounted_for(loaded):
    """Quarantined are dates that cannot be read as declared, a number that was rounded,
    and six stars."""
    loads = fetch(
        loaded.settings,
        "select feed, batch_date, rows_in_file, rows_staged, rows_quarantined"
        " from audit.loads where rows_rejected = 0 and status = 'accepted'"
        " order by feed, batch_date",
    )
    assert loads == [
        ("google_forms.responses", FIRST, 6, 5, 1),
        ("google_forms.responses", SECOND, 5, 5, 0),
        ("restaurant_reviews.reviews", FIRST, 15963, 15963, 0),
        ("restaurant_reviews.reviews", SECOND, 41, 40, 1),
        ("shop_reviews.reviews", FIRST, 3000, 3000, 0),
        ("shop_reviews.reviews", SECOND, 1, 1, 0),
        ("surveymonkey.responses", FIRST, 7 + 3 + 1129 + 1058, 2196, 1),
        ("surveymonkey.responses", SECOND, 8, 6, 2),
        ("typeform.responses", FIRST, 6, 6, 0),
        ("typeform.responses", SECOND, 2, 1, 1),
    ]
    assert fetch(
        loaded.settings,
        "select feed, place, sum(keys) from audit.key_accounts"
        " where not is_in_star group by 1, 2",
    ) == [("surveymonkey.responses", "the survey is not registered", 1129 + 1058)]


def test_reviews_have_the_stars_of_the_files(loaded):
    assert loaded.first_reviews == {
        ("restaurant reviews", "es"): [197, 207, 299, 781, 14479],
        ("shop reviews", "ro"): [1102, 398, 0, 244, 1256],
    }


def test_satisfaction_with_reviewed_places_is_that_of_the_files(loaded):
    shares = {
        site: round(100 * sum(stars[3:]) / sum(stars), 2)
        for (site, _), stars in loaded.first_reviews.items()
    }
    assert shares == {"restaurant reviews": 95.60, "shop reviews": 50.00}


def test_reviews_that_come_again_are_the_same_with_their_new_stars(loaded):
    assert count_reviews(loaded.settings) == {
        ("restaurant reviews", "es"): [198, 207, 299, 781, 14478],
        ("shop reviews", "ro"): [1101, 399, 0, 244, 1256],
    }


def test_what_has_no_date_keeps_that_of_the_night_that_first_brought_it(loaded):
    assert fetch(
        loaded.settings, "select distinct published_date from marts.fct_reviews"
    ) == [(FIRST,)]
    assert fetch(
        loaded.settings,
        "select survey_id, responses, first_answered_date, last_answered_date"
        " from marts.unregistered_surveys order by survey_id",
    ) == [
        ("comma-survey", 1129, FIRST, FIRST),
        ("thanksgiving-2015-poll-data", 1058, FIRST, FIRST),
    ]
    assert fetch(
        loaded.settings,
        "select survey_id, bool_and(is_dated_by_export), bool_or(is_dated_by_export)"
        " from staging.stg_surveymonkey__responses group by 1 order by 1",
    ) == [
        ("comma-survey", True, True),
        ("deliveries", False, False),
        ("thanksgiving-2015-poll-data", True, True),
        ("wide", False, False),
    ]


def test_each_answer_of_a_real_survey_is_in_its_record(loaded, shared_data):
    path = shared_data / "survey_surveymonkey/thanksgiving-2015-poll-data.csv"
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    header = [" ".join(name.split()) for name in header]
    counts = dict(
        fetch(
            loaded.settings,
            "select question.key, count(question.value)"
            " from staging.stg_surveymonkey__responses"
            " cross join jsonb_each_text(answers) as question"
            " where survey_id = 'thanksgiving-2015-poll-data' group by question.key",
        )
    )
    assert len(counts) == len(header) == 65
    for place, name in enumerate(header):
        # The same name comes twice where somebody may name another dish.
        names = [name, f"{name}__2"] if header.count(name) > 1 else [name]
        same = [other for other, text in enumerate(header) if text == name]
        if place == same[0] and place > 0:
            assert [counts[name] for name in names] == [
                sum(row[other] != "" for row in rows) for other in same
            ]


def test_words_and_labels_score_as_the_seeds_say(loaded):
    scores = fetch(
        loaded.settings,
        "select survey_id, metric, array_agg(score order by score, response_id)"
        " filter (where is_counted), array_agg(exclusion_reason order by response_id)"
        " filter (where not is_counted) from marts.fct_survey_responses"
        " group by survey_id, metric order by survey_id, metric",
    )
    assert scores == [
        # Delighted is no answer of the scale; one was asked and did not say.
        ("deliveries", "csat", [3, 4, 4, 5], ["score_out_of_scale", "skipped"]),
        ("deliveries", "nps", [2, 7, 8, 9, 10], ["skipped"]),
        ("google_forms/download", "ces", [7], None),
        ("google_forms/pedido", "ces", [1, 2, 6, 6, 7], None),
        (
            *("typeform/helped", "ces", [2, 5, 6, 7]),
            ["unfinished", "skipped", "score_out_of_scale"],
        ),
        ("wide", "nps", [3, 9, 10], None),
    ]


def test_the_scores_are_those_worked_out_by_hand(loaded):
    """NPS (2 - 1) / 5 and, of the wide survey, (2 - 1) / 3; CSAT 3 of 4; CES of
    November 15 / 3, 22 / 5 and 7 / 1, and 44 / 9 of all."""
    scores = fetch(
        loaded.settings,
        "select metric, survey_kind, breakdown_value, round(score, 2), responses"
        " from marts.experience_scores where period_label = '2026-11'"
        " and breakdown in ('total', 'survey') and metric in ('nps', 'csat', 'ces')"
        " order by metric, survey_kind, breakdown desc, breakdown_value",
    )
    assert [(*row[:3], float(row[3]), row[4]) for row in scores] == [
        ("ces", "transactional", "(all)", 4.89, 9),
        ("ces", "transactional", "google_forms/download", 7.0, 1),
        ("ces", "transactional", "google_forms/pedido", 4.4, 5),
        ("ces", "transactional", "typeform/helped", 5.0, 3),
        ("csat", "transactional", "(all)", 75.0, 4),
        ("csat", "transactional", "deliveries", 75.0, 4),
        ("nps", "relational", "(all)", 33.33, 3),
        ("nps", "relational", "wide", 33.33, 3),
        ("nps", "transactional", "(all)", 20.0, 5),
        ("nps", "transactional", "deliveries", 20.0, 5),
    ]


def test_times_are_those_of_their_country_and_zone(loaded):
    times = fetch(
        loaded.settings,
        "select distinct answered_at at time zone 'UTC' from"
        " marts.fct_survey_responses where response_id = any(%s)"
        " or survey_id = 'google_forms/download' order by 1",
        ["2", "typeform/b1"],
    )
    assert times == [
        # 03/04/2026, day before month.
        (datetime(2026, 4, 3, 8, 1),),
        # 01:06:00 PM.
        (datetime(2026, 11, 16, 13, 6),),
        # 11:30:00 PM GMT-3.
        (datetime(2026, 11, 17, 2, 30),),
    ]


def test_a_sheet_s_responses_are_the_same_in_whatever_order_they_come(loaded):
    assert fetch(
        loaded.settings,
        "select count(*), count(distinct natural_key)"
        " from staging.stg_google_forms__responses where survey_id = 'pedido'",
    ) == [(4 + 5, 5)]


def test_a_survey_of_over_a_thousand_columns_is_staged_whole(loaded):
    assert fetch(
        loaded.settings,
        "select distinct (select count(*) from jsonb_object_keys(answers))"
        " from staging.stg_surveymonkey__responses where survey_id = 'wide'",
    ) == [(1202,)]


def test_two_header_rows_make_one_name(loaded):
    ((answers,),) = fetch(
        loaded.settings,
        "select answers from staging.stg_surveymonkey__responses"
        " where response_id = '5' and _batch_date = %s",
        FIRST,
    )
    assert {name: answers[name] for name in answers if name not in DECLARED_NAMES} == {
        DELIVERY: "Delighted",
        RECOMMEND: None,
        "Which did you use? - Courier": None,
        "Which did you use? - Locker": None,
        "Which did you use? - Other (please specify)": "by drone",
        "Comment": "é",
        "Comment__2": None,
    }


def test_what_people_wrote_and_who_they_are_stays_in_raw(loaded):
    """Neither in the models nor in what is published."""
    tables = fetch(
        loaded.settings,
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('warehouse', 'marts')",
    )
    assert len(tables) > 50
    for schema, table in tables:
        assert fetch(
            loaded.settings,
            f"select count(*) from {schema}.{table} as found"
            " where found::text ~ 'posta.example|Silva|by drone|Six stars'",
        ) == [(0,)], table
