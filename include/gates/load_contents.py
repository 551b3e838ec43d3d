"""Count the values of waiting loads, column by column.

In: a feed's contract, the raw tables, load ids. Out: `LoadContents` for each load. A
contract says which columns to look at: those that list their `values`, hold a `number`
or refer to another feed (`refers_to`). What a list does not name is counted as
"(other)", so that no value gets out of raw that nobody declared. Of a large load every
n-th row is looked at: shares need no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import ColumnContract, FeedContract
from include.loading.raw_tables import RawTable, field_of

OTHER = "(other)"
MOST_ROWS_LOOKED_AT = 20_000
# Which question a survey's file answers: a column of its own, made of both names.
QUESTIONS = "question"

BROKEN_TEXT = "[ÃÂ][\u0080-\u00bf]|â€|\ufffd"
MARKUP = "</?[a-zA-Z][^<>]*>"
E_MAIL = "[[:alnum:]._+-]+@[[:alnum:]-]+[.][[:alpha:]]"
TEST_WORDS = (
    "^\\W*(test|teste|testing|prueba|asdf)(\\W+(test|teste|testing|prueba|asdf))*\\W*$"
)
NUMBER = "^[+-]?[0-9]+([.][0-9]+)?$"

ROW_FIGURES = (
    "rows_looked_at",
    "rows_with_markup",
    "rows_beyond_ascii",
    "rows_with_broken_text",
    "rows_with_contact_data",
    "rows_of_tests",
    "rows_of_earlier_days",
)

# Hours since the day began; date_part, because extract gives an exact number, which is
# slow. A clock that moved takes rows to the day beside it; of one that moved further
# other rules tell, because so few rows are left on the day itself.
_HOUR = "date_part('epoch', happened_at - batch_date) / 3600 as hour"
_IS_TIMED = "hour >= -6 and hour < 30"


@dataclass(frozen=True)
class NumberFigures:
    """What a column of numbers holds; the median is of those that can be read."""

    filled: int
    readable: int
    off_range: int
    median: float | None


@dataclass(frozen=True)
class ReferenceFigures:
    """What a column that refers to another feed holds."""

    filled: int
    distinct: int
    orphans: int


@dataclass(frozen=True)
class LoadContents:
    """What was counted in a load; `values` maps columns to rows by value."""

    rows: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    numbers: Mapping[str, NumberFigures] = field(default_factory=dict)
    references: Mapping[str, ReferenceFigures] = field(default_factory=dict)
    files: Sequence[str] = ()
    timed_rows: int = 0
    average_hour: float | None = None
    hour_spread: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any] | None) -> Self:
        """Read what `to_json` wrote; nothing for a load of before."""
        if not written:
            return cls()
        figures = {
            "numbers": {
                name: NumberFigures(**value)
                for name, value in written["numbers"].items()
            },
            "references": {
                name: ReferenceFigures(**value)
                for name, value in written["references"].items()
            },
        }
        return cls(**{**written, **figures})


def count_contents(
    connection: psycopg.Connection,
    contracts: Mapping[str, FeedContract],
    contract: FeedContract,
    load_ids: Sequence[int],
    reporting_time_zone: str,
) -> dict[int, LoadContents]:
    """Count the values of the loads of one feed; the session's zone is the source's."""
    query = _ContentQuery(contracts, contract)
    parameters = {
        "load_ids": list(load_ids),
        "zone": reporting_time_zone,
        "most": MOST_ROWS_LOOKED_AT,
        "other": OTHER,
        "broken_text": BROKEN_TEXT,
        "markup": MARKUP,
        "e_mail": E_MAIL,
        "test_words": TEST_WORDS,
        "number": NUMBER,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        counted = cursor.execute(query.compose_figures(), parameters).fetchall()
    values: dict[int, dict[str, dict[str, int]]] = {}
    if (value_query := query.compose_values()) is not None:
        for load_id, name, value, rows in connection.execute(value_query, parameters):
            values.setdefault(load_id, {}).setdefault(name, {})[value] = rows
    references: dict[int, dict[str, ReferenceFigures]] = {}
    for name, reference_query in query.compose_references().items():
        for load_id, *figures in connection.execute(reference_query, parameters):
            references.setdefault(load_id, {})[name] = ReferenceFigures(*figures)
    files: dict[int, list[str]] = dict(
        connection.execute(
            # Page numbers and dates differ from night to night, the rest does not.
            "select load_id, array_agg(distinct regexp_replace("
            "  split_part(regexp_replace(path, '^.*/', ''), '__', 1),"
            "  '[0-9]+', '#', 'g')) from audit.load_files"
            " where load_id = any(%s) group by load_id",
            [list(load_ids)],
        ).fetchall()
    )
    contents = {
        row["load_id"]: query.read(
            row,
            values.get(row["load_id"], {}),
            references.get(row["load_id"], {}),
            files.get(row["load_id"], []),
        )
        for row in counted
    }
    return {
        load_id: contents.get(load_id, LoadContents(files=files.get(load_id, [])))
        for load_id in load_ids
    }


class _ContentQuery:
    """The queries of one feed's contents, and how their answers are read."""

    def __init__(
        self, contracts: Mapping[str, FeedContract], contract: FeedContract
    ) -> None:
        self._contracts = contracts
        self._contract = contract
        self._alias = "content" if contract.is_snapshot else "lineage"
        columns = contract.columns
        self._listed = [column for column in columns if column.values]
        self._scales = [column for column in columns if column.is_scale]
        self._numbers = [column for column in columns if column.number]
        self._references = [column for column in columns if column.refers_to]

    def compose_figures(self) -> sql.Composed:
        """Compose the query of all but the values: one row per load."""
        parts: list[sql.Composable] = [
            sql.SQL(
                "count(*) as rows_looked_at,"
                " count(*) filter (where has_markup) as rows_with_markup,"
                " count(*) filter (where is_beyond_ascii) as rows_beyond_ascii,"
                " count(*) filter (where has_broken_text) as rows_with_broken_text,"
                " count(*) filter (where has_contact_data) as rows_with_contact_data,"
                " count(*) filter (where is_test) as rows_of_tests,"
                " count(*) filter (where hour < 0) as rows_of_earlier_days,"
                f" count(*) filter (where {_IS_TIMED}) as timed_rows,"
                f" avg(hour) filter (where {_IS_TIMED}) as average_hour,"
                f" stddev_pop(hour) filter (where {_IS_TIMED}) as hour_spread"
            )
        ]
        for number, column in enumerate(self._numbers):
            value = self._value(column)
            number_range = column.number
            assert number_range is not None
            readable = sql.SQL(
                "case when {0} ~ %(number)s then {0}::numeric end"
            ).format(value)
            parts.append(
                sql.SQL(
                    "count({value}) as filled_{n}, count({readable}) as readable_{n},"
                    " count(*) filter (where {readable} < {low} or {readable} > {high})"
                    "   as off_range_{n},"
                    " percentile_cont(0.5) within group (order by ({readable})::float8)"
                    "   as median_{n}"
                ).format(
                    value=value,
                    readable=readable,
                    low=_bound(number_range.minimum),
                    high=_bound(number_range.maximum),
                    n=sql.SQL(str(number)),
                )
            )
        return sql.SQL(
            "select load_id, {} from ({}) as content group by load_id"
        ).format(sql.SQL(", ").join(parts), self._compose_rows())

    def compose_values(self) -> sql.Composed | None:
        """Compose the query of rows by load, column and value."""
        rows: list[sql.Composable] = [
            sql.SQL(
                "({name}, case when {value} = any({values}::text[]) then {value}"
                " when {value} is not null then %(other)s end)"
            ).format(
                name=sql.Literal(column.name),
                value=self._value(column),
                values=sql.Literal(list(column.values)),
            )
            for column in self._listed
        ]
        for column in self._scales:
            value, number_range = self._value(column), column.number
            assert number_range is not None
            rows.append(
                sql.SQL(
                    "({name}, case when {value} ~ %(number)s and {value}::numeric"
                    " between {low} and {high} then {value} end)"
                ).format(
                    name=sql.Literal(column.name),
                    value=value,
                    low=_bound(number_range.minimum),
                    high=_bound(number_range.maximum),
                )
            )
            if self._contract.storage == "record":
                rows.append(
                    sql.SQL(
                        "({name}, case when {value} is not null"
                        " then content._file_stem || ' ' || {column} end)"
                    ).format(
                        name=sql.Literal(QUESTIONS),
                        value=value,
                        column=sql.Literal(column.name),
                    )
                )
        if not rows:
            return None
        return sql.SQL(
            "select load_id, watched.name, watched.value, count(*)"
            " from ({}) as content cross join lateral (values {}) as"
            " watched (name, value) where watched.value is not null group by 1, 2, 3"
        ).format(self._compose_rows(), sql.SQL(", ").join(rows))

    def compose_references(self) -> dict[str, sql.Composed]:
        """Compose the query of each column that refers to another feed.

        The join looks up only what the rows name, however long the other feed's past.
        """
        queries = {}
        for column in self._references:
            target = self._contracts[str(column.refers_to)]
            queries[column.name] = sql.SQL(
                "with referring as materialized ("
                "  select load_id, {value} as value from ({rows}) as content"
                "  where {value} is not null"
                "), known as materialized ("
                "  select distinct {key} as value from {target} as target"
                "  where {key} in (select value from referring){of_source}"
                ") select load_id, count(*), count(distinct value),"
                " count(*) filter (where known.value is null)"
                " from referring left join known using (value) group by load_id"
            ).format(
                value=self._value(column),
                rows=self._compose_rows(),
                key=field_of(target, "target", target.natural_key[0]),
                target=sql.Identifier(target.schema_name, target.feed),
                of_source=self._restrict_to_source(target),
            )
        return queries

    def _restrict_to_source(self, target: FeedContract) -> sql.Composable:
        """Leave out the rows of other instances, whose numbers may be the same."""
        if not any(
            feed.raw_table == target.raw_table and feed.source != target.source
            for feed in self._contracts.values()
        ):
            return sql.SQL("")
        loads = sql.SQL(
            "(select load_id from audit.loads where loads.feed = {})"
        ).format(sql.Literal(target.name))
        if not target.is_snapshot:
            return sql.SQL(" and target._load_id in {}").format(loads)
        return sql.SQL(
            " and exists (select from {} as members"
            " where members._row_id = target._row_id and members._load_id in {})"
        ).format(RawTable(target).snapshots, loads)

    def read(
        self,
        row: Mapping[str, Any],
        values: Mapping[str, Mapping[str, int]],
        references: Mapping[str, ReferenceFigures],
        files: Sequence[str],
    ) -> LoadContents:
        """Read one row of the figures."""
        return LoadContents(
            rows={name: row[name] for name in ROW_FIGURES},
            values=values,
            numbers={
                column.name: NumberFigures(
                    *(
                        row[f"{figure}_{number}"]
                        for figure in ("filled", "readable", "off_range", "median")
                    )
                )
                for number, column in enumerate(self._numbers)
            },
            references=references,
            files=sorted(files),
            timed_rows=row["timed_rows"],
            average_hour=_read_number(row["average_hour"]),
            hour_spread=_read_number(row["hour_spread"]),
        )

    def _compose_rows(self) -> sql.Composed:
        """Compose the rows that are looked at, with what several figures need.

        A list repeats most of its rows every night: each is read once.
        """
        contract = self._contract
        table = sql.Identifier(contract.schema_name, contract.feed)
        sampled = sql.SQL(
            # Of most loads all rows: said first, so that the planner knows how many.
            "lineage._load_id = any(%(load_ids)s) and (loads.rows_loaded < 2 * %(most)s"
            " or mod(lineage._row_number, loads.rows_loaded / %(most)s) = 0)"
        )
        if not contract.is_snapshot:
            return sql.SQL(
                f"select load_id, {_HOUR}, {{figures}} from ("
                " select lineage._load_id as load_id, loads.batch_date, {texts}"
                "  from {table} as lineage"
                "  join audit.loads as loads on loads.load_id = lineage._load_id"
                "  where {sampled} offset 0) as content offset 0"
            ).format(
                figures=self._compose_row_figures(),
                texts=self._compose_texts(),
                table=table,
                sampled=sampled,
            )
        return sql.SQL(
            f"select lineage._load_id as load_id, {_HOUR}, content.*"
            " from {members} as lineage"
            " join audit.loads as loads on loads.load_id = lineage._load_id"
            # Written out: of a new load the planner expects a row or two, and would
            # look at the texts of all rows for each of them.
            " join (with content as materialized (select content._row_id, {figures}"
            "  from (select content._row_id, {texts} from {table} as content"
            "   where content._row_id in (select lineage._row_id"
            "    from {members} as lineage"
            "    join audit.loads as loads on loads.load_id = lineage._load_id"
            "    where {sampled}) offset 0) as content)"
            "  select * from content"
            " ) as content on content._row_id = lineage._row_id"
            " where {sampled} offset 0"
        ).format(
            figures=self._compose_row_figures(),
            texts=self._compose_texts(),
            table=table,
            members=sql.Identifier(contract.schema_name, f"{contract.feed}__snapshots"),
            sampled=sampled,
        )

    def _compose_texts(self) -> sql.Composed:
        """Compose what is read of each row: its texts, its time and its columns."""
        contract = self._contract
        free = [
            column.name for column in contract.columns if column.personal_data == "none"
        ]
        return sql.SQL(
            "concat_ws(chr(31), {all}) as all_text,"
            " concat_ws(chr(31), {free}) as free_text,"
            " {time} as happened_at, {columns}"
        ).format(
            all=sql.SQL(", ").join(map(self._source, contract.column_names)),
            free=sql.SQL(", ").join(map(self._source, free)),
            time=self._compose_time(),
            columns=self._compose_columns(self._alias),
        )

    def _compose_row_figures(self) -> sql.Composed:
        """Compose what is found in each row, from its texts."""
        return sql.SQL(
            "strpos(all_text, '<') > 0 and all_text ~ %(markup)s as has_markup,"
            " octet_length(all_text) > length(all_text) as is_beyond_ascii,"
            " octet_length(all_text) > length(all_text)"
            "  and all_text ~ %(broken_text)s as has_broken_text,"
            " strpos(free_text, '@') > 0 and free_text ~ %(e_mail)s"
            "  as has_contact_data,"
            " {is_test} as is_test, happened_at, {columns}"
        ).format(
            is_test=self._compose_tests(), columns=self._compose_columns("content")
        )

    def _compose_columns(self, alias: str) -> sql.Composable:
        names = self._contract.column_names
        if self._contract.storage == "record":
            names = ("record", "_file_stem")
        return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)

    def _compose_time(self) -> sql.Composable:
        if self._contract.event_time is None:
            return sql.SQL("null::timestamp")
        return read_time(self._source(self._contract.event_time))

    def _compose_tests(self) -> sql.Composable:
        """Compose whether anything that people write or are called is a test."""
        written = [
            sql.SQL("coalesce(lower({}) ~ %(test_words)s, false)").format(
                self._value(column)
            )
            for column in self._contract.columns
            if column.personal_data in ("free_text", "identifier")
        ]
        return sql.SQL(" or ").join(written) if written else sql.SQL("false")

    def _source(self, name: str) -> sql.Composable:
        return field_of(self._contract, self._alias, name)

    def _value(self, column: ColumnContract) -> sql.Composable:
        value = field_of(self._contract, "content", column.name)
        return sql.SQL("nullif({}, '')").format(value)


def read_time(value: sql.Composable) -> sql.Composed:
    """Compose when a text says that something happened, on the clocks of %(zone)s; null
    where it is no time. A time begins with a figure: "now" and "infinity" are none."""
    return sql.SQL(
        "case when ascii({0}) between 48 and 57"
        "  and pg_input_is_valid({0}, 'timestamptz')"
        " then cast({0} as timestamptz) at time zone %(zone)s end"
    ).format(sql.SQL("cast({} as text)").format(value))


def _bound(bound: float | None) -> sql.Composable:
    return sql.Literal(bound) if bound is not None else sql.SQL("null::numeric")


def _read_number(value: Any) -> float | None:
    return None if value is None else float(value)
