"""Gate 2: would a reader believe what the last build made?

In: ``warehouse.*`` after a build. Out: nothing when it may be published, with warnings
in the log; else GateError, and ``marts`` stay as they were. The rules lie in
``expectations/marts.py`` and ``expectations/marts_tables.py``.
"""

import logging
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from expectations import marts, marts_queries, marts_table_queries, marts_tables
from expectations.context import Outcome, SuiteRun, run_suites
from expectations.rules import Rule, build_suite
from include.contracts import read_contracts
from include.errors import GateError
from include.gates.results import Finding, GateResult, ResultRow, record_results
from include.settings import Settings, connect

log = logging.getLogger(__name__)

RULES: dict[str, tuple[Rule, ...]] = {
    "accounts": marts.ACCOUNT_RULES,
    **{f"{metric}_scores": rules for metric, rules in marts.SCORE_RULES.items()},
    "relations": marts.RELATION_RULES,
    "figures": marts.FIGURE_RULES,
    "sums": marts_tables.SUM_RULES,
    "customers": marts_tables.CUSTOMER_RULES,
    "attributes": marts_tables.ATTRIBUTE_RULES,
    "restatements": marts_tables.RESTATEMENT_RULES,
}


def check_marts(settings: Settings, run_id: str) -> GateResult:
    """Check the last build; at once when nothing changed since one that passed.

    Raises GateError when a critical expectation is not met; its `source` is the system
    to blame, where all the failures belong to one.
    """
    result = GateResult(run_id, "marts")
    with connect(settings, "transformer") as connection:
        if _is_already_checked(connection):
            log.info("gate 2: nothing changed since the last build that passed")
            return result
        relations = read_published_relations(connection)
        queries = compose_queries(connection, relations)
        rules_by_suite = {suite: RULES[suite] for suite in queries}
        runs = [
            SuiteRun(
                build_suite(suite, rules), _answer_once(connection, queries[suite])
            )
            for suite, rules in rules_by_suite.items()
        ]
        connection.commit()
        outcomes = run_suites(settings, "transformer", runs, run_id)
        result.checked = len(outcomes)
        only_sources = _find_only_sources(settings)
        record_results(
            connection,
            run_id,
            "marts",
            [
                _judge(outcome, rules_by_suite, only_sources, result)
                for outcome in outcomes
            ],
        )
    if result.failed_critical:
        raise _compose_error(result, _find_build(settings))
    log.info(
        "gate 2: %d expectations met, %d warnings",
        result.checked - len(result.failed_warning),
        len(result.failed_warning),
    )
    return result


def _is_already_checked(connection: psycopg.Connection) -> bool:
    """Whether no build since the last one that passed changed anything.

    Raises GateError when the last build did not succeed.
    """
    row = connection.execute(
        "select status from audit.builds order by build_id desc limit 1"
    ).fetchone()
    if row is None or row[0] != "succeeded":
        raise GateError(
            "There is no finished build to check: the last one "
            f"{'failed' if row else 'never began'}; build again."
        )
    passed = connection.execute(
        "select count(*) filter (where status <> 'succeeded' or loads_touched > 0"
        "  or models_rebuilt > 0) from audit.builds"
        " where build_id > (select max(build_id) from audit.builds"
        "  where gated_at is not null)"
        " having exists (select from audit.builds where gated_at is not null)"
    ).fetchone()
    return passed is not None and passed[0] == 0


def _find_only_sources(settings: Settings) -> dict[str, str]:
    """Return the source of each role that has one and no more."""
    sources: dict[str, set[str]] = {}
    contracts = read_contracts(settings.project_folder, settings.sources)
    for contract in contracts.values():
        sources.setdefault(contract.role, set()).add(contract.source)
    return {role: names.pop() for role, names in sources.items() if len(names) == 1}


def read_published_relations(connection: psycopg.Connection) -> list[str]:
    """Read which tables are built and published."""
    rows = connection.execute(
        "select model from audit.models where is_published and kind <> 'view'"
        " and to_regclass('warehouse.' || model) is not null"
        " and to_regclass('marts.' || model) is not null order by model"
    ).fetchall()
    return [row[0] for row in rows]


def _read_changes(connection: psycopg.Connection) -> marts_queries.Changes:
    """Read how much of each published model is not published yet."""
    rows = connection.execute(
        "select models.model, models.rebuild_by,"
        " format_type(attributes.atttypid, attributes.atttypmod),"
        " to_regclass('marts.' || models.model) is null"
        "  or coalesce(bool_or(keys.model is not null and keys.key is null), false),"
        " count(keys.key) > 0, coalesce(models.publish_where, 'true')"
        " from audit.models as models"
        " inner join pg_attribute as attributes"
        "  on attributes.attrelid = to_regclass('warehouse.' || models.model)"
        "  and attributes.attname = models.rebuild_by"
        " left join audit.unpublished_keys as keys on keys.model = models.model"
        " where models.is_published"
        " group by models.model, attributes.atttypid, attributes.atttypmod"
    )
    return marts_queries.Changes(
        {model: marts_queries.Change(*details) for model, *details in rows}
    )


def compose_queries(
    connection: psycopg.Connection, relations: Sequence[str]
) -> dict[str, str]:
    """Compose the query of each suite over what is not published yet."""
    changes = _read_changes(connection)
    queries = {"accounts": marts_queries.compose_account_query()}
    queries |= {
        f"{metric}_scores": marts_queries.compose_score_query(metric, changes)
        for metric in marts.SCORE_RULES
    }
    queries["figures"] = marts_queries.compose_figures_query(changes)
    queries["sums"] = marts_table_queries.compose_sums_query(changes)
    queries["customers"] = marts_table_queries.compose_customers_query(changes)
    if relations:
        queries["relations"] = marts_queries.compose_relation_query(relations, changes)
    if _is_comparable(connection):
        queries["attributes"] = marts_table_queries.compose_attributes_query(changes)
        queries["restatements"] = marts_table_queries.compose_restatement_query(changes)
    return queries


def _is_comparable(connection: psycopg.Connection) -> bool:
    """Whether all columns are published that a build is compared with.

    They are not before the first publish, nor in the night that renames one.
    """
    wanted = [
        (table, column)
        for table, columns in marts_table_queries.COMPARED_COLUMNS.items()
        for column in columns
    ]
    missing = connection.execute(
        "select from unnest(%s::text[], %s::text[]) as wanted (table_name, column_name)"
        " where not exists (select from pg_attribute"
        "  where attrelid = to_regclass('marts.' || wanted.table_name)"
        "  and attname = wanted.column_name)",
        [[table for table, _ in wanted], [column for _, column in wanted]],
    ).fetchone()
    return missing is None


def _answer_once(connection: psycopg.Connection, query: str) -> str:
    """Run a query; return one that holds its answer.

    Great Expectations asks several times for each expectation.
    """
    cursor = connection.execute(query.encode())
    rows = cursor.fetchall()
    assert cursor.description is not None
    names = [column.name for column in cursor.description]
    # One array for each column: thousands of values are parsed as one constant.
    columns = [
        sql.SQL("cast({} as {})").format(
            sql.Literal([row[position] for row in rows]),
            sql.SQL("text[]" if name == marts_queries.ROW_ID else "double precision[]"),
        )
        for position, name in enumerate(names)
    ]
    return (
        sql.SQL("select * from unnest({}) as answers ({})")
        .format(
            sql.SQL(", ").join(columns),
            sql.SQL(", ").join(map(sql.Identifier, names)),
        )
        .as_string(connection)
    )


def _judge(
    outcome: Outcome,
    rules_by_suite: dict[str, tuple[Rule, ...]],
    only_sources: Mapping[str, str],
    result: GateResult,
) -> ResultRow:
    """Add what is not met to the result and tell the log; return its trace."""
    rule = next(
        rule
        for rule in rules_by_suite[outcome.suite]
        if rule.name == outcome.meta["rule"]
    )
    observed = _describe(outcome, rule)
    if observed is not None:
        row_id = next(iter(outcome.failing))
        source = marts.find_source(outcome.suite, row_id, rule.role, only_sources)
        result.add(rule.severity, Finding(outcome.suite, rule.name, observed, source))
        level = logging.ERROR if rule.severity == "critical" else logging.WARNING
        log.log(
            level,
            "gate 2: %s, expected: %s; %s.",
            observed,
            rule.expected,
            rule.remedy,
        )
    return ResultRow(
        outcome.suite,
        outcome.suite,
        rule.name,
        rule.severity,
        outcome.is_met,
        observed,
    )


def _describe(outcome: Outcome, rule: Rule) -> str | None:
    """Describe the first row that fails and count the others; None: all met."""
    if outcome.is_met:
        return None
    row_id, value = next(iter(outcome.failing.items()))
    observed = rule.observed.format(row_id=row_id, value=value)
    others = len(outcome.failing) - 1
    return f"{observed} and {others:,} more rows" if others else observed


def _find_build(settings: Settings) -> int:
    with connect(settings) as connection:
        (row,) = connection.execute("select max(build_id) from audit.builds")
    return int(row[0])


def _compose_error(result: GateResult, build_id: int) -> GateError:
    sources = {finding.source for finding in result.failed_critical}
    first = result.failed_critical[0]
    others = len(result.failed_critical) - 1
    return GateError(
        f"Gate 2 stops the publish: {first.observed} ({first.expectation})"
        f"{f'; {others} more are in audit.gate_results' if others else ''}; marts stay"
        " as they were, see the Data Docs. If it is right all the same: `make accept"
        f" BUILD={build_id}`.",
        source=sources.pop() if len(sources) == 1 else None,
    )
