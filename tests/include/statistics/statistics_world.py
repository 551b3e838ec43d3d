"""A warehouse whose answers and frames a test makes by hand."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from include import statistics
from include.seeds import list_seeds
from include.settings import Settings

DAILY = "survey_kind text, survey_id text, segment text, country text"
TABLES = {
    "surveys": "survey_id text, survey_kind text, anonymity text, eligible_for text",
    "mart_nps_daily": f"{DAILY}, promoters integer, passives integer,"
    " detractors integer, responses integer, answered_date date",
    "mart_csat_daily": f"{DAILY}, top_box integer, score_sum integer,"
    " responses integer, answered_date date",
    "mart_ces_daily": f"{DAILY}, easy integer, score_sum integer,"
    " score_sum_squares integer, responses integer, answered_date date",
    "int_score_periods": "score_period_key text, period_key text, metric text,"
    " survey_kind text, is_confidential boolean, breakdown text, breakdown_value text,"
    " responses integer, period_start date, period_end date",
    "int_survey_frames": "rebuilt_with text, eligible_for text, customer_key uuid,"
    " segment text, country text, change integer, frame_date date,"
    " customer_part integer",
}


@dataclass
class StatisticsWorld:
    """Puts rows where models would, computes the statistics, and reads them."""

    settings: Settings
    connection: psycopg.Connection

    def make_tables(self) -> None:
        """Put empty tables in the place of the models that the statistics read."""
        for name, columns in TABLES.items():
            self.connection.execute(f"drop table if exists warehouse.{name} cascade")
            self.connection.execute(f"create table warehouse.{name} ({columns})")
        self.enter_code("built")

    def enter_code(self, fingerprint: str | None) -> None:
        """Say with which code the statistics were computed; None: with another one."""
        self.connection.execute("delete from audit.models where model = 'statistics'")
        self.connection.execute(
            "insert into audit.models (model, kind, schema_name, is_published, row_key,"
            " wanted_fingerprint, built_fingerprint)"
            " values ('statistics', 'statistics', 'statistics', false, '{}', 'built',"
            " %s)",
            [fingerprint],
        )

    def insert(self, table: str, **values: Any) -> None:
        self.connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier("warehouse", table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join([sql.Placeholder()] * len(values)),
            ),
            list(values.values()),
        )

    def add_survey(
        self, survey_id: str, eligible_for: str, anonymity: str = "identified"
    ) -> None:
        self.insert(
            "surveys",
            survey_id=survey_id,
            survey_kind="transactional",
            anonymity=anonymity,
            eligible_for=eligible_for,
        )

    def add_period(
        self, period_key: str, last: date, metric: str = "nps", **values: Any
    ) -> None:
        """Add a total of a period, so that the period is known."""
        values = {
            "breakdown": "total",
            "breakdown_value": "(all)",
            "is_confidential": False,
            "responses": 0,
        } | values
        key = "|".join(
            [
                metric,
                "transactional",
                *(["confidential"] if values["is_confidential"] else []),
                period_key,
                values["breakdown"],
                values["breakdown_value"],
            ]
        )
        self.insert(
            "int_score_periods",
            score_period_key=key,
            period_key=period_key,
            metric=metric,
            survey_kind="transactional",
            period_start=date.fromisoformat(period_key.split(":")[1]),
            period_end=last,
            **values,
        )

    def add_nps(
        self,
        day: date,
        survey_id: str,
        country: str,
        segment: str,
        counts: tuple[int, int, int],
    ) -> None:
        self.insert(
            "mart_nps_daily",
            survey_kind="transactional",
            survey_id=survey_id,
            country=country,
            segment=segment,
            promoters=counts[0],
            passives=counts[1],
            detractors=counts[2],
            responses=sum(counts),
            answered_date=day,
        )

    def add_eligible(
        self,
        eligible_for: str,
        day: date,
        country: str,
        segment: str,
        first: int,
        count: int,
        change: int = 1,
    ) -> None:
        """Make the customers number `first`, `first` + 1 … eligible."""
        self.connection.execute(
            "insert into warehouse.int_survey_frames"
            " select customer_key, %s, customer_key, %s, %s, %s, %s, number %% 64"
            " from generate_series(%s::integer, %s::integer) as number"
            " cross join lateral"
            " cast(lpad(cast(number as text), 32, '0') as uuid) as customer_key",
            [eligible_for, segment, country, change, day, first, first + count - 1],
        )
        self.mark_frames(eligible_for, day, first, count)

    def remove_eligible(
        self, eligible_for: str, day: date, first: int, count: int
    ) -> None:
        """Take back what made the customers number `first`, `first` + 1 … eligible."""
        self.connection.execute(
            "delete from warehouse.int_survey_frames"
            " where eligible_for = %s and frame_date = %s and customer_key in ("
            "  select cast(lpad(cast(number as text), 32, '0') as uuid)"
            "  from generate_series(%s::integer, %s::integer) as number)",
            [eligible_for, day, first, first + count - 1],
        )
        self.mark_frames(eligible_for, day, first, count)

    def mark_frames(self, eligible_for: str, day: date, first: int, count: int) -> None:
        """Mark the parts of customers whose frames changed, as their model does."""
        for part in {number % 64 for number in range(first, first + count)}:
            self.mark_dirty(
                "int_survey_frames.frame_part", f"{eligible_for}:{day}:{part}"
            )

    def mark_dirty(self, place: str, key: str) -> None:
        self.connection.execute(
            "insert into audit.dirty_keys values (%s, %s) on conflict do nothing",
            [place, key],
        )

    def compute(self) -> int:
        """Compute as a build does; returns the number of rows that changed."""
        with self.connection.transaction():
            countries = list_seeds(self.settings)["countries"]
            return statistics.compute(self.connection, countries)

    def read(self, query: str) -> list[tuple]:
        return self.connection.execute(query).fetchall()

    def read_weighted(self) -> dict[str, tuple]:
        """Every column of the weighted scores but the periods, by key."""
        return {
            row[0]: row[2:]
            for row in self.read("select * from statistics.weighted_scores")
        }

    def read_dirty(self) -> set[str]:
        """The periods that are marked for the models that read the statistics."""
        return {
            key
            for (key,) in self.read(
                "select key from audit.dirty_keys where place = 'statistics.period_key'"
            )
        }
