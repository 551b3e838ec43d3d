"""Each role does its job and no more."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from include.access.roles import ROLES, Role, grant_roles, set_passwords
from include.audit import migrate
from include.building.publish import publish
from include.embedded.postgres import EmbeddedPostgres
from include.settings import Settings, connect
from tests.conftest import database_name, open_database
from tests.include.building.publish_world import PublishWorld
from tests.include.loading.load_world import open_load_world

PASSWORDS = {"bi_reader": "for the charts", "cx_agent": "for the calls"}
PIPELINE: tuple[Role, ...] = ("loader", "transformer", "publisher")
PEOPLE: tuple[Role, ...] = ("bi_reader", "cx_agent")

# What is done, and who may do it; the others are refused.
RIGHTS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("select from raw_shop.orders", ("loader", "transformer")),
    ("insert into raw_shop.orders (_load_id, _file_no) values (1, 1)", ("loader",)),
    ("delete from raw_shop.orders", ("loader",)),
    ("truncate raw_shop.orders", ("loader",)),
    ("analyze raw_shop.orders", ("loader", "transformer")),
    ("drop table raw_shop.orders cascade", ("loader",)),
    ("create schema raw_other", ("loader",)),
    ("select from staging.stg_orders", ("transformer",)),
    ("create table staging.mine ()", ("transformer",)),
    ("select from warehouse.counts", ("transformer", "publisher")),
    ("update warehouse.counts set responses = 0", ("transformer",)),
    ("truncate warehouse.counts", ("transformer",)),
    ("drop table warehouse.counts cascade", ("transformer",)),
    ("create table warehouse.mine ()", ("transformer",)),
    ("select from statistics.hidden_scores", ("transformer",)),
    ("delete from statistics.hidden_scores", ("transformer",)),
    ("select from marts.counts", ("transformer", "publisher", *PEOPLE)),
    ("select doubled from marts.nps_counts", ("transformer", "publisher", *PEOPLE)),
    ("select from marts.data_status", ("transformer", "publisher", *PEOPLE)),
    ("select from marts.mart_status", ("transformer", "publisher", *PEOPLE)),
    ("update audit.published_tables set rows = 0", ("publisher",)),
    ("select from marts.customer_records", ("transformer", "publisher", "cx_agent")),
    ("insert into marts.counts values ('c', 'nps', 1)", ("publisher",)),
    ("update marts.counts set responses = 0", ("publisher",)),
    ("delete from marts.counts", ("publisher",)),
    ("truncate marts.counts", ("publisher",)),
    ("drop table marts.counts cascade", ("publisher",)),
    ("create view marts.mine as select 1 as one", ("publisher",)),
    ("create or replace view marts.data_status as select 1 as source", ()),
    ("drop view marts.data_status", ()),
    ("select cx.double(2)", ("transformer", "publisher", *PEOPLE)),
    ("create function cx.mine() returns integer return 1", ("transformer",)),
    ("drop function cx.double cascade", ("transformer",)),
    ("select from audit.loads", PIPELINE),
    ("select from audit.rejects", ("loader",)),
    ("insert into audit.feed_failures (run_id, feed, batch_date, message)"
     " values ('r', 'f', '2026-01-01', 'm')", ("loader",)),
    ("update audit.loads set status = 'held'", ("loader", "transformer")),
    ("delete from audit.loads", ("loader",)),
    ("select from audit.published_changes", PIPELINE),
    ("delete from audit.published_changes", ("publisher",)),
    ("update audit.published_changes set row_image = '{}'", ()),
    ("select from marts.restatements", ("transformer", "publisher", *PEOPLE)),
    ("drop view marts.restatements", ()),
    ("select from audit.restatements", PIPELINE),
    ("insert into audit.restatement_causes values (1, 'm', 'c', '[]', '{}')",
     ("publisher",)),
    ("update audit.restatements set new_value = 0", ()),
    ("delete from audit.restatements", ()),
    ("insert into audit.built_loads values (1, 1, 'f', '2026-01-01', 'came')",
     ("transformer",)),
    ("delete from audit.publishes", ()),
    ("insert into audit.unpublished_keys values ('m', 'k')",
     ("transformer", "publisher")),
    (
        "insert into audit.dirty_keys values ('place', 'key')",
        ("loader", "transformer"),
    ),
    ("delete from audit.dirty_keys", ("transformer",)),
    ("update audit.builds set gated_at = null", ("transformer",)),
    ("select from audit.settings", PIPELINE),
    ("update audit.settings set value = 'another'", ("transformer",)),
    ("truncate audit.loads cascade", ()),
    ("drop table audit.drift", ()),
    ("create table audit.mine ()", ()),
    ("delete from audit.migrations", ()),
    ("create temporary table mine ()", PIPELINE),
    ("create table public.mine ()", ()),
    ("create schema mine", ("loader",)),
    ("create role mine", ()),
    ("alter role bi_reader superuser", ()),
    ("copy (select 1) to program 'true'", ()),
    ("select pg_read_file('/etc/passwd')", ()),
    ("select rolpassword from pg_authid", ()),
    ("set log_min_messages = 'debug5'", ()),
)  # fmt: skip


@pytest.fixture
def world(settings: Settings) -> Iterator[PublishWorld]:
    """Something in every schema, each made by the role whose job it is."""
    load_world = open_load_world(settings)
    load_world.put("id,name,note\n1,Ana,x\n")
    load_world.load()
    load_world.connection.close()
    with connect(settings) as connection:
        connection.autocommit = True
        world = PublishWorld(settings, connection)
        world.execute_as_transformer(
            "create view staging.stg_orders as select id from raw_shop.orders"
        )
        world.execute_as_transformer(
            "create function cx.double(n integer) returns integer return 2 * n"
        )
        world.make_table(
            "counts", "id text, kind text, responses integer", "('a', 'nps', 1)"
        )
        world.make_view(
            "nps_counts",
            "select id, cx.double(responses) as doubled from warehouse.counts",
        )
        world.make_table("customer_records", "id text", "('contact:1')")
        world.publish()
        yield world


def log_in(world: PublishWorld, role: Role) -> psycopg.Connection:
    """Connect as people do, with a name and a password."""
    set_passwords(world.connection, PASSWORDS, "the secret of the keys")
    url = make_conninfo(
        world.settings.database_url, user=role, password=PASSWORDS[role]
    )
    return psycopg.connect(url)


def is_allowed(connection: psycopg.Connection, statement: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)  # type: ignore[arg-type]
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.ReadOnlySqlTransaction,
    ):
        return False
    return True


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_its_job_and_no_more(world: PublishWorld, role: Role) -> None:
    is_person = role in PEOPLE
    with (
        log_in(world, role) if is_person else connect(world.settings, role)
    ) as connection:
        if is_person:
            # Anybody can leave the read-only mode; the grants must do without it.
            connection.execute("set default_transaction_read_only = off")
            connection.commit()
        allowed = [
            statement for statement, _ in RIGHTS if is_allowed(connection, statement)
        ]
    assert allowed == [statement for statement, roles in RIGHTS if role in roles]


def test_a_reader_finds_marts_without_naming_it_and_changes_nothing(
    world: PublishWorld,
) -> None:
    with log_in(world, "bi_reader") as connection:
        assert connection.execute("select responses from counts").fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("create temporary table mine ()")


def test_the_key_of_the_customer_hash_is_nowhere_for_a_reader(
    world: PublishWorld,
) -> None:
    key = "0123456789abcdef"
    options = f"-c cx.key_inner={key} -c cx.key_outer={key} -c role=transformer"
    with (
        psycopg.connect(world.settings.database_url, options=options) as builder,
        log_in(world, "bi_reader") as reader,
    ):
        builder.execute("select current_setting('cx.key_inner')")
        assert reader.execute(
            "select current_setting('cx.key_inner', true)"
        ).fetchone() == (None,)
        activity = reader.execute("select a::text from pg_stat_activity a").fetchall()
        shown = reader.execute("select s::text from pg_settings s").fetchall()
        assert len(activity) >= 2
        assert key not in str(activity + shown)


def test_a_reader_is_cut_off_who_asks_too_much_or_walks_away(
    world: PublishWorld,
) -> None:
    with log_in(world, "bi_reader") as reader:
        names = ("statement", "idle_in_transaction_session", "idle_session")
        limits = [
            reader.execute(f"show {name}_timeout").fetchone()  # type: ignore[arg-type]
            for name in names
        ]
    assert limits == [("2min",), ("1min",), ("1h",)]
    database = sql.Identifier(world.connection.info.dbname)
    for name in names:
        world.connection.execute(
            sql.SQL("alter role bi_reader in database {} set {} = '50ms'").format(
                database, sql.Identifier(f"{name}_timeout")
            )
        )
    with log_in(world, "bi_reader") as reader:
        with pytest.raises(psycopg.errors.QueryCanceled):
            reader.execute("select pg_sleep(20)")
        time.sleep(0.3)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            reader.execute("select 1")
    with log_in(world, "bi_reader") as reader:
        time.sleep(0.3)
        with pytest.raises(psycopg.errors.IdleSessionTimeout):
            reader.execute("select 1")


def test_new_relations_carry_their_grants(world: PublishWorld) -> None:
    """Tables made anew and views whose columns change are dropped and made again."""
    world.make_table("counts", "id text, responses bigint", "('a', 7)")
    world.make_view("nps_counts", "select responses, id from warehouse.counts")
    world.make_table("more", "id text", "('b')")
    world.forget("customer_records")
    world.publish()
    world.make_table("customer_records", "id text", "('contact:2')")
    world.publish()
    with connect(world.settings, "bi_reader") as reader:
        for name in ("counts", "nps_counts", "more"):
            assert is_allowed(reader, f"select from marts.{name}")
        assert not is_allowed(reader, "select from marts.customer_records")
    with connect(world.settings, "cx_agent") as agent:
        assert agent.execute("select id from marts.customer_records").fetchall() == [
            ("contact:2",)
        ]


def test_a_warehouse_from_before_the_roles_is_handed_over(settings: Settings) -> None:
    with connect(settings) as connection:
        migrate(connection)
        connection.execute("create schema raw_old")
        connection.execute('create table raw_old."Odd name" (id text)')
        connection.execute("create table warehouse.old (id bigserial)")
        connection.execute("create view staging.old as select id from warehouse.old")
        connection.execute("create function cx.old() returns integer return 1")
        connection.execute("create table marts.old (id text)")
        connection.execute("create view marts.of_an_analyst as select 1 as one")
        connection.execute("delete from audit.settings where name = 'grants'")
        assert grant_roles(connection)
        assert not grant_roles(connection), "nothing is left to do"
        connection.commit()
    for role, statement in (
        ("loader", 'alter table raw_old."Odd name" add column name text'),
        ("transformer", 'select from raw_old."Odd name"'),
        ("transformer", "drop view staging.old"),
        ("transformer", "drop table warehouse.old cascade"),
        ("transformer", "drop function cx.old"),
        ("publisher", "drop table marts.old"),
        ("bi_reader", "select from marts.old"),
    ):
        with connect(settings, role) as session:  # type: ignore[arg-type]
            assert is_allowed(session, statement), statement
    with connect(settings, "publisher") as session:
        assert not is_allowed(session, "drop view marts.of_an_analyst")


def test_a_copy_in_the_place_of_a_warehouse_gets_its_rights(
    settings: Settings, postgres_server: EmbeddedPostgres
) -> None:
    with connect(settings) as connection:
        migrate(connection)
    name = database_name(settings.database_url)
    with open_database(postgres_server, template=name) as copied:
        # As one does who puts a copy back: the old one goes, the copy takes its name.
        moves = ((name, f"{name}_old"), (database_name(copied), name))
        url = postgres_server.url("postgres")
        with psycopg.connect(url, autocommit=True) as server:
            for renamed, to in moves:
                server.execute(
                    sql.SQL("alter database {} rename to {}").format(
                        sql.Identifier(renamed), sql.Identifier(to)
                    )
                )
        with connect(settings) as connection:
            migrate(connection)
        with connect(settings, "loader") as loader:
            assert is_allowed(loader, "create schema raw_other")
            settings_of_roles = loader.execute(
                "select from pg_db_role_setting inner join pg_database"
                " on pg_database.oid = setdatabase where datname = current_database()"
            ).fetchall()
        assert len(settings_of_roles) == len(PEOPLE)


def test_two_warehouses_on_one_server_keep_their_readers_apart(
    world: PublishWorld, postgres_server: EmbeddedPostgres
) -> None:
    with open_database(postgres_server, template="template1") as url:
        other = replace(world.settings, database_url=url, role_prefix="acme_")
        with connect(other) as connection:
            migrate(connection, other.role_prefix)
        with connect(other, "bi_reader") as reader:
            assert reader.execute("select current_user").fetchone() == (
                "acme_bi_reader",
            )
            assert is_allowed(reader, "select from marts.data_status")
        set_passwords(world.connection, PASSWORDS, "the secret of the keys")
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(
                make_conninfo(url, user="bi_reader", password=PASSWORDS["bi_reader"])
            )
    with connect(world.settings) as connection:
        names = [f"acme_{role}" for role in ROLES]
        for name in names:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def test_warehouses_that_begin_at_the_same_moment_share_the_roles(
    postgres_server: EmbeddedPostgres,
) -> None:
    failures: list[BaseException] = []
    with (
        open_database(postgres_server, template="template1") as one,
        open_database(postgres_server, template="template1") as other,
    ):
        together = threading.Barrier(4)

        def begin(url: str) -> None:
            try:
                with psycopg.connect(url) as connection:
                    together.wait()
                    migrate(connection, "together_")
            except BaseException as error:  # noqa: BLE001 - reported below
                failures.append(error)

        threads = [
            threading.Thread(target=begin, args=[url]) for url in (one, other) * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with psycopg.connect(postgres_server.url("postgres")) as connection:
        for role in ROLES:
            connection.execute(
                sql.SQL("drop role {}").format(sql.Identifier(f"together_{role}"))
            )
    assert failures == []


def test_the_server_never_gets_a_password_to_write_down(world: PublishWorld) -> None:
    log_in(world, "bi_reader").close()
    (verifier,) = world.fetch(
        "select rolpassword from pg_authid where rolname = 'bi_reader'"
    )[0]
    assert verifier.startswith("SCRAM-SHA-256$")
    kept = world.fetch("select value from audit.settings")
    assert PASSWORDS["bi_reader"] not in str(kept)
    log_in(world, "bi_reader").close()
    assert world.fetch(
        "select rolpassword from pg_authid where rolname = 'bi_reader'"
    ) == [(verifier,)], "a password that is set stays as it is"
    set_passwords(world.connection, {"bi_reader": "a new one"}, "secret")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(
            make_conninfo(
                world.settings.database_url,
                user="bi_reader",
                password=PASSWORDS["bi_reader"],
            )
        )


def test_every_table_of_audit_is_written_by_somebody(settings: Settings) -> None:
    """A new one is named in grants.sql, or no step could fill it."""
    with connect(settings) as connection:
        migrate(connection)
        unwritten = connection.execute(
            "select relname from pg_class where relnamespace = 'audit'::regnamespace"
            " and relkind = 'r' and relname <> 'migrations'"
            " and not exists (select from unnest(%s::text[]) as roles (name)"
            "  where has_table_privilege(name, pg_class.oid, 'insert'))",
            [list(PIPELINE)],
        ).fetchall()
    assert unwritten == []


def test_readers_read_every_mart_and_cannot_hash(warehouse: Settings) -> None:
    """What dbt and publish make, as a night does."""
    with connect(warehouse) as connection:
        connection.execute("update audit.builds set gated_at = now()")
        connection.execute("delete from audit.unpublished_keys")
    publish(warehouse, "run")
    with connect(warehouse, "bi_reader") as reader:
        names = [
            name
            for (name,) in reader.execute(
                "select relname from pg_class where relkind in ('r', 'v')"
                " and relnamespace = 'marts'::regnamespace order by 1"
            )
        ]
        refused = [
            name
            for name in names
            if not is_allowed(reader, f"select * from marts.{name}")
        ]
        assert len(names) >= 30
        assert refused == ["closed_loop_overdue", "customer_records"]
        assert is_allowed(reader, "select cx.nps(1, 1, 1)")
        assert not is_allowed(reader, "select cx.keyed_hash('e-mail:ana@example.org')")
    with connect(warehouse, "cx_agent") as agent:
        assert is_allowed(agent, "select * from marts.customer_records")
