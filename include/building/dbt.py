"""dbt, run in this process on the warehouse's own settings.

In: `Settings`. Out: dbt's manifest, and the outcome of each node of a build. dbt reads
its connection and the key of the customer hash from the environment, so the secret is
in no file, log or process list.
"""

import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from dbt.adapters.base.impl import DEFAULT_BASE_BEHAVIOR_FLAGS
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode, SeedNode
from psycopg.conninfo import conninfo_to_dict

from include.building.dbt_sessions import KeptSessions
from include.building.error_words import remove_values
from include.contracts import read_contracts
from include.errors import BuildError
from include.seeds import gather_seeds
from include.settings import Settings, connect

HMAC_BLOCK = 64
# dbt appends the adapter's own flags to this list of its module in every run, and looks
# through the whole stack for each flag in it: after a hundred runs in one process that
# was two fifths of a night.
BEHAVIOR_FLAGS = tuple(DEFAULT_BASE_BEHAVIOR_FLAGS)
# The adapter has no setting for it.
PostgresAdapter.ConnectionManager = KeptSessions
# What dbt says of a run, in the order in which it says it.
TOLD = ("info", "warn", "error")
MODEL_BUILT = "LogModelResult"
# A long build says how far it is once in so many seconds.
SECONDS_BETWEEN_LINES = 10

# What dbt's nodes are told before they run, as tags.
LEFT_OUT = "left_out"
TESTED_WHOLE = "tested_whole"
DESCRIBED_OTHERWISE = "described_otherwise"


@dataclass(frozen=True)
class NodeOutcome:
    """How one node of a build ended; `status` is dbt's: success, pass, error …"""

    name: str
    kind: str
    status: str
    seconds: float
    message: str | None

    @property
    def is_failure(self) -> bool:
        """Whether the build must not go on."""
        return self.status in ("error", "fail", "runtime error", "partial success")


class Dbt:
    """The project's dbt, with its own folder for artefacts and logs."""

    def __init__(
        self, settings: Settings, progress: Callable[[str], None] | None = None
    ) -> None:
        self._project = settings.project_folder / "dbt_project"
        self._target = settings.report_folder / "dbt"
        self._log = log_file(settings)
        self._environment = dbt_environment(settings)
        self._settings = settings
        self._manifest: Manifest | None = None
        self._progress = progress
        self._built = 0
        self._said_at = time.monotonic()

    def parse(self) -> Manifest:
        """Read the project.

        Raises BuildError with dbt's own words when it cannot be parsed.
        """
        result = self._invoke(["parse"])
        if not result.success or not isinstance(result.result, Manifest):
            raise BuildError(
                f"The dbt project cannot be read: {_words(result.exception)}; correct "
                "it and build again."
            )
        self._manifest = result.result
        return self._manifest

    def build(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        leave_out: Collection[str] = (),
        with_tests: bool = True,
    ) -> list[NodeOutcome]:
        """Build seeds, functions and models, and test them; parents first.

        A test belongs to the last of the models that it reads: it runs with what is
        selected, and not where one of its models is excluded.

        Parameters
        ----------
        select, exclude : in dbt's words
        leave_out : names of nodes that are excluded too; dbt looks through the whole
            project for each name in `exclude`, a twelfth of a night

        Raises BuildError when dbt itself cannot run (no connection, say); a failing
        model or test is an outcome.
        """
        arguments = ["build", "--exclude-resource-type", "unit_test"]
        if not with_tests:
            arguments += ["--exclude-resource-type", "test"]
        if select:
            arguments += ["--select", *select]
        if leave_out:
            exclude = [*exclude, f"tag:{LEFT_OUT}"]
        if exclude:
            arguments += ["--exclude", *exclude]
        result = self._invoke(arguments, leave_out)
        if result.exception is not None:
            raise BuildError(f"dbt did not run: {_words(result.exception)}.")
        return _read_outcomes(result)

    def test_units(self, select: str = "test_type:unit") -> list[NodeOutcome]:
        """Run the unit tests of the models, or those that dbt's `select` names."""
        result = self._invoke(["test", "--select", select])
        if result.exception is not None:
            raise BuildError(f"dbt did not run: {_words(result.exception)}.")
        return _read_outcomes(result)

    def _forget_parse_of_other_macros(self) -> None:
        """Have everything read anew when a macro has changed.

        dbt keeps what it parsed, and reads again what has changed since. It misses a
        config that calls a changed macro: its marks would be those of the old code.
        """
        macros = sorted((self._project / "macros").rglob("*.sql"))
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in macros))
        parsed_macros = self._target / "parsed_macros.sha256"
        if parsed_macros.exists() and parsed_macros.read_text() == digest.hexdigest():
            return
        (self._target / "partial_parse.msgpack").unlink(missing_ok=True)
        self._target.mkdir(parents=True, exist_ok=True)
        parsed_macros.write_text(digest.hexdigest())

    def _choose_seeds(self) -> None:
        """Point dbt to a folder of its own where a company's seeds replace some."""
        if self._settings.seeds_folder is not None:
            folder = gather_seeds(self._settings, self._target / "seeds")
            # dbt takes a path from its project alone.
            self._environment["CX_DBT_SEED_PATH"] = os.path.relpath(
                folder, self._project
            )

    def _count_model(self) -> None:
        """Say now and then how many models are built."""
        self._built += 1
        now = time.monotonic()
        if self._progress is not None and now - self._said_at > SECONDS_BETWEEN_LINES:
            self._progress(f"build: {self._built} models so far")
            self._said_at = now

    def _tell_nodes(self, manifest: Manifest, left_out: Collection[str]) -> None:
        """Tell the nodes what the warehouse says of them: made anew or rebuilt by keys,
        tested whole or by keys, commented with other words than the project's.
        """
        with connect(self._settings, "transformer") as connection:
            rows = connection.execute(
                "select model, built_fingerprint is distinct from wanted_fingerprint"
                "  or to_regclass(format('%I.%I', schema_name, model)) is null,"
                " exists (select from audit.dirty_keys"
                "  where place = model || ' (whole)' and key = '')"
                " from audit.models"
            ).fetchall()
            comments = _read_comments(connection)
        anew = {model for model, is_anew, _ in rows if is_anew}
        whole = {model for model, _, is_whole in rows if is_whole} | anew
        for node in (*manifest.nodes.values(), *manifest.functions.values()):
            told = {
                LEFT_OUT: node.name in left_out,
                TESTED_WHOLE: node.name in whole,
                DESCRIBED_OTHERWISE: _describe(node) != comments.get(node.name, {}),
            }
            node.tags = [tag for tag in node.tags if tag not in told]
            node.tags += [tag for tag, is_so in told.items() if is_so]
            if isinstance(node, ModelNode | SeedNode):
                # A seed is only built when it changed, perhaps in its columns.
                is_anew = isinstance(node, SeedNode) or node.name in anew
                # None leaves it to the command line.
                node.config.full_refresh = is_anew or None

    def _invoke(
        self, arguments: Sequence[str], left_out: Collection[str] = ()
    ) -> dbtRunnerResult:
        if arguments != ["parse"]:
            self._tell_nodes(self._manifest or self.parse(), left_out)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._forget_parse_of_other_macros()
        self._choose_seeds()
        DEFAULT_BASE_BEHAVIOR_FLAGS[:] = BEHAVIOR_FLAGS
        with _environment(self._environment), self._log.open("a") as log:

            def tell(event: Any) -> None:
                # A message of dbt's protocol, which has no types.
                if event.info.name == MODEL_BUILT:
                    self._count_model()
                if event.info.level in TOLD:
                    now = datetime.now(UTC).isoformat(timespec="milliseconds")
                    log.write(f"{now} {remove_values(event.info.msg)}\n")

            return dbtRunner(manifest=self._manifest, callbacks=[tell]).invoke(
                [
                    *arguments,
                    *("--project-dir", str(self._project)),
                    *("--profiles-dir", str(self._project)),
                    *("--target-path", str(self._target)),
                    # Its own log and its record of results quote rows in errors.
                    *("--log-path", str(self._log.parent)),
                    *("--log-level", "none"),
                    *("--log-level-file", "none"),
                    "--no-write-json",
                    "--no-use-colors",
                ]
            )


def dbt_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that the project's profile, macros and functions read."""
    server = conninfo_to_dict(settings.database_url)
    role = settings.name_role("transformer")
    return {
        "CX_DBT_HOST": str(server.get("host", "localhost")),
        "CX_DBT_PORT": str(server.get("port", 5432)),
        "CX_DBT_USER": str(server.get("user", "")),
        "CX_DBT_DATABASE": str(server.get("dbname", "")),
        "DBT_ENV_SECRET_PASSWORD": str(server.get("password", "")),
        "CX_REPORTING_TIME_ZONE": settings.reporting_time_zone,
        **_name_sources(settings),
        # In force from the start of each session: no statement more per model.
        "PGOPTIONS": f"{compose_key_options(settings)} -c role={role}",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def _name_sources(settings: Settings) -> dict[str, str]:
    """Say which sources are on, whose record numbers stand as they are, and whose
    records another instance refers to: as zendesk@acme/crm=hubspot@acme."""
    contracts = read_contracts(settings.project_folder, settings.sources).values()
    homes = (feed.source for feed in contracts if not feed.record_prefix)
    related = (
        f"{feed.source}/{other.role}={other.source}"
        for feed in contracts
        for other in contracts
        if feed.source_instance and feed.source_instance == other.source_instance
    )
    return {
        "CX_DBT_RELATED_SOURCES": ",".join(dict.fromkeys(related)),
        "CX_SOURCES": ",".join(dict.fromkeys(feed.source for feed in contracts)),
        "CX_DBT_HOME_SOURCES": ",".join(dict.fromkeys(homes)),
    }


def compose_key_options(settings: Settings) -> str:
    """Return the session options that hold the key of `cx.keyed_hash`."""
    key = hashlib.sha256(settings.key_secret.encode()).digest().ljust(HMAC_BLOCK, b"\0")
    inner = bytes(byte ^ 0x36 for byte in key).hex()
    outer = bytes(byte ^ 0x5C for byte in key).hex()
    return f"-c cx.key_inner={inner} -c cx.key_outer={outer}"


def _read_comments(connection: psycopg.Connection) -> dict[str, dict[str, str]]:
    """The comments in the warehouse: by relation, by column; its own under no name."""
    comments: dict[str, dict[str, str]] = {}
    for relation, column, comment in connection.execute(
        "select relname, coalesce(attname, ''), description"
        " from pg_description inner join pg_class on pg_class.oid = objoid"
        " left join pg_attribute on attrelid = objoid and attnum = objsubid"
        "  and attnum > 0"
        " where classoid = 'pg_class'::regclass"
        "  and relnamespace = to_regnamespace('warehouse')"
    ):
        comments.setdefault(relation, {})[column] = comment
    return comments


def _describe(node: object) -> dict[str, str]:
    """The comments that the project wants for a model, by column like those there."""
    if not isinstance(node, ModelNode) or not node.config.persist_docs:
        return {}
    described = {column.name: column.description for column in node.columns.values()}
    wanted = {"": node.description, **described}
    return {name: text for name, text in wanted.items() if text}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _words(error: BaseException | None) -> str:
    return " ".join(remove_values(str(error)).split()) if error else "no reason given"


def _read_outcomes(result: dbtRunnerResult) -> list[NodeOutcome]:
    return [
        NodeOutcome(
            name=run.node.name,
            kind=str(run.node.resource_type),
            status=str(run.status),
            seconds=float(run.execution_time),
            message=remove_values(run.message) if run.message else None,
        )
        for run in getattr(result.result, "results", [])
    ]


def log_file(settings: Settings) -> Path:
    """Where dbt's own log lies."""
    return settings.report_folder / "dbt" / "logs" / "dbt.log"
