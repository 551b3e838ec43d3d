"""Gate 1: did the source send what its contract says?

In: every load of status "loaded", and those in force that got rows out of their rejects
since they were judged. Out: each of them accepted or held, with the reason as one
sentence that says what to do. The rules lie in ``expectations/raw.py``.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from expectations import raw
from expectations.context import Outcome, SuiteRun, run_suites
from expectations.rules import Rule, build_suite
from include.audit import decide_loads
from include.contracts import read_contracts
from include.gates.load_profiles import WaitingLoad, profile_loads, read_waiting_loads
from include.gates.results import Finding, GateResult, ResultRow, record_results
from include.settings import Settings, connect

log = logging.getLogger(__name__)

# What judges loads, or changes the rows of one that may be judged, holds this lock.
LOCK_NAME = "cx.check_raw"

Profile = Mapping[str, Any]


def check_raw(settings: Settings, run_id: str) -> GateResult:
    """Accept or hold every load that waits, of this run or of an earlier one.

    A held load changes nothing: the load accepted before it stays in force.

    Raises GateError when an expectation could not be evaluated; then every load goes
    on waiting.
    """
    result = GateResult(run_id, "raw")
    with connect(settings, "loader") as connection:
        # Two gates at once would decide the same loads twice.
        lock = connection.execute(
            "select pg_try_advisory_lock(hashtext(%s))", [LOCK_NAME]
        ).fetchone()
        if lock is None or not lock[0]:
            log.warning("gate 1 waits until that of another run is done")
            connection.execute("select pg_advisory_lock(hashtext(%s))", [LOCK_NAME])
        waiting = read_waiting_loads(connection)
        connection.commit()
        if not waiting:
            log.info("gate 1: no load is waiting")
            return result
        result.checked = len(waiting)
        reasons = _judge_loads(connection, settings, waiting, result)
        result.held_loads = decide_loads(
            connection, [load.load_id for load in waiting], reasons
        )
    log.info(
        "gate 1: %d loads accepted, %d held, %d warnings",
        len(waiting) - len(reasons),
        len(reasons),
        len(result.failed_warning),
    )
    return result


def _judge_loads(
    connection: psycopg.Connection,
    settings: Settings,
    waiting: Sequence[WaitingLoad],
    result: GateResult,
) -> dict[int, str]:
    """Measure and check the loads; return for each one to hold why."""
    contracts = read_contracts(settings.project_folder, settings.sources)
    declared = [load for load in waiting if load.feed in contracts]
    reasons = {
        load.load_id: _refuse_undeclared(load, result)
        for load in waiting
        if load.feed not in contracts
    }
    if not declared:
        return reasons
    profile_loads(settings, contracts, declared)
    profiles = _read_profiles(connection, declared)
    outcomes = run_suites(
        settings,
        "loader",
        [SuiteRun(build_suite(raw.SUITE, raw.RULES), raw.compose_query())],
        result.run_id,
    )
    rows: list[ResultRow] = []
    broken: dict[int, list[str]] = {}
    for outcome in outcomes:
        rule = raw.RULES_BY_NAME[outcome.meta["rule"]]
        failing = sorted(map(int, outcome.failing))
        rows += _summarise(outcome, rule, profiles)
        for load_id in failing:
            # A load that arrived while the gate ran is the next gate's.
            if load_id not in profiles:
                continue
            profile = profiles[load_id]
            finding = _describe(rule, profile)
            result.add(rule.severity, finding)
            rows.append(
                ResultRow(
                    outcome.suite,
                    profile["feed"],
                    rule.name,
                    rule.severity,
                    False,
                    finding.observed,
                    load_id,
                )
            )
            sentence = (
                f"{finding.observed}, expected: {rule.expected}; "
                f"{rule.remedy.format_map(profile)}."
            )
            if rule.severity == "critical":
                broken.setdefault(load_id, []).append(sentence)
            else:
                level = logging.WARNING if rule.severity == "warning" else logging.INFO
                log.log(level, "%s: %s", finding.subject, sentence)
    for load_id, sentences in broken.items():
        profile = profiles[load_id]
        reasons[load_id] = _compose_reason(profile, sentences)
        log.error(
            "%s of %s is held: %s",
            profile["feed"],
            profile["batch_date"],
            reasons[load_id],
        )
    record_results(connection, result.run_id, "raw", rows)
    return reasons


def _refuse_undeclared(load: WaitingLoad, result: GateResult) -> str:
    finding = Finding(
        subject=f"{load.feed} of {load.batch_date}",
        expectation="a contract declares the feed",
        observed="no contract declares the feed",
        source=load.feed.split(".")[0],
    )
    result.add("critical", finding)
    reason = (
        f"{finding.observed}; declare it in the sources file of its system and load the"
        " date again."
    )
    log.error("%s is held: %s", finding.subject, reason)
    return reason


def _describe(rule: Rule, profile: Profile) -> Finding:
    return Finding(
        subject=f"{profile['feed']} of {profile['batch_date']}",
        expectation=rule.name,
        observed=rule.observed.format_map(profile),
        source=profile["feed"].split(".")[0],
    )


def _compose_reason(profile: Profile, sentences: Sequence[str]) -> str:
    reason = " Also: ".join(sentences)
    if profile["in_force_rows"] is not None:
        reason += (
            f" The load accepted before, of {profile['in_force_rows']:,} rows, stays in"
            " force."
        )
    return reason


def _summarise(
    outcome: Outcome, rule: Rule, profiles: Mapping[int, Profile]
) -> list[ResultRow]:
    """One row per feed of which no load broke the rule."""
    loads_by_feed: dict[str, int] = {}
    for profile in profiles.values():
        feed = profile["feed"]
        loads_by_feed[feed] = loads_by_feed.get(feed, 0) + 1
    failing = {int(load_id) for load_id in outcome.failing}
    broken_feeds = {profiles[load_id]["feed"] for load_id in failing & profiles.keys()}
    return [
        ResultRow(outcome.suite, feed, rule.name, rule.severity, True, f"{loads} loads")
        for feed, loads in loads_by_feed.items()
        if feed not in broken_feeds
    ]


def _read_profiles(
    connection: psycopg.Connection, loads: Sequence[WaitingLoad]
) -> dict[int, Profile]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "select * from audit.load_profiles where load_id = any(%s)"
            " order by batch_date, feed, load_id",
            [[load.load_id for load in loads]],
        ).fetchall()
    return {row["load_id"]: row for row in rows}
