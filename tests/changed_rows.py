"""One model under test: its inputs change row by row, then dbt rebuilds what must be.

In: a built warehouse, the model, and rows for the tables that it reads. Rows that
differ are replaced and marked as the models of these tables do it. Out: the rows in
which the rebuilt table differs from what the model selects as a whole.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg

from include.building.dbt import Dbt
from include.settings import Settings, connect

Row = dict[str, object]


class ModelUnderTest:
    """A model, and a warehouse in which tests write the tables above it."""

    def __init__(self, settings: Settings, model: str) -> None:
        self._settings = settings
        self._model = model
        self._dbt = Dbt(settings)
        self._nodes = {node.name: node for node in self._dbt.parse().nodes.values()}
        compiled = self._dbt._invoke(["compile", "--full-refresh", "--select", model])
        self._whole = compiled.result.results[0].node.compiled_code

    def receive(self, tables: dict[str, Sequence[Row]]) -> None:
        """Make the rows of each table these, and mark the keys of what changed."""
        with connect(self._settings) as connection:
            for name, rows in tables.items():
                self._replace(connection, name, rows)

    def _replace(
        self, connection: psycopg.Connection, name: str, rows: Sequence[Row]
    ) -> None:
        table = f"warehouse.{name}"
        connection.execute(f"create temp table wanted (like {table})")
        nullable = connection.execute(
            "select attname from pg_attribute where attrelid = 'wanted'::regclass"
            " and attnum > 0 and attnotnull"
        ).fetchall()
        # A test gives the columns that the model reads.
        for (column,) in nullable:
            for changed in ("wanted", table):
                connection.execute(
                    f"alter table {changed} alter {column} drop not null"
                )
        for row in rows:
            names, values = ", ".join(row), ", ".join(["%s"] * len(row))
            connection.execute(
                f"insert into wanted ({names}) values ({values})", list(row.values())
            )
        mark_changes(connection, self._nodes[name], table)
        connection.execute(f"delete from {table}")
        connection.execute(f"insert into {table} select * from wanted")
        connection.execute("drop table wanted")

    def say_as_of(self, day: date) -> None:
        """The sources have delivered this day, the last build had the day before."""
        with connect(self._settings) as connection:
            connection.execute("delete from audit.as_of")
            connection.execute(
                "insert into audit.as_of"
                " (source, role, as_of_date, low_date, high_date)"
                " select 'hubspot', 'crm', days.day, days.day - 1, days.day"
                " from (select cast(%s as date) as day) as days",
                [day],
            )

    def rebuild(self) -> int:
        """Rebuild the model as a night does; return how many keys that took."""
        result = self._dbt._invoke(["run", "--select", self._model])
        assert result.success, result.result.results[0].message
        with connect(self._settings) as connection:
            ((keys,),) = connection.execute(
                "select count(*) from audit.dirty_keys where place = %s", [self._model]
            ).fetchall()
        return int(keys)

    def forget_changes(self) -> None:
        """What a build does when it has succeeded."""
        with connect(self._settings) as connection:
            connection.execute("delete from audit.dirty_keys")

    def find_differences(self) -> list[tuple]:
        """Return the rows that only a night, or only a full build, would have."""
        built = f"select * from warehouse.{self._model}"
        with connect(self._settings) as connection:
            return connection.execute(
                f"((({built}) except all ({self._whole}))"
                f" union all (({self._whole}) except all ({built})))"
            ).fetchall()

    def fetch(self, query: str) -> list[tuple]:
        with connect(self._settings) as connection:
            return connection.execute(query).fetchall()


def mark_changes(connection: psycopg.Connection, node: Any, table: str) -> None:
    """Mark what differs between a table and the temporary table `wanted`.

    Parameters
    ----------
    node : the table's model in dbt's manifest, whose marks these are
    """
    row_key = node.config.unique_key
    row_key = row_key if isinstance(row_key, str) else row_key[0]
    marked_by = node.config.meta.get("rebuild_by", row_key)
    marks: dict[str, str | dict[str, str]] = {marked_by: marked_by}
    for mark in node.config.meta.get("marks", []):
        marks |= {mark: mark} if isinstance(mark, str) else mark
    for place, mark in marks.items():
        if isinstance(mark, str):
            key, columns = mark, "*"
        else:
            key, columns = "key", f"{mark['key']} as key, {mark['of']}"
        connection.execute(
            f"insert into audit.dirty_keys select distinct '{node.name}.{place}',"
            f" cast({key} as text) from ("
            f" (select {columns} from {table} except all select {columns} from wanted)"
            f" union all (select {columns} from wanted"
            f" except all select {columns} from {table})) as changed"
            f" where {key} is not null on conflict do nothing"
        )
