"""Databases of the benchmarks, and the settings of a warehouse in one of them."""

from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.settings import DEFAULT_TIME_ZONE, Settings

KEY_SECRET = "a secret of the benchmark, so that keys are the same"


def create_database(url: str, name: str, landing: Path, reports: Path) -> Settings:
    """Create an empty database; return the settings of a warehouse in it."""
    drop_database(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    parts = {**conninfo_to_dict(url), "dbname": name}
    return Settings(
        database_url=make_conninfo(**{key: str(part) for key, part in parts.items()}),
        landing_url=str(landing),
        key_secret=KEY_SECRET,
        reporting_time_zone=DEFAULT_TIME_ZONE,
        report_folder=reports,
    )


def drop_database(url: str, name: str) -> None:
    """Drop a database, where there is one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(
                sql.Identifier(name)
            )
        )
