"""A warehouse with published tables and views that a test makes by hand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.building import publish
from include.settings import Settings, connect
from tests.nights import compose_hash_query

# What every table here rests on.
RESTS_ON = ("shop.orders", "shop.people", "prices")
# Number, feed, batch date, and what became of it.
Load = tuple[int, str, str, str]


@dataclass
class PublishWorld:
    """Makes relations in the warehouse, publishes them, and looks at marts."""

    settings: Settings
    connection: psycopg.Connection

    def execute(self, statement: str) -> None:
        self.connection.execute(statement)

    def execute_as_transformer(self, statement: str) -> None:
        """Make something in the role that dbt makes it in."""
        self.execute("set role transformer")
        self.execute(statement)
        self.execute("reset role")

    def fetch(self, query: str) -> list[tuple]:
        return self.connection.execute(query).fetchall()

    def make_table(
        self,
        name: str,
        columns: str,
        rows: str,
        publish_where: str | None = None,
        rebuild_by: str = "id",
        restated: dict[str, object] | None = None,
        published_indexes: Sequence[Sequence[str]] = (),
    ) -> None:
        """Make a published table anew, as a full build does; views on it go."""
        self.execute(f"drop table if exists warehouse.{name} cascade")
        self.execute_as_transformer(f"create table warehouse.{name} ({columns})")
        self.execute(f"insert into warehouse.{name} values {rows}")
        self.enter_model(
            name, "incremental", publish_where, rebuild_by, restated, published_indexes
        )
        self.mark_changed(name, None)

    def make_view(self, name: str, query: str) -> None:
        self.execute(f"drop view if exists warehouse.{name}")
        self.execute_as_transformer(f"create view warehouse.{name} as {query}")
        self.enter_model(name, "view")

    def enter_model(
        self,
        name: str,
        kind: str,
        publish_where: str | None = None,
        rebuild_by: str = "id",
        restated: dict[str, object] | None = None,
        published_indexes: Sequence[Sequence[str]] = (),
    ) -> None:
        self.connection.execute(
            "insert into audit.models (model, kind, schema_name, is_published, row_key,"
            " rebuild_by, position, publish_where, rests_on, restated,"
            " published_indexes, wanted_fingerprint)"
            " values (%(name)s, %(kind)s, 'warehouse', true, '{id}', %(rebuild_by)s,"
            "  (select count(*) from audit.models), %(where)s, %(rests_on)s,"
            "  %(restated)s, %(published_indexes)s, 'code')"
            " on conflict (model) do update set kind = excluded.kind,"
            " published_indexes = excluded.published_indexes,"
            " publish_where = excluded.publish_where, restated = excluded.restated",
            {
                "name": name,
                "kind": kind,
                "where": publish_where,
                "rebuild_by": rebuild_by,
                "rests_on": [name, *RESTS_ON],
                "restated": json.dumps(restated) if restated else None,
                "published_indexes": json.dumps(published_indexes),
            },
        )

    def forget(self, name: str) -> None:
        """Let a model leave the project."""
        self.connection.execute("delete from audit.models where model = %s", [name])

    def mark_changed(self, name: str, key: str | None) -> None:
        self.connection.execute(
            "insert into audit.unpublished_keys (model, key) values (%s, %s)"
            " on conflict do nothing",
            [name, key],
        )

    def build(
        self, loads: Sequence[Load] = (), changed_code: Sequence[str] = ()
    ) -> None:
        """Enter a build that passed gate 2, and which loads came or went with it."""
        (build,) = self.connection.execute(
            "insert into audit.builds (run_id, status, loads_touched, models_rebuilt,"
            " gated_at, changed_code) values ('run', 'succeeded', 1, 1, now(), %s)"
            " returning build_id",
            [list(changed_code)],
        ).fetchall()
        for load in loads:
            self.connection.execute(
                "insert into audit.built_loads"
                " (build_id, load_id, feed, batch_date, change)"
                " values (%s, %s, %s, %s, %s)",
                [*build, *load],
            )

    def publish(
        self, loads: Sequence[Load] = (), changed_code: Sequence[str] = ()
    ) -> publish.PublishResult:
        """Publish as after a build that passed gate 2."""
        self.build(loads, changed_code)
        return publish.publish(self.settings, "run")

    def deliver(self, first: str, as_of: str | None) -> None:
        """Let every source have delivered these days."""
        self.connection.execute(
            "insert into audit.as_of (source, role, first_date, as_of_date)"
            " values ('shop', 'crm', %s, %s) on conflict (source) do update"
            " set first_date = excluded.first_date, as_of_date = excluded.as_of_date",
            [first, as_of],
        )

    def hash(self, name: str) -> tuple:
        """Rows, and a hash over all columns, of a table of marts."""
        row = self.connection.execute(compose_hash_query(name)).fetchone()
        assert row is not None
        return row

    def read(self, name: str) -> list[tuple]:
        """The rows of a relation of marts, in order."""
        with connect(self.settings) as reader:
            return reader.execute(
                sql.SQL("select * from {} order by 1").format(
                    sql.Identifier("marts", name)
                )
            ).fetchall()

    def list_indexes(self, name: str) -> set[str]:
        """The columns or expressions of each index of a table of marts."""
        rows = self.fetch(
            "select indexdef from pg_indexes"
            f" where schemaname = 'marts' and tablename = '{name}'"
        )
        return {definition.partition(" USING btree ")[2] for (definition,) in rows}

    def kind_of(self, name: str) -> str | None:
        """`r` for a table of marts, `v` for a view, None: there is no such relation."""
        row = self.connection.execute(
            "select relkind from pg_class where oid = to_regclass(%s)",
            [f"marts.{name}"],
        ).fetchone()
        return row[0] if row else None
