"""How much each driver has to do with a score, out of correlations.

General dominance (Budescu 1993; the same as LMG and the Shapley value of R²): the mean
of what a driver adds to R², over all sets of the others, set size by set size.
Johnson's relative weights (2000) stand beside it for comparison.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
# Below this, two drivers say the same, and Johnson's weights do not exist.
SMALLEST_EIGENVALUE = 1e-9


@dataclass(frozen=True)
class Weights:
    """What drivers explain of a score; each array is (drivers,).

    johnson : None where drivers are collinear
    """

    correlation: Matrix
    beta: Matrix
    dominance: Matrix
    johnson: Matrix | None
    r_squared: float


def correlate(scores: npt.NDArray[np.int64]) -> Matrix:
    """Correlations of columns, from whole numbers: the same in any order of the rows.

    scores : (answers, columns), none of them constant
    """
    count = len(scores)
    sums = scores.sum(axis=0)
    spread = count * (scores.T @ scores) - np.outer(sums, sums)
    deviation = np.sqrt(np.diag(spread).astype(np.float64))
    correlation: Matrix = spread / np.outer(deviation, deviation)
    return correlation


def weigh_drivers(correlation: Matrix) -> Weights:
    """Weights of the drivers.

    correlation : (1 + drivers, 1 + drivers); the outcome comes first
    """
    outcome, drivers = correlation[0, 1:], correlation[1:, 1:]
    beta = np.linalg.pinv(drivers, hermitian=True) @ outcome
    return Weights(
        correlation=outcome,
        beta=beta,
        dominance=_find_dominance(drivers, outcome),
        johnson=_find_johnson(drivers, outcome),
        r_squared=float(outcome @ beta),
    )


def _find_dominance(drivers: Matrix, outcome: Matrix) -> Matrix:
    count = len(outcome)
    everyone = range(count)
    explained = {
        chosen: _explain(drivers, outcome, chosen)
        for size in range(count + 1)
        for chosen in combinations(everyone, size)
    }
    dominance = np.zeros(count)
    for driver in everyone:
        others = [other for other in everyone if other != driver]
        for size in range(count):
            added = [
                explained[tuple(sorted((*chosen, driver)))] - explained[chosen]
                for chosen in combinations(others, size)
            ]
            dominance[driver] += sum(added) / len(added)
    return dominance / count


def _explain(drivers: Matrix, outcome: Matrix, chosen: Iterable[int]) -> float:
    """R² of the regression on the chosen drivers."""
    rows = list(chosen)
    if not rows:
        return 0.0
    among = drivers[np.ix_(rows, rows)]
    found = outcome[rows] @ np.linalg.pinv(among, hermitian=True) @ outcome[rows]
    return float(found)


def _find_johnson(drivers: Matrix, outcome: Matrix) -> Matrix | None:
    values, vectors = np.linalg.eigh(drivers)
    if values.min() < SMALLEST_EIGENVALUE:
        return None
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    beta = np.linalg.solve(root, outcome)
    weights: Matrix = (root * root) @ (beta * beta)
    return weights
