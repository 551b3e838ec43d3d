"""Hidden scores of the confidential pools of the periods to compute.

In: ``warehouse.int_score_periods``. Out: the temporary table `hidden_scores_new`, like
``statistics.hidden_scores``. A quarter and its months are decided together: a change in
one of them may hide or show a score of another.
"""

import logging
from itertools import groupby

import psycopg

from include.statistics.suppression import Place, hide

log = logging.getLogger(__name__)

# Months and quarters alone: a confidential pool has no weeks.
_COLLECT_QUARTERS = """
    create temporary table quarters_computed on commit drop as
    select distinct
        date_trunc('quarter', cast(split_part(period_key, ':', 2) as date))
            as quarter_start
    from periods_computed
    where split_part(period_key, ':', 1) in ('month', 'quarter')
"""

_PERIODS = """
    select 'quarter:' || cast(quarter_start as date) as period_key, quarter_start
    from quarters_computed
    union all
    select
        'month:' || cast(quarter_start + months.number * interval '1 month' as date),
        quarter_start
    from quarters_computed
    cross join (values (0), (1), (2)) as months (number)
"""

_RESPONSES = """
    select
        periods.metric, periods.survey_kind,
        'quarter:' || cast(computed.quarter_start as date) as quarter,
        periods.period_key, periods.breakdown, periods.breakdown_value,
        periods.responses, periods.score_period_key
    from hidden_periods_computed as computed
    inner join warehouse.int_score_periods as periods
        on periods.period_key = computed.period_key
    where periods.is_confidential
    order by periods.metric, periods.survey_kind, quarter
"""


def compute(connection: psycopg.Connection) -> int:
    """Decide what is hidden in the quarters of `periods_computed`.

    Leaves the periods that were decided on in `hidden_periods_computed`; returns how
    many scores are hidden.
    """
    connection.execute(_COLLECT_QUARTERS)
    connection.execute(
        "create temporary table hidden_periods_computed on commit drop as" + _PERIODS
    )
    connection.execute(
        "create temporary table hidden_scores_new"
        " (like statistics.hidden_scores) on commit drop"
    )
    rows = connection.execute(_RESPONSES).fetchall()
    done = 0
    with (
        connection.cursor() as cursor,
        cursor.copy("copy hidden_scores_new from stdin") as copy,
    ):
        for (metric, survey_kind, quarter), pool in groupby(rows, lambda row: row[:3]):
            responses: dict[Place, int] = {}
            keys: dict[Place, str] = {}
            for *_, period_key, breakdown, value, count, key in pool:
                place = Place(period_key, breakdown, value)
                responses[place], keys[place] = count, key
            hidden = hide(responses, quarter)
            for place, hidden_as in sorted(hidden.items()):
                copy.write_row((keys[place], place.period, hidden_as))
            done += len(hidden)
            log.info(
                "suppression: %s of %s scores of %s, %s, %s are hidden",
                len(hidden),
                len(responses),
                metric,
                survey_kind,
                quarter,
            )
    return done
