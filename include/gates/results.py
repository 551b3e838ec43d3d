"""What a gate decided, and its trace in ``audit.gate_results``."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from typing import Literal

import psycopg

Gate = Literal["raw", "marts"]


@dataclass(frozen=True)
class Finding:
    """An expectation that was not met.

    `subject` is a feed of a date or a relation; `source` is the system to blame, where
    the fault can only come from one.
    """

    subject: str
    expectation: str
    observed: str
    source: str | None = None


@dataclass
class GateResult:
    """What a gate decided; `checked` counts loads (gate 1) or expectations (gate 2)."""

    run_id: str
    gate: Gate
    checked: int = 0
    failed_critical: list[Finding] = field(default_factory=list)
    failed_warning: list[Finding] = field(default_factory=list)
    held_loads: list[int] = field(default_factory=list)

    def add(self, severity: str, finding: Finding) -> None:
        """Add what was not met; what is only info stays in the log."""
        if severity == "critical":
            self.failed_critical.append(finding)
        elif severity == "warning":
            self.failed_warning.append(finding)


@dataclass(frozen=True)
class ResultRow:
    """One row of ``audit.gate_results``."""

    suite: str
    subject: str
    expectation: str
    severity: str
    is_met: bool
    observed: str | None
    load_id: int | None = None


def record_results(
    connection: psycopg.Connection, run_id: str, gate: Gate, rows: Iterable[ResultRow]
) -> None:
    """Write the rows, in one transaction.

    A run that checks the marts again, after a source's loads were held, keeps the
    results of the last check.
    """
    with connection.transaction(), connection.cursor() as cursor:
        if gate == "marts":
            cursor.execute(
                "delete from audit.gate_results where run_id = %s and gate = 'marts'",
                [run_id],
            )
        cursor.executemany(
            "insert into audit.gate_results (run_id, gate, suite, subject,"
            " expectation, severity, is_met, observed, load_id)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(run_id, gate, *astuple(row)) for row in rows],
        )
