"""What the rules of gate 2 say of a published warehouse in which a fault is planted.

The fault is planted, judged and taken back in one transaction, so that it costs no
copy of the warehouse; the rules are asked here, not by Great Expectations. That the
gate itself does what they say is shown in ``tests/expectations/test_marts.py``.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

from expectations.rules import Rule
from include.gates.marts import RULES, compose_queries, read_published_relations
from include.settings import Settings

# As after a build of everything.
ALL_KEYS = (
    "insert into audit.unpublished_keys (model, key)"
    " select model, null from audit.models where is_published on conflict do nothing"
)
SEVERITIES = {
    f"{suite}: {rule.name}": rule.severity
    for suite, rules in RULES.items()
    for rule in rules
}


def find_broken_rules(
    settings: Settings, fault: str, keys: str = ALL_KEYS
) -> dict[str, str]:
    """Plant a fault; return what each broken rule says of it, by suite and rule.

    `keys` marks what the build that did it would have left unpublished.
    """
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("update audit.builds set gated_at = null")
        connection.execute(fault.encode())
        connection.execute(keys.encode())
        broken = judge_build(connection)
        connection.rollback()
    return broken


def judge_build(connection: psycopg.Connection) -> dict[str, str]:
    """Ask every rule; return what those say that are broken."""
    relations = read_published_relations(connection)
    broken = {}
    for suite, query in compose_queries(connection, relations).items():
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query.encode()).fetchall()
        for rule in RULES[suite]:
            observed = [describe(rule, row) for row in rows if is_broken(rule, row)]
            if observed:
                broken[f"{suite}: {rule.name}"] = "; ".join(observed)
    return broken


def is_broken(rule: Rule, row: Mapping[str, Any]) -> bool:
    value = row[rule.column]
    if value is None:
        return False
    if rule.minimum is None and rule.maximum is None:
        return True
    return not (
        (rule.minimum is None or value >= rule.minimum)
        and (rule.maximum is None or value <= rule.maximum)
    )


def describe(rule: Rule, row: Mapping[str, Any]) -> str:
    return rule.observed.format(row_id=row["row_id"], value=row[rule.column])
