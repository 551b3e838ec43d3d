"""The local runtime of one clone: where everything lies, and what runs.

In: the repository's folder. Out: PostgreSQL and Airflow with settings of their own, all
generated files under one ignored folder.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.access.roles import Role, set_passwords
from include.audit import migrate
from include.embedded.airflow import EmbeddedAirflow
from include.embedded.postgres import EmbeddedPostgres
from include.embedded.private_files import write_private
from include.errors import WarehouseError
from include.settings import (
    DEFAULT_TIME_ZONE,
    PROJECT_FOLDER,
    Settings,
    connect,
    read_settings,
)

# What a night waits for and whom it tells is set as in production, for tasks alone.
PASSED_ON = (
    *("CX_EXPORT_DEADLINE", "CX_STALE_NIGHTS", "CX_OVERDUE_HOURS"),
    *("CX_SOURCES", "CX_SEEDS"),
    *("CX_PIPELINE_OWNER", "CX_RUNBOOK_URL", "CX_ALERT_EMAILS"),
    *("AIRFLOW_CONN_CX_MAIL", "AIRFLOW_CONN_CX_WEBHOOK"),
)


class Runtime:
    """PostgreSQL and Airflow of one clone, and the settings that they work with."""

    def __init__(
        self, project_folder: Path = PROJECT_FOLDER, folder: Path | None = None
    ) -> None:
        self.project_folder = project_folder
        self.folder = (folder or project_folder / ".local").absolute()
        self.log_folder = self.folder / "logs"
        self.sample_folder = self.folder / "sample_exports"
        self.truth_file = self.folder / "truth.json"
        self.report_folder = self.folder / "report"
        self.reporting_time_zone = (
            os.environ.get("CX_REPORTING_TIME_ZONE") or DEFAULT_TIME_ZONE
        )
        self.postgres = EmbeddedPostgres(self.folder / "postgres")

    @property
    def landing_url(self) -> str | None:
        """The landing address that this warehouse was last loaded from, if any."""
        try:
            return self._landing_file.read_text().strip()
        except FileNotFoundError:
            return None

    @landing_url.setter
    def landing_url(self, landing_url: str) -> None:
        self._landing_file.write_text(landing_url + "\n")

    @property
    def is_up(self) -> bool:
        """Whether somebody asked for Airflow to stay up (`make up`)."""
        return self._up_file.exists()

    @is_up.setter
    def is_up(self, is_up: bool) -> None:
        if is_up:
            self._up_file.touch()
        else:
            self._up_file.unlink(missing_ok=True)

    def settings(self, landing_url: str) -> Settings:
        """Return checked settings; PostgreSQL must have been started once."""
        return read_settings(self._task_environment(landing_url))

    def url(self, role: Role | None) -> str:
        """Return the libpq URL that a reader, or the owner, logs in with.

        PostgreSQL must run; the roles are made where they are missing.
        """
        if role is None:
            return self.postgres.url()
        settings = self.settings(self.landing_url or "none")
        passwords = settings.read_passwords()
        with connect(settings) as connection:
            migrate(connection, settings.role_prefix)
            set_passwords(connection, passwords, settings.key_secret)
        return self.postgres.url(user=role, password=passwords[role])

    @property
    def key_secret_place(self) -> str:
        """Where the secret of the customer keys is kept, in words."""
        if os.environ.get("CX_KEY_SECRET"):
            return "CX_KEY_SECRET"
        return str(self.folder / "key_secret")

    def keep_key_secret(self) -> None:
        """Remember the secret that the environment gave, for what comes after."""
        write_private(self.folder / "key_secret", self._read_key_secret() + "\n")

    def airflow(self, landing_url: str) -> EmbeddedAirflow:
        """Return this clone's Airflow; PostgreSQL must have been started once.

        It follows the timetable while it is up, and else runs only what is asked for.
        A sample has no further nights, so there is no timetable for it.
        """
        return EmbeddedAirflow(
            self.folder / "airflow",
            self.log_folder,
            self.postgres.url("airflow"),
            self.project_folder,
            self._task_environment(landing_url),
            is_scheduled=self.is_up and landing_url != str(self.sample_folder),
        )

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keep two commands that start and stop processes apart.

        Raises WarehouseError when another one is at work.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WarehouseError(
                    "Another make run, up or down is at work in this clone: wait until "
                    "it has ended."
                ) from error
            yield

    @property
    def _landing_file(self) -> Path:
        return self.folder / "landing_url"

    @property
    def _up_file(self) -> Path:
        return self.folder / "up"

    def _task_environment(self, landing_url: str) -> dict[str, str]:
        return {
            "CX_DATABASE_URL": self.postgres.url(),
            "CX_LANDING_URL": landing_url,
            "CX_KEY_SECRET": self._read_key_secret(),
            "CX_REPORTING_TIME_ZONE": self.reporting_time_zone,
            "CX_REPORT_FOLDER": str(self.report_folder),
            "CX_BI_READER_PASSWORD": self._read_secret("bi_reader_password"),
            "CX_AGENT_PASSWORD": self._read_secret("cx_agent_password"),
            **{name: os.environ[name] for name in PASSED_ON if os.environ.get(name)},
        }

    def _read_key_secret(self) -> str:
        """Return the secret of the customer keys."""
        return os.environ.get("CX_KEY_SECRET") or self._read_secret("key_secret")

    def _read_secret(self, name: str) -> str:
        """Return a secret of this clone, made once."""
        secret_file = self.folder / name
        if not secret_file.exists():
            write_private(secret_file, secrets.token_hex(32) + "\n")
        return secret_file.read_text().strip()
