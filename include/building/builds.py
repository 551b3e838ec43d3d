"""One build: freeze the loads, rebuild what they touch, settle.

In: accepted loads. Out: ``warehouse.*`` brought up to them, and ``audit.builds`` and
``audit.model_runs`` that say what took how long. Nothing in ``marts`` changes here.

The order matters. First, in one transaction: the frozen loads, the keys that they
touch and the wanted fingerprints. Then dbt, model by model, each in a transaction of
its own; the statistics, in one transaction, that read those models; and dbt again, for
the models that read the statistics. Last, in one transaction: the loads are applied and
the dirty keys cleared. A build that dies in between is taken up by the next one, which
finds the loads begun and the keys still dirty.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from include import statistics
from include.building import frozen_loads
from include.building.build_lock import build_lock
from include.building.dbt import Dbt, NodeOutcome, log_file
from include.building.dead_builds import drop_what_was_put_aside, take_up_dead_builds
from include.building.error_words import remove_values
from include.building.model_fingerprints import (
    Node,
    list_changed_first,
    list_unchanged,
    list_what_each_rests_on,
    read_nodes,
)
from include.building.row_accounts import account_for_rows
from include.contracts import FeedContract, read_contracts
from include.errors import BuildError
from include.seeds import list_seeds
from include.settings import Settings, connect

log = logging.getLogger(__name__)

# Of which role's sources an identity is, by what stands first in it. A company is not
# here: it is no person whom anybody could find.
IDENTITY_ROLES = {
    **dict.fromkeys(
        ("contact", "company", "visitor", "activity", "order", "delivery", "return"),
        "crm",
    ),
    **dict.fromkeys(("user", "ticket"), "ticket"),
    **dict.fromkeys(("respondent", "response", "invited", "review"), "survey"),
}


@dataclass(frozen=True)
class BuildResult:
    """What one build did."""

    build_id: int
    loads_touched: int
    models_rebuilt: int
    outcomes: list[NodeOutcome] = field(repr=False)


def build(
    settings: Settings,
    run_id: str,
    progress: Callable[[str], None] = log.info,
    *,
    with_tests: bool = True,
) -> BuildResult:
    """Bring the warehouse up to the loads that are accepted now.

    Parameters
    ----------
    progress : is told now and then how many models are built
    with_tests : run the data tests of what is built, too; only a comparison of builds
        with each other does without them

    Raises BuildError: another build is under way, the key secret is another one than
    the warehouse was built with, or a model or test failed (which one, why).
    """
    contracts = list(read_contracts(settings.project_folder, settings.sources).values())
    dbt = Dbt(settings, progress)
    nodes = read_nodes(
        dbt.parse(),
        {
            "reporting_time_zone": settings.reporting_time_zone,
            "sources": ",".join(dict.fromkeys(feed.source for feed in contracts)),
        },
    )
    nodes.append(_describe_statistics(nodes))
    with connect(settings, "transformer") as connection, build_lock(connection):
        _check_key_secret(connection, settings)
        with connection.transaction():
            build_id, touched, rebuilt, unchanged = _begin(
                connection, run_id, contracts, nodes
            )
        frozen_loads.analyse_raw_tables(connection, contracts, touched)
        outcomes: list[NodeOutcome] = []
        try:
            # A night that brought nothing new leaves nothing to build, or to test.
            if touched or rebuilt or _has_dirty_keys(connection):
                _build_parts(connection, settings, dbt, unchanged, with_tests, outcomes)
            failure = _describe_failure(settings, outcomes)
        except BuildError as error:
            failure = str(error)
        with connection.transaction():
            _record_outcomes(connection, build_id, outcomes, rebuilt)
            if failure is None:
                _finish(settings, connection, build_id, contracts, touched)
            else:
                connection.execute(
                    "update audit.builds set status = 'failed', message = %s,"
                    " finished_at = clock_timestamp() where build_id = %s",
                    [failure, build_id],
                )
        if failure is not None:
            raise BuildError(failure)
        # How many keys there are decides how gate 2 and publish read their tables.
        connection.execute("analyze audit.unpublished_keys")
        _vacuum_new_tables(connection, [node for node in nodes if node.name in rebuilt])
    models = sum(outcome.kind == "model" for outcome in outcomes)
    log.info("build %s: %s loads touched, %s models", build_id, len(touched), models)
    return BuildResult(build_id, len(touched), models, outcomes)


def _build_parts(
    connection: psycopg.Connection,
    settings: Settings,
    dbt: Dbt,
    unchanged: list[str],
    with_tests: bool,
    outcomes: list[NodeOutcome],
) -> None:
    """Build what the statistics read, the statistics, and what reads them.

    Adds to the outcomes as it goes. A failure ends it: each part builds on the last.
    """
    readers = f"source:{statistics.SOURCE}+"
    outcomes += dbt.build(exclude=[readers], leave_out=unchanged, with_tests=with_tests)
    if any(outcome.is_failure for outcome in outcomes):
        return
    started = time.monotonic()
    try:
        with connection.transaction():
            statistics.compute(connection, list_seeds(settings)["countries"])
    except psycopg.Error as error:
        raise BuildError(
            f"The statistics failed: {remove_values(' '.join(str(error).split()))}; "
            "marts stay as they were."
        ) from error
    outcomes.append(
        NodeOutcome(
            name=statistics.SOURCE,
            kind="statistics",
            status="success",
            seconds=round(time.monotonic() - started, 6),
            message=None,
        )
    )
    outcomes += dbt.build(select=[readers], leave_out=unchanged, with_tests=with_tests)


def _describe_statistics(nodes: list[Node]) -> Node:
    """The statistics as a node: computed anew when their code, or that of a model that
    they read, changes."""
    parents = [node for node in nodes if node.name in statistics.PARENTS]
    missing = statistics.PARENTS - {node.name for node in parents}
    if missing:
        raise BuildError(
            f"The statistics read what the project does not build "
            f"({', '.join(sorted(missing))}): correct PARENTS in "
            "include/statistics/computing.py, or the name of the model."
        )
    text = [statistics.read_code(), *sorted(node.fingerprint for node in parents)]
    return Node(
        name=statistics.SOURCE,
        kind="statistics",
        schema_name=statistics.SOURCE,
        is_published=False,
        row_key=("score_period_key",),
        publish_by="period_key",
        is_static=False,
        fingerprint=hashlib.sha256("".join(text).encode()).hexdigest(),
        parents=tuple(node.name for node in parents),
    )


def _begin(
    connection: psycopg.Connection,
    run_id: str,
    contracts: list[FeedContract],
    nodes: list[Node],
) -> tuple[int, list[frozen_loads.TouchedLoad], list[str], list[str]]:
    """Freeze the input and note what is wanted.

    Returns the build's id, the loads that it touches, the nodes whose code changed and
    the nodes that need no work.
    """
    touched = frozen_loads.freeze(connection, contracts)
    rows = connection.execute("select model, built_fingerprint from audit.models")
    built: dict[str, str | None] = dict(rows.fetchall())
    resting = list_what_each_rests_on(nodes, {statistics.SOURCE: statistics.SOURCE})
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit.models (model, kind, schema_name, is_published, row_key,"
            " rebuild_by, position, publish_where, published_indexes,"
            " rests_on, restated, wanted_fingerprint)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (model) do update set kind = excluded.kind,"
            " schema_name = excluded.schema_name, is_published = excluded.is_published,"
            " row_key = excluded.row_key, rebuild_by = excluded.rebuild_by,"
            " position = excluded.position, publish_where = excluded.publish_where,"
            " published_indexes = excluded.published_indexes,"
            " rests_on = excluded.rests_on, restated = excluded.restated,"
            " wanted_fingerprint = excluded.wanted_fingerprint",
            [
                (
                    node.name,
                    node.kind,
                    node.schema_name,
                    node.is_published,
                    list(node.row_key),
                    node.publish_by,
                    position,
                    node.publish_where,
                    Jsonb(node.published_indexes),
                    sorted(resting[node.name]),
                    node.restated.model_dump_json() if node.restated else None,
                    node.fingerprint,
                )
                for position, node in enumerate(nodes)
            ],
        )
    # What left the project is forgotten here, and leaves marts with the next publish.
    connection.execute(
        "delete from audit.models where model <> all(%s)",
        [[node.name for node in nodes]],
    )
    incremental = [node for node in nodes if node.kind == "incremental"]
    # When every model is built anew there is nobody to tell what changed.
    if any(built.get(node.name) == node.fingerprint for node in incremental):
        frozen_loads.collect_touched_keys(connection, contracts, touched)
        connection.execute("analyze audit.dirty_keys")
    drop_what_was_put_aside(connection)
    missing = _list_missing_views(connection, nodes)
    unchanged = list_unchanged(nodes, built, missing)
    rebuilt = [
        node.name
        for node in nodes
        if built.get(node.name) != node.fingerprint or node.name in missing
    ]
    frozen_loads.forget_staged_rows(
        connection,
        [contract.name for contract in contracts if contract.staging_model in rebuilt],
    )
    row = connection.execute(
        "insert into audit.builds"
        " (run_id, status, loads_touched, models_rebuilt, changed_code)"
        " values (%s, 'running', %s, %s, %s) returning build_id",
        [run_id, len(touched), len(rebuilt), list_changed_first(nodes, built)],
    ).fetchone()
    assert row is not None
    take_up_dead_builds(connection, row[0])
    return row[0], touched, rebuilt, unchanged


def _vacuum_new_tables(connection: psycopg.Connection, rebuilt: list[Node]) -> None:
    """Note which pages of a table made anew everybody may see: until then, an index
    alone answers nothing, and each first reader of a page writes it."""
    for node in rebuilt:
        if node.kind == "incremental":
            connection.execute(
                sql.SQL("vacuum {}").format(sql.Identifier(node.schema_name, node.name))
            )


def _list_missing_views(connection: psycopg.Connection, nodes: list[Node]) -> set[str]:
    """Views that are not there: they go with a relation that was built anew under them,
    and a build that died then has not made them again."""
    rows = connection.execute(
        "select wanted.name"
        " from unnest(%s::text[], %s::text[]) as wanted (schema, name)"
        " where to_regclass(wanted.schema || '.' || wanted.name) is null",
        [
            [node.schema_name for node in nodes if node.kind == "view"],
            [node.name for node in nodes if node.kind == "view"],
        ],
    ).fetchall()
    return {name for (name,) in rows}


def _has_dirty_keys(connection: psycopg.Connection) -> bool:
    """Whether a build that did not finish left keys to rebuild."""
    row = connection.execute("select exists (select from audit.dirty_keys)").fetchone()
    return row is not None and bool(row[0])


def _finish(
    settings: Settings,
    connection: psycopg.Connection,
    build_id: int,
    contracts: list[FeedContract],
    touched: list[frozen_loads.TouchedLoad],
) -> None:
    restaged = frozen_loads.list_restaged(connection)
    account_for_rows(settings, connection, build_id, contracts, touched, restaged)
    _record_loads(connection, build_id, touched)
    frozen_loads.apply(connection)
    # A reader who guesses at e-mail addresses has no key, and needs no function either.
    connection.execute("revoke execute on function cx.keyed_hash from public")
    _count_for_status(connection, contracts)
    connection.execute(
        "update audit.builds set status = 'succeeded',"
        " finished_at = clock_timestamp() where build_id = %s",
        [build_id],
    )


def _record_loads(
    connection: psycopg.Connection,
    build_id: int,
    touched: list[frozen_loads.TouchedLoad],
) -> None:
    """Keep which loads the build took up, left behind or read again, for those who ask
    why a figure changed; not those that only builds saw which did not finish."""
    changes = {(True, False): "came", (False, True): "went", (True, True): "read again"}
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into audit.built_loads"
            " (build_id, load_id, feed, batch_date, change)"
            " values (%s, %s, %s, %s, %s)",
            [
                (build_id, load.load_id, load.feed, load.batch_date, change)
                for load in touched
                if (change := changes.get((load.is_current, load.is_applied)))
            ],
        )


def _record_outcomes(
    connection: psycopg.Connection,
    build_id: int,
    outcomes: list[NodeOutcome],
    rebuilt: list[str],
) -> None:
    """Note what was built, how long it took, and what of it: all, or so many keys."""
    built = [
        outcome
        for outcome in outcomes
        if outcome.kind in ("seed", "function") and outcome.status == "success"
    ]
    with connection.cursor() as cursor:
        # Models note this themselves, in the transaction that builds them.
        cursor.executemany(
            "update audit.models set built_fingerprint = wanted_fingerprint,"
            " built_at = clock_timestamp() where model = %s",
            [(outcome.name,) for outcome in built],
        )
        cursor.executemany(
            "insert into audit.model_runs (build_id, model, status, seconds, message)"
            " values (%s, %s, %s, %s, %s)",
            [
                (build_id, item.name, item.status, item.seconds, item.message)
                for item in outcomes
            ],
        )
    connection.execute(
        "update audit.model_runs set is_whole = models.model = any(%(rebuilt)s),"
        " keys_rebuilt = case when models.model <> all(%(rebuilt)s)"
        "  then (select count(*) from audit.dirty_keys where place = models.model) end"
        " from audit.models where models.model = model_runs.model"
        " and models.kind = 'incremental' and build_id = %(build)s",
        {"rebuilt": rebuilt, "build": build_id},
    )


def _count_for_status(
    connection: psycopg.Connection, contracts: Iterable[FeedContract]
) -> None:
    sources = sorted(
        {(feed.source, feed.role, feed.record_prefix) for feed in contracts}
    )
    connection.execute("delete from audit.source_counts")
    # By the number's prefix, else it is of the home source of the role.
    connection.execute(
        "insert into audit.source_counts (source, measure, rows)"
        " select coalesce(named.source, homes.source), 'unmatched_identities', count(*)"
        " from warehouse.int_identities as identities"
        " left join unnest(%(kinds)s::text[], %(kind_roles)s::text[])"
        "  as kinds (kind, role) on kinds.kind = split_part(identity_id, ':', 1)"
        " left join unnest(%(sources)s::text[], %(prefixes)s::text[])"
        "  as named (source, prefix) on named.prefix <> ''"
        "  and starts_with(identity_id, kinds.kind || ':' || named.prefix)"
        " left join unnest("
        "  %(sources)s::text[], %(roles)s::text[], %(prefixes)s::text[])"
        "  as homes (source, role, prefix)"
        "  on homes.role = kinds.role and homes.prefix = ''"
        " where identity_method = 'unmatched'"
        "  and coalesce(named.source, homes.source) is not null group by 1",
        {
            "kinds": list(IDENTITY_ROLES),
            "kind_roles": list(IDENTITY_ROLES.values()),
            "sources": [source for source, _, _ in sources],
            "roles": [role for _, role, _ in sources],
            "prefixes": [prefix for _, _, prefix in sources],
        },
    )
    connection.execute(
        "insert into audit.source_counts (source, measure, rows)"
        " select source_system, 'unmapped_events', count(*)"
        " from warehouse.fct_touchpoints where touchpoint = '(unmapped)' group by 1"
    )


def _check_key_secret(connection: psycopg.Connection, settings: Settings) -> None:
    fingerprint = settings.fingerprint_key()
    with connection.transaction():
        connection.execute(
            "insert into audit.settings (name, value) values ('key_fingerprint', %s)"
            " on conflict do nothing",
            [fingerprint],
        )
        row = connection.execute(
            "select value from audit.settings where name = 'key_fingerprint'"
        ).fetchone()
    if row is None or row[0] != fingerprint:
        raise BuildError(
            "CX_KEY_SECRET is not the secret that this warehouse was built with, and "
            "every customer_key would change: set the old secret again, or build a new "
            "warehouse."
        )


def _describe_failure(settings: Settings, outcomes: list[NodeOutcome]) -> str | None:
    failed = [outcome for outcome in outcomes if outcome.is_failure]
    if not failed:
        return None
    first = failed[0]
    reason = " ".join((first.message or "no reason given").split())
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return (
        f"The {first.kind} {first.name} failed{others}: {reason}; marts stay as they "
        f"were, see {log_file(settings)}."
    )
