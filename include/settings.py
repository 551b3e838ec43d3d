"""The settings of one warehouse, read from the environment.

In: CX_* variables. Out: `Settings`, checked, and connections to its database, each in
the role of who asks. S3 credentials and endpoints are the usual AWS_* variables, which
the readers of landing files look up themselves.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time as time_of_day
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.access.roles import Role, name_roles
from include.batch_dates import NIGHT_STARTS
from include.errors import SettingsError

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
DEFAULT_TIME_ZONE = "America/Sao_Paulo"
SHORTEST_KEY_SECRET = 16
# A night that waits longer would run into the working day.
LATEST_DEADLINE = time_of_day(12, 0)
# Names of roles appear where quoting differs: the server's, libpq's, dbt's.
ROLE_PREFIX_PATTERN = re.compile(r"([a-z][a-z0-9_]{0,30})?")
# A system, or an instance of one.
SOURCE_PATTERN = re.compile(r"[a-z][a-z0-9_]*(@[a-z][a-z0-9_]*)?")
# Publishes that `make rollback` can take back: about a month of nights.
DEFAULT_ROLLBACK_PUBLISHES = 30
# Seconds before each new try to reach the database.
CONNECT_PAUSES = (0.5, 1.0, 2.0)
# What a server says that refuses everybody, but not for long.
PASSING_REASONS = ("starting up", "shutting down", "recovery", "too many", "slots")


@dataclass(frozen=True)
class Settings:
    """Where the data comes from, where it goes, and the secret of the customer keys;
    and how long to wait for what before somebody is told.

    `sources` are the systems that are on; none stands for those that are by default.
    A reader without a password cannot log in. `stale_nights` is how many nights a
    source may be behind, "" standing for those that are not named; `runbook_url` is
    where the messages' links lead. The files of `seeds_folder` replace the project's
    seeds of the same names.
    Of the last `rollback_publishes` the log
    is kept that a rollback needs.
    """

    database_url: str = field(repr=False)
    landing_url: str
    key_secret: str = field(repr=False)
    reporting_time_zone: str
    report_folder: Path
    project_folder: Path = PROJECT_FOLDER
    role_prefix: str = ""
    sources: tuple[str, ...] = ()
    seeds_folder: Path | None = None
    rollback_publishes: int = DEFAULT_ROLLBACK_PUBLISHES
    bi_reader_password: str = field(default="", repr=False)
    cx_agent_password: str = field(default="", repr=False)
    export_deadline: time_of_day = time_of_day(6, 0)
    stale_nights: Mapping[str, int] = field(default_factory=lambda: {"": 2}, hash=False)
    overdue_hours: int = 30
    pipeline_owner: str = "data engineering"
    runbook_url: str = "docs/runbook.md"

    def name_role(self, role: Role) -> str:
        """Return the name of a role on the server."""
        return name_roles(self.role_prefix)[role]

    def fingerprint_key(self) -> str:
        """Return a fingerprint of the key secret, to tell whether it is another one."""
        return hashlib.sha256(
            b"cx key fingerprint:" + self.key_secret.encode()
        ).hexdigest()

    def read_passwords(self) -> dict[str, str]:
        """Return the passwords of the roles that log in, by name on the server."""
        passwords = {
            self.name_role("bi_reader"): self.bi_reader_password,
            self.name_role("cx_agent"): self.cx_agent_password,
        }
        return {name: password for name, password in passwords.items() if password}


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings.

    Raises SettingsError, which names the variable and says what to do.
    """
    database_url = _read_required(
        environment,
        "CX_DATABASE_URL",
        "the libpq URL of the warehouse database, for the login that owns it",
    )
    try:
        conninfo_to_dict(database_url)
    except psycopg.ProgrammingError as error:
        raise SettingsError(
            "CX_DATABASE_URL is not a libpq URL: write it as "
            "postgresql://user:password@host:port/database."
        ) from error
    key_secret = _read_required(
        environment,
        "CX_KEY_SECRET",
        "a long random secret, for example from `openssl rand -hex 32`, and keep it",
    )
    if len(key_secret) < SHORTEST_KEY_SECRET:
        raise SettingsError(
            f"CX_KEY_SECRET is shorter than {SHORTEST_KEY_SECRET} characters: set a "
            "long random secret, for example from `openssl rand -hex 32`."
        )
    time_zone = environment.get("CX_REPORTING_TIME_ZONE") or DEFAULT_TIME_ZONE
    if time_zone not in available_timezones():
        raise SettingsError(
            f"CX_REPORTING_TIME_ZONE is {time_zone!r}, which is no time zone name: "
            "set one of the IANA names, for example Europe/Madrid."
        )
    role_prefix = environment.get("CX_ROLE_PREFIX", "").strip()
    if not ROLE_PREFIX_PATTERN.fullmatch(role_prefix):
        raise SettingsError(
            f"CX_ROLE_PREFIX is {role_prefix!r}: use small letters, digits and _, at "
            "most 31, beginning with a letter, for example acme_."
        )
    return Settings(
        database_url=database_url,
        landing_url=_read_required(
            environment,
            "CX_LANDING_URL",
            "the folder, file://, s3:// or gs:// address where the exports arrive",
        ),
        key_secret=key_secret,
        reporting_time_zone=time_zone,
        report_folder=Path(
            _read_required(
                environment,
                "CX_REPORT_FOLDER",
                "the folder that receives the scorecard and the Data Docs",
            )
        ).absolute(),
        role_prefix=role_prefix,
        sources=_read_sources(environment),
        seeds_folder=_read_seeds_folder(environment),
        rollback_publishes=_read_rollback_publishes(environment),
        bi_reader_password=environment.get("CX_BI_READER_PASSWORD", "").strip(),
        cx_agent_password=environment.get("CX_AGENT_PASSWORD", "").strip(),
        **_read_patience(environment),
    )


def _read_sources(environment: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.get("CX_SOURCES", "")
    sources = tuple(part.strip() for part in text.split(",") if part.strip())
    for source in sources:
        if not SOURCE_PATTERN.fullmatch(source) or sources.count(source) > 1:
            raise SettingsError(
                f"CX_SOURCES holds {source!r}: write systems, each once, between"
                " commas, and another instance of a system as zendesk@acme."
            )
    return sources


def _read_seeds_folder(environment: Mapping[str, str]) -> Path | None:
    text = environment.get("CX_SEEDS", "").strip()
    if not text:
        return None
    folder = PROJECT_FOLDER / text
    if not folder.is_dir():
        raise SettingsError(
            f"CX_SEEDS is {text}, which is no folder: name one whose CSV files replace"
            " seeds of the same name, for example examples/bank/seeds."
        )
    return folder


def _read_patience(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read how long to wait for what, and whom messages name; only what is set."""
    readers: dict[str, tuple[str, Callable[[str, str], Any]]] = {
        "export_deadline": ("CX_EXPORT_DEADLINE", _read_deadline),
        "stale_nights": ("CX_STALE_NIGHTS", _read_stale_nights),
        "overdue_hours": ("CX_OVERDUE_HOURS", _read_count),
        "pipeline_owner": ("CX_PIPELINE_OWNER", lambda name, text: text),
        "runbook_url": ("CX_RUNBOOK_URL", lambda name, text: text),
    }
    given = {
        setting: (name, text, read)
        for setting, (name, read) in readers.items()
        if (text := environment.get(name, "").strip())
    }
    return {setting: read(name, text) for setting, (name, text, read) in given.items()}


def _read_deadline(name: str, text: str) -> time_of_day:
    try:
        deadline = time_of_day.fromisoformat(text)
    except ValueError:
        deadline = time_of_day.min
    if deadline.tzinfo or not NIGHT_STARTS <= deadline <= LATEST_DEADLINE:
        raise SettingsError(
            f"{name} is {text!r}: set the local time until which a night waits for its"
            f" exports, from {NIGHT_STARTS:%H:%M} to {LATEST_DEADLINE:%H:%M}, for"
            " example 06:00."
        )
    return deadline


def _read_stale_nights(name: str, text: str) -> dict[str, int]:
    """Read "2" or "2,qualtrics=4": nights for all sources, and for some."""
    nights = {"": 2}
    for part in text.split(","):
        source, _, count = part.rpartition("=")
        nights[source.strip()] = _read_count(name, count)
    return nights


def _read_count(name: str, text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise SettingsError(
            f"{name} holds {text!r}, which is no number from 1 on: see .env.example."
        )
    return int(text)


def compose_database_url(settings: Settings, role: Role) -> str:
    """Return a libpq connection string whose sessions are in a role from the start."""
    given = conninfo_to_dict(settings.database_url).get("options") or ""
    options = f"{given} -c role={settings.name_role(role)}".strip()
    return make_conninfo(settings.database_url, options=options)


def connect(settings: Settings, role: Role | None = None) -> psycopg.Connection:
    """Open a connection to the warehouse database (psycopg 3, not autocommit).

    A server that starts, restarts or is cut off is tried again for some seconds.

    Parameters
    ----------
    role : what the session may do; None for the owner, who makes the roles

    Raises SettingsError when the server cannot be reached, at once where waiting would
    not help.
    """
    url = settings.database_url
    if role is not None:
        url = compose_database_url(settings, role)
    pauses = iter(CONNECT_PAUSES)
    while True:
        try:
            return psycopg.connect(url, application_name="cx", connect_timeout=10)
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            pause = next(pauses, None)
            if pause is None or not _may_pass(str(error)):
                raise SettingsError(
                    f"The warehouse database cannot be reached ({reason}): check that"
                    " the server runs (`make url` starts the local one) and"
                    " CX_DATABASE_URL."
                ) from error
            time.sleep(pause)


def connect_to_server(settings: Settings) -> psycopg.Connection:
    """Open a connection, in autocommit, from which databases are made and renamed."""
    url = make_conninfo(settings.database_url, dbname="postgres")
    return psycopg.connect(url, autocommit=True)


def _may_pass(words: str) -> bool:
    """Tell whether a server that could not be reached may be there in a moment."""
    return "FATAL" not in words or any(reason in words for reason in PASSING_REASONS)


def _read_rollback_publishes(environment: Mapping[str, str]) -> int:
    text = environment.get("CX_ROLLBACK_PUBLISHES", "").strip()
    if not text:
        return DEFAULT_ROLLBACK_PUBLISHES
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingsError(
            f"CX_ROLLBACK_PUBLISHES is {text!r}: set the number of publishes that can "
            f"be rolled back, 1 or more, for example {DEFAULT_ROLLBACK_PUBLISHES}."
        )
    return int(text)


def _read_required(environment: Mapping[str, str], name: str, meaning: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set: set it to {meaning}.")
    return value
