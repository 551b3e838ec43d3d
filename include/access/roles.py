"""The roles of a warehouse, made and granted by the login that owns it.

In: an open connection of the owner (a superuser, or a login that may create roles), and
the names. Out: the roles of ``grants.sql``, the ownership of what each of them makes,
and the passwords of those that log in. All of it is idempotent and, when nothing is to
be done, one query.

Roles belong to the whole server. Two warehouses on one server take different names
(CX_ROLE_PREFIX); the timetable of grants is each database's own.
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

Role = Literal["loader", "transformer", "publisher", "bi_reader", "cx_agent"]
ROLES: tuple[Role, ...] = get_args(Role)
# People and tools log in as these; the others are taken on by the owner's sessions.
READERS: tuple[Role, ...] = ("bi_reader", "cx_agent")
# Published for cx_agent alone.
AGENT_TABLES = ("closed_loop_overdue", "customer_records")
READER_CONNECTIONS = 30

GRANTS_FILE = Path(__file__).with_name("grants.sql")

# Relations, schemas and functions that do not belong to the role that makes them: made
# before there were roles, or by hand.
_STRAYS_QUERY = r"""
    with homes (schema, role) as (
        select nspname, case
            when nspname like 'raw\_%%' then %(loader)s
            when nspname in ('staging', 'warehouse', 'statistics', 'cx')
                then %(transformer)s
            when nspname = 'marts' then %(publisher)s
        end from pg_namespace
    )
    select 'schema', quote_ident(schema), role from homes
    join pg_namespace on nspname = schema
    -- who owns a schema may drop all that is in it, and data_status is not publish's
    where role is not null and schema <> 'marts' and pg_get_userbyid(nspowner) <> role
    union all
    select 'table', cast(cast(relations.oid as regclass) as text), role from homes
    join pg_class as relations on relnamespace = to_regnamespace(quote_ident(schema))
    where role is not null and pg_get_userbyid(relowner) <> role
    and (relkind in ('r', 'p') or relkind = 'S' and not exists (
        -- the sequence of a column follows its table
        select from pg_depend where objid = relations.oid and deptype in ('a', 'i')
    ) or relkind = 'v' and (
        schema <> 'marts'
        or relname in (select name from audit.published_views)
    ))
    union all
    select 'function', cast(cast(functions.oid as regprocedure) as text), role
    from homes
    join pg_proc as functions on pronamespace = to_regnamespace(quote_ident(schema))
    where role is not null and pg_get_userbyid(proowner) <> role
"""


def name_roles(prefix: str) -> dict[Role, str]:
    """Return the names of the roles on the server."""
    return {role: f"{prefix}{role}" for role in ROLES}


def grant_roles(connection: psycopg.Connection, prefix: str = "") -> bool:
    """Make the roles and grant them their rights, unless that was done already.

    Runs in the caller's transaction, which keeps others from doing it at once
    (`audit.migrate`). Returns whether anything was done.
    """
    names = name_roles(prefix)
    version = _describe_version(connection, names)
    row = connection.execute(
        "select (select value from audit.settings where name = 'grants') = %s"
        " and (select count(*) from pg_roles where rolname = any(%s)) = %s",
        [version, list(names.values()), len(names)],
    ).fetchone()
    if row is not None and row[0]:
        return False
    create_roles(connection, names)
    _hand_over(connection, names)
    places: dict[str, sql.Composable] = {
        role: sql.Identifier(name) for role, name in names.items()
    }
    places["database"] = sql.Identifier(connection.info.dbname)
    text = GRANTS_FILE.read_text("utf-8")
    connection.execute(sql.SQL(text).format(**places))
    _grant_raw(connection, names)
    restrict_agent_tables(connection, names)
    connection.execute(
        "insert into audit.settings (name, value) values ('grants', %s)"
        " on conflict (name) do update set value = excluded.value",
        [version],
    )
    log.info("roles granted: %s", ", ".join(names.values()))
    return True


def create_roles(connection: psycopg.Connection, names: Mapping[Role, str]) -> None:
    """Make the roles that the server does not have.

    Another warehouse of the server may be making them at this moment; no lock reaches
    across databases, so the one that comes second takes what is there.
    """
    for role, name in names.items():
        present = connection.execute(
            "select from pg_roles where rolname = %s", [name]
        ).fetchone()
        if present is not None:
            continue
        kind = (
            sql.SQL("login connection limit {}").format(READER_CONNECTIONS)
            if role in READERS
            else sql.SQL("nologin")
        )
        try:
            with connection.transaction():
                connection.execute(
                    sql.SQL("create role {} {}").format(sql.Identifier(name), kind)
                )
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            log.info("the role %s was made by another warehouse just now", name)


def become(connection: psycopg.Connection, name: str) -> None:
    """Take on a role for the rest of the session."""
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(name)))


def set_passwords(
    connection: psycopg.Connection, passwords: Mapping[str, str], key_secret: str
) -> None:
    """Give roles their passwords, by name on the server; one that is set stays.

    The server gets a SCRAM verifier, so that no log or statement holds a password. What
    is set is remembered as a fingerprint that is worth nothing without the key secret.
    """
    for name, password in passwords.items():
        setting = f"password of {name}"
        fingerprint = hmac.new(
            key_secret.encode(), f"{name}:{password}".encode(), hashlib.sha256
        ).hexdigest()
        known = connection.execute(
            "select from audit.settings where name = %s and value = %s",
            [setting, fingerprint],
        ).fetchone()
        if known is not None:
            continue
        verifier = connection.pgconn.encrypt_password(
            password.encode(), name.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(name), sql.Literal(verifier)
            )
        )
        connection.execute(
            "insert into audit.settings (name, value) values (%s, %s)"
            " on conflict (name) do update set value = excluded.value",
            [setting, fingerprint],
        )


def restrict_agent_tables(
    connection: psycopg.Connection, names: Mapping[Role, str]
) -> None:
    """Keep what is published for cx_agent alone from the other readers."""
    for table in AGENT_TABLES:
        row = connection.execute(
            "select has_table_privilege(%s, to_regclass(%s), 'select')",
            [names["bi_reader"], f"marts.{table}"],
        ).fetchone()
        if row is None or not row[0]:
            continue
        places = {
            "table": sql.Identifier("marts", table),
            "bi_reader": sql.Identifier(names["bi_reader"]),
            "cx_agent": sql.Identifier(names["cx_agent"]),
        }
        for statement in (
            "revoke select on {table} from {bi_reader}",
            "grant select on {table} to {cx_agent}",
        ):
            connection.execute(sql.SQL(statement).format(**places))


def _describe_version(connection: psycopg.Connection, names: Mapping[Role, str]) -> str:
    """Fingerprint what the grants depend on: their text, the names, the database (by
    its number: a copy, also of the same name, comes without rights and settings of
    roles), and which migrations made what there is."""
    database = connection.execute(
        "select oid from pg_database where datname = current_database()"
    ).fetchone()
    migrations = connection.execute(
        "select name from audit.migrations order by name"
    ).fetchall()
    parts = (GRANTS_FILE.read_bytes(), sorted(names.items()), migrations)
    text = repr((database, *parts))
    return hashlib.sha256(text.encode()).hexdigest()


def _hand_over(connection: psycopg.Connection, names: Mapping[Role, str]) -> None:
    values = {str(role): name for role, name in names.items()}
    rows = connection.execute(_STRAYS_QUERY, values).fetchall()
    for kind, name, role in rows:
        # The names were quoted by the server.
        connection.execute(
            sql.SQL("alter {} {} owner to {}").format(
                sql.SQL(kind), sql.SQL(name), sql.Identifier(role)
            )
        )


def _grant_raw(connection: psycopg.Connection, names: Mapping[Role, str]) -> None:
    """Let the transformer read the raw tables that are there; default privileges see to
    those that come."""
    schemas = connection.execute(
        r"select nspname from pg_namespace where nspname like 'raw\_%'"
    ).fetchall()
    for (schema,) in schemas:
        places = {
            "schema": sql.Identifier(schema),
            "transformer": sql.Identifier(names["transformer"]),
        }
        for statement in (
            "grant usage on schema {schema} to {transformer}",
            "grant select, maintain on all tables in schema {schema} to {transformer}",
        ):
            connection.execute(sql.SQL(statement).format(**places))
