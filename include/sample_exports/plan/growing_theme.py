"""A theme that grows: what more and more customers complain about.

In: the response rows. Out: the same rows, some of whose comments are about the theme.
Only the body of a comment changes, and only where it told of something bad; the draws
are its own, so that all else is as it would be without.
"""

import numpy as np
import pandas as pd

from include.sample_exports.company.comments import (
    BODIES,
    TOPICS,
    find_growing_group,
    read_bodies,
)
from include.sample_exports.plan.local_days import BoolArray, IntArray, LocalDays

# Of the nights, how many pass before it begins.
QUIET_SHARE = 0.3
# Of what people complain about, how much it is on the last night.
SHARE_AT_THE_END = 0.6


def plant_growing_theme(
    rng: np.random.Generator, days: LocalDays, responses: pd.DataFrame
) -> pd.DataFrame:
    """Let a share of the complaints that grows with the nights be about the theme."""
    count = len(responses)
    body = responses["body"].to_numpy()
    first_night = QUIET_SHARE * days.count
    age = (responses["night"].to_numpy() - first_night) / (days.count - first_night)
    is_planted = is_bad(body) & (rng.random(count) < SHARE_AT_THE_END * age)
    bodies = read_bodies()
    groups = find_growing_group(0) + responses["language"].to_numpy()
    first, size = np.array(bodies.first)[groups], np.array(bodies.size)[groups]
    planted = first + rng.integers(0, 1 << 30, count) % size
    return responses.assign(body=np.where(is_planted, planted, body))


def is_bad(body: IntArray) -> BoolArray:
    """Whether each body tells of something bad; -1 is none."""
    bodies = read_bodies()
    bad = np.zeros(len(bodies.texts) + 1, dtype=bool)
    for group in range(0, len(BODIES) * len(TOPICS) * 2, 2):
        first = bodies.first[group]
        bad[first : first + bodies.size[group]] = True
    told: BoolArray = bad[body]
    return told
