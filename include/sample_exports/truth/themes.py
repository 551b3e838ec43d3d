"""How often survey comments mention each theme, by week and month.

In: the delivered responses and their answers. Out: counts. The themes of a text are
those that a reader finds in it (`company/comments.py`), not those of the rules.
"""

from collections import Counter
from datetime import timedelta

import pandas as pd

from include.sample_exports.company.comments import list_themes
from include.sample_exports.plan.plan import Plan
from include.sample_exports.truth.scores import Record

# A comment counts even where the score beside it was left out.
COUNTED = ("", "skipped", "score_out_of_scale")


def count_theme_mentions(
    plan: Plan, responses: pd.DataFrame, answers: pd.DataFrame
) -> list[Record]:
    """One record per period and theme, and the comments of the period.

    responses : the latest row of each
    answers : one row per response and scored question, with its reason
    """
    counted = answers.loc[
        answers["reason"].isin(COUNTED) & ~answers["is_confidential"], "response"
    ]
    is_told = responses["response"].isin(counted) & (responses["body"] >= 0)
    told = responses.loc[is_told]
    themes = list_themes()
    mentions: Counter[tuple[str, str, str]] = Counter()
    comments: Counter[tuple[str, str]] = Counter()
    at_night = plan.days.day_of(told["recorded_at"].to_numpy())
    for body, night in zip(told["body"].to_numpy(), at_night, strict=True):
        day = plan.days.dates[night]
        monday = day - timedelta(days=day.weekday())
        periods = (("week", monday), ("month", day.replace(day=1)))
        for grain, start in periods:
            period = (grain, start.isoformat())
            comments[period] += 1
            mentions.update((*period, theme) for theme in themes[body])
    return [
        {
            "period_grain": grain,
            "period_start": start,
            "theme": theme,
            "mentions": count,
            "comments": comments[grain, start],
        }
        for (grain, start, theme), count in sorted(mentions.items())
    ]
