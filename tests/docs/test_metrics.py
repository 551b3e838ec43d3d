"""Every worked example in docs/metrics.md is true.

Three kinds are run, each with its answer beside it in the document:

- a ```sql block, on a warehouse in which everything is built; the table below it is the
  answer, to the digits that are shown;
- a ```python block, as a doctest;
- a table below `Unit test: <name>`; dbt runs that unit test of a model, and each row of
  the table is one of the rows that it expects.
"""

import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import psycopg
import pytest
import yaml

from include.building.dbt import Dbt
from include.embedded.postgres import EmbeddedPostgres
from include.settings import PROJECT_FOLDER, Settings
from tests.conftest import open_database, settings_of

DOCUMENT = PROJECT_FOLDER / "docs/metrics.md"
# Fewer of a kind than this, and the search for them has gone wrong.
AT_LEAST = {"sql": 8, "python": 2, "unit test": 6}


@dataclass(frozen=True)
class Example:
    """One worked example: its kind, its heading, what to run and the table below."""

    kind: str
    heading: str
    text: str
    table: list[dict[str, str]] = field(default_factory=list)


def read_examples() -> list[Example]:
    examples = []
    for section in re.split(r"^(?=#+ )", DOCUMENT.read_text("utf-8"), flags=re.M):
        heading = section.splitlines()[0].lstrip("# ") if section else ""
        pieces = re.finditer(
            r"^```(?P<language>sql|python)\n(?P<code>.*?)^```$"
            r"|^Unit test: `(?P<unit_test>\w+)`",
            section,
            flags=re.M | re.S,
        )
        for piece in pieces:
            kind = piece["language"] or "unit test"
            text = piece["code"] or piece["unit_test"]
            table = read_table(section[piece.end() :])
            examples.append(Example(kind, heading, text, table))
    return examples


def read_table(text: str) -> list[dict[str, str]]:
    """The Markdown table at the beginning of a text, as one mapping per row."""
    lines = []
    for line in text.strip("\n").splitlines():
        if not line.startswith("|"):
            break
        lines.append([cell.strip() for cell in line.strip("|").split("|")])
    if not lines:
        return []
    header, _, *rows = lines
    return [dict(zip(header, row, strict=True)) for row in rows]


EXAMPLES = read_examples()


def list_examples(kind: str) -> list:
    return [
        pytest.param(example, id=f"{number}-{example.heading}")
        for number, example in enumerate(EXAMPLES)
        if example.kind == kind
    ]


def is_shown_as(value: object, shown: str) -> bool:
    """Whether a value is what the document shows, to the digits that it shows."""
    if value is None or shown == "null":
        return value is None and shown == "null"
    if isinstance(value, bool):
        return shown == str(value).lower()
    try:
        number, expected = Decimal(str(value)), Decimal(shown)
    except InvalidOperation:
        return str(value) == shown
    return round(number, max(0, -int(expected.as_tuple().exponent))) == expected


@pytest.fixture(scope="module")
def built(
    postgres_server: EmbeddedPostgres,
    built_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:
    with open_database(postgres_server, template=built_template) as url:
        yield settings_of(url, tmp_path_factory.mktemp("landing"))


@pytest.fixture(scope="module")
def unit_tests(built: Settings) -> dict[str, str]:
    """How the unit tests that the document names ended."""
    names = [example.text for example in EXAMPLES if example.kind == "unit test"]
    selected = " ".join(f"unit_test:{name}" for name in names)
    return {outcome.name: outcome.status for outcome in Dbt(built).test_units(selected)}


@pytest.fixture(scope="module")
def declared() -> dict[str, dict]:
    """The unit tests of all models, as they are declared."""
    return {
        test["name"]: test
        for path in (PROJECT_FOLDER / "dbt_project/models").rglob("*.yml")
        for test in yaml.safe_load(path.read_text("utf-8")).get("unit_tests", [])
    }


def test_examples_of_each_kind_are_found():
    for kind, at_least in AT_LEAST.items():
        assert len(list_examples(kind)) >= at_least


def test_every_metric_has_a_source_and_a_worked_example():
    text = DOCUMENT.read_text("utf-8")
    metrics = re.findall(r"^### (.+)$", text, flags=re.M)
    assert len(metrics) >= 15
    worked = {example.heading for example in EXAMPLES}
    assert [metric for metric in metrics if metric not in worked] == []
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        assert "**Source.**" in section, section.splitlines()[0]
        assert "**Unit.**" in section, section.splitlines()[0]


@pytest.mark.parametrize("example", list_examples("sql"))
def test_sql(example, built):
    assert example.table, "the answer stands below"
    with psycopg.connect(built.database_url) as connection:
        cursor = connection.execute(example.text)
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert names == list(example.table[0])
    assert len(found) == len(example.table)
    for row, shown in zip(found, example.table, strict=True):
        wrong = {
            name: row[name] for name in names if not is_shown_as(row[name], shown[name])
        }
        assert wrong == {}


@pytest.mark.parametrize("example", list_examples("python"))
def test_python(example):
    test = doctest.DocTestParser().get_doctest(
        example.text, {}, example.heading, str(DOCUMENT), 0
    )
    assert test.examples
    report: list[str] = []
    failed = doctest.DocTestRunner().run(test, out=report.append).failed
    assert failed == 0, "".join(report)


@pytest.mark.parametrize("example", list_examples("unit test"))
def test_unit(example, unit_tests, declared):
    assert unit_tests[example.text] == "pass"
    assert example.table, "the answer stands below"
    expected = declared[example.text]["expect"]["rows"]
    for shown in example.table:
        assert any(
            all(is_shown_as(row[name], shown[name]) for name in shown)
            for row in expected
        ), f"{example.text} expects no row {shown}"
