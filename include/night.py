"""One night, step by step: what the DAG and the command line call.

    extract -> check_raw -> build -> check_marts -> publish -> report

In: exports in the landing zone. Out: a published version of ``marts`` and the
scorecard. A feed that fails never stops the others: it is recorded, the night goes on
without it, and `report` ends the run as failed so that somebody is told.
"""

import logging
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from include import audit, gates
from include.access.roles import become, set_passwords
from include.building import publish as publishing
from include.building.build_lock import wait_for_others, wait_until_free
from include.contracts import read_contracts
from include.errors import GateError, WarehouseError
from include.gates import GateResult
from include.loading.range_loader import ExtractResult, Progress, load_range
from include.loading.raw_tables import create_raw_tables
from include.runs import record_step
from include.settings import Settings, connect

if TYPE_CHECKING:
    from include.building.builds import BuildResult
    from include.building.rollback import RollbackResult

log = logging.getLogger(__name__)

ROLES = ("crm", "survey", "ticket")


def prepare(settings: Settings) -> None:
    """Bring the audit schema, the roles and the raw tables up to the code; cheap when
    they are."""
    contracts = read_contracts(settings.project_folder, settings.sources)
    with connect(settings) as connection:
        audit.migrate(connection, settings.role_prefix)
        set_passwords(connection, settings.read_passwords(), settings.key_secret)
        connection.commit()
        become(connection, settings.name_role("loader"))
        create_raw_tables(connection, contracts.values())


def extract(
    settings: Settings,
    role: str,
    first: date,
    last: date,
    run_id: str,
    progress: Progress = log.info,
    sources: Collection[str] = (),
) -> ExtractResult:
    """Load every feed of one role for the batch dates first to last, inclusive.

    Parameters
    ----------
    sources : systems, as hubspot, whose feeds alone are loaded; none stands for all

    Raises WarehouseError, after all the others are loaded, when a feed failed; each
    failure is in ``audit.feed_failures`` too.
    """
    prepare(settings)
    contracts = [
        contract
        for contract in read_contracts(
            settings.project_folder, settings.sources
        ).values()
        if contract.role == role and (not sources or contract.source in sources)
    ]
    with record_step(settings, run_id, f"extract_{role}"):
        result = load_range(settings, contracts, first, last, run_id, progress)
        if result.failures:
            raise WarehouseError(" ".join(result.failures))
    return result


def check_raw(settings: Settings, run_id: str) -> GateResult:
    """Gate 1: accept or hold every load that waits."""
    prepare(settings)
    with record_step(settings, run_id, "check_raw"):
        return gates.check_raw(settings, run_id)


def build(
    settings: Settings,
    run_id: str,
    progress: Progress = log.info,
    *,
    with_tests: bool = True,
) -> "BuildResult":
    """Build what the accepted loads touch, and test it."""
    # dbt takes seconds to import; the tasks that load do without it.
    from include.building import builds

    with record_step(settings, run_id, "build"):
        return wait_for_others(
            settings,
            lambda: builds.build(settings, run_id, progress, with_tests=with_tests),
        )


def check_marts(settings: Settings, run_id: str) -> GateResult:
    """Gate 2: would a reader believe this?

    Where the doubt belongs to one source, that source's loads of this run are held, the
    load that each replaced is in force again, and the rest is built and checked once
    more.

    Raises GateError when the marts must not be published.
    """
    with record_step(settings, run_id, "check_marts"):
        # The build of another run holds what this one built, and will be checked too.
        wait_until_free(settings)
        build_id = _find_last_build(settings)
        try:
            result = gates.check_marts(settings, run_id)
        except GateError as error:
            if not _hold_loads_of_failed_source(settings, run_id, error):
                raise
            from include.building import builds

            build_id = wait_for_others(
                settings, lambda: builds.build(settings, run_id)
            ).build_id
            result = gates.check_marts(settings, run_id)
        _note_that_build_passed(settings, build_id)
    return result


def publish_stopped_build(
    settings: Settings, build_id: int
) -> publishing.PublishResult:
    """Publish the last build although gate 2 stops it: a person believes it.

    Raises WarehouseError when gate 2 does not stop it, or it is not the last one.
    """
    with connect(settings) as connection, connection.transaction():
        run_id = audit.accept_stopped_build(connection, build_id)
    return publish(settings, run_id)


def publish(settings: Settings, run_id: str) -> publishing.PublishResult:
    """Copy what changed into marts."""
    with record_step(settings, run_id, "publish"):
        return wait_for_others(settings, lambda: publishing.publish(settings, run_id))


def roll_back(settings: Settings, run_id: str) -> "RollbackResult":
    """Bring the version published before into marts again, and say so on the page."""
    from include.building.rollback import roll_back
    from include.scorecard import write_scorecard

    prepare(settings)
    with record_step(settings, run_id, "roll_back"):
        result = roll_back(settings, run_id)
        write_scorecard(settings)
    return result


def report(settings: Settings, run_id: str) -> Path:
    """Write the scorecard and say how the run went.

    Raises WarehouseError when a feed failed, a load is held or a gate was not passed in
    this run, so that the run ends failed.
    """
    from include.scorecard import write_scorecard

    with record_step(settings, run_id, "report"):
        page = write_scorecard(settings)
        problems = find_problems(settings, run_id)
        if problems:
            raise WarehouseError(" ".join(problems))
    return page


def find_problems(settings: Settings, run_id: str) -> list[str]:
    """Return one sentence for each thing that went wrong in a run.

    A step that died without a word is found by what it left undone: loads that are in
    force and in no build, or a build that was not published.
    """
    with connect(settings, "transformer") as connection:
        problems = [
            row[0]
            for row in connection.execute(
                # Sources are loaded side by side: what failed first is chance.
                "select sentence from ("
                " select 1 as place, batch_date, feed as about, message as sentence"
                " from audit.feed_failures"
                " where run_id = %(run)s and resolved_at is null"
                " union all"
                " select 2, batch_date, feed, format('%%s of %%s is held: %%s',"
                "  feed, batch_date, held_reason)"
                " from audit.loads where run_id = %(run)s and status = 'held'"
                " union all"
                " select 3, null, null, message from audit.builds"
                " where run_id = %(run)s and status = 'failed'"
                " and build_id = (select max(build_id) from audit.builds)"
                " union all"
                " select 4, null, subject, format('%%s: %%s was expected, %%s was seen;"
                " the marts stay as they were.', subject, expectation, observed)"
                " from audit.gate_results"
                " where run_id = %(run)s and gate = 'marts' and not is_met"
                " and severity = 'critical' and not exists (select from audit.publishes"
                "  where run_id = %(run)s)"
                ") as problems order by place, batch_date, about, sentence",
                {"run": run_id},
            )
        ]
        return problems or [
            row[0]
            for row in connection.execute(
                "select format('%%s accepted loads are not built yet: see the log of"
                " the failed step, then run this night again.', count(*))"
                " from audit.loads where status = 'accepted' and feed = any(%s)"
                " and not exists ("
                "  select from audit.build_loads where is_applied"
                "  and build_loads.load_id = loads.load_id) having count(*) > 0"
                " union all"
                " select format('Build %%s is not published: see the log of the failed"
                " step, then run this night again.', build_id) from audit.builds"
                " where build_id = (select max(build_id) from audit.builds)"
                " and not exists (select from audit.publishes"
                "  where publishes.build_id = builds.build_id)",
                [list(read_contracts(settings.project_folder, settings.sources))],
            )
        ]


def _hold_loads_of_failed_source(
    settings: Settings, run_id: str, error: GateError
) -> bool:
    """Hold the run's loads of the source that the gate blames; False: there is none."""
    source = getattr(error, "source", None)
    if source is None:
        return False
    with connect(settings, "transformer") as connection, connection.transaction():
        rows = connection.execute(
            "select load_id from audit.loads where run_id = %s and status = 'accepted'"
            " and split_part(feed, '.', 1) = %s",
            [run_id, source],
        ).fetchall()
        for (load_id,) in rows:
            audit.hold_accepted_load(connection, load_id, f"gate 2: {error}")
    return bool(rows)


def _find_last_build(settings: Settings) -> int:
    with connect(settings, "transformer") as connection:
        row = connection.execute("select max(build_id) from audit.builds").fetchone()
    if row is None or row[0] is None:
        raise GateError("There is no build to check: build first.")
    return int(row[0])


def _note_that_build_passed(settings: Settings, build_id: int) -> None:
    """Let this build be published; a newer one, begun meanwhile, needs its check."""
    with connect(settings, "transformer") as connection, connection.transaction():
        connection.execute(
            "update audit.builds set gated_at = clock_timestamp()"
            " where build_id = %s and status = 'succeeded'",
            [build_id],
        )
