"""The local runtime of one clone: where everything lies, and what must run.

In: the repository's folder. Out: PostgreSQL and Airflow with settings of their own, all
generated files under one ignored folder.
"""

import os
import secrets
from pathlib import Path

from include.embedded.airflow import EmbeddedAirflow
from include.embedded.postgres import EmbeddedPostgres
from include.embedded.private_files import write_private
from include.settings import PROJECT_FOLDER, Settings, read_settings

SAMPLE = "the sample exports"


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
        self.postgres = EmbeddedPostgres(self.folder / "postgres")

    def read_landing_url(self) -> str:
        """Return the landing address that this warehouse was last loaded from."""
        try:
            return self._landing_file.read_text().strip()
        except FileNotFoundError:
            return os.environ.get("CX_LANDING_URL") or str(self.sample_folder)

    def remember_landing_url(self, landing_url: str) -> None:
        """Keep the landing address for `make up` and the next run."""
        self._landing_file.write_text(landing_url + "\n")

    def settings(self, landing_url: str) -> Settings:
        """Return checked settings; PostgreSQL must have been started once."""
        return read_settings(self.task_environment(landing_url))

    def task_environment(self, landing_url: str) -> dict[str, str]:
        """Return the CX_* variables that every task of this clone sees."""
        return {
            "CX_DATABASE_URL": self.postgres.url(),
            "CX_LANDING_URL": landing_url,
            "CX_KEY_SECRET": self._read_key_secret(),
            "CX_REPORTING_TIME_ZONE": os.environ.get("CX_REPORTING_TIME_ZONE", ""),
            "CX_REPORT_FOLDER": str(self.report_folder),
        }

    def airflow(self, landing_url: str, is_scheduled: bool) -> EmbeddedAirflow:
        """Return this clone's Airflow; PostgreSQL must have been started once."""
        return EmbeddedAirflow(
            self.folder / "airflow",
            self.log_folder,
            self.postgres.url("airflow"),
            self.project_folder,
            self.task_environment(landing_url),
            is_scheduled,
        )

    @property
    def _landing_file(self) -> Path:
        return self.folder / "landing_url"

    def _read_key_secret(self) -> str:
        """Return the secret of the customer keys, made once for this clone."""
        if secret := os.environ.get("CX_KEY_SECRET"):
            return secret
        secret_file = self.folder / "key_secret"
        if not secret_file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_private(secret_file, secrets.token_hex(32) + "\n")
        return secret_file.read_text().strip()
