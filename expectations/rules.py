"""A rule of a gate, in words and bounds, and how rules become a suite."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Rule:
    """What is expected of one column, in every row; a null says nothing.

    Bounds are inclusive; without any, the column must be null. `observed` and `remedy`
    are format strings over the row; "<observed>, expected: <expected>; <remedy>." is
    the sentence that a person reads. `role` is that of the sources which a failure
    would blame.
    """

    name: str
    column: str
    severity: Severity
    observed: str
    expected: str
    remedy: str
    minimum: float | None = None
    maximum: float | None = None
    role: str | None = None


def build_suite(name: str, rules: Iterable[Rule]) -> "ExpectationSuite":
    """Write rules as a Great Expectations suite; the meta of each names its rule."""
    import great_expectations as gx
    from great_expectations.expectations.core import (
        expect_column_values_to_be_between as between,
    )
    from great_expectations.expectations.core import (
        expect_column_values_to_be_null as null,
    )

    expectations: list[Expectation] = []
    for rule in rules:
        described: dict[str, Any] = {
            "column": rule.column,
            "severity": rule.severity,
            "meta": {"rule": rule.name, "role": rule.role},
            "notes": f"{rule.name}: {rule.expected}",
        }
        if rule.minimum is None and rule.maximum is None:
            expectations.append(null.ExpectColumnValuesToBeNull(**described))
        else:
            expectations.append(
                between.ExpectColumnValuesToBeBetween(
                    min_value=rule.minimum, max_value=rule.maximum, **described
                )
            )
    return gx.ExpectationSuite(name=name, expectations=expectations)
