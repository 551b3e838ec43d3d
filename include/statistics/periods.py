"""Which periods' statistics a build computes.

In: ``audit.dirty_keys`` and the periods of ``int_score_periods``. Out: the temporary
tables `periods_computed` (period_key, period_start, period_end), `days_computed`
(period_key, period_end, date_day) and `frames_changed` (period_key, eligible_for,
customer_part), for the transaction.
"""

import psycopg


def collect(connection: psycopg.Connection, *, is_whole: bool) -> int:
    """Collect the periods whose answers or frames changed; returns how many they are.

    A period's answers changed with a day of a daily mart, or, those of a confidential
    survey, with a sum of the period. Its frames changed with an event on one of its
    days, or with a customer who entered or left a cell up to its end. Old periods of
    which no answer is left are among them, too.

    Parameters
    ----------
    is_whole : take all periods
    """
    connection.execute(
        "create temporary table periods_known on commit drop as"
        " select period_key, min(period_start) as period_start,"
        "  min(period_end) as period_end"
        " from warehouse.int_score_periods group by period_key"
    )
    connection.execute(
        "create temporary table frames_changed on commit drop as" + _CHANGED_FRAMES
    )
    connection.execute(
        "create temporary table periods_computed on commit drop as"
        " select keys.period_key, known.period_start, known.period_end from ("
        + (_EVERY_PERIOD if is_whole else _CHANGED_PERIODS)
        + ") as keys (period_key)"
        " left join periods_known as known on known.period_key = keys.period_key"
    )
    connection.execute(
        "create temporary table days_computed on commit drop as"
        " select period_key, period_end, period_start + days.number as date_day"
        " from periods_computed cross join lateral"
        " generate_series(0, period_end - period_start) as days (number)"
    )
    connection.execute("analyze periods_computed")
    connection.execute("analyze days_computed")
    row = connection.execute("select count(*) from periods_computed").fetchone()
    assert row is not None
    return int(row[0])


_EVERY_PERIOD = """
    select period_key from periods_known
    union
    select period_key from statistics.weighted_scores
    union
    select period_key from statistics.hidden_scores
"""

_CHANGED_FRAMES = """
    select distinct known.period_key, changed.eligible_for, changed.customer_part
    from (
        select
            split_part(key, ':', 1) as eligible_for,
            cast(split_part(key, ':', 2) as date) as frame_date,
            cast(split_part(key, ':', 3) as integer) as customer_part
        from audit.dirty_keys
        where place = 'int_survey_frames.frame_part'
    ) as changed
    inner join periods_known as known
        on known.period_end >= changed.frame_date
        and (
            changed.eligible_for = 'customer'
            or known.period_start <= changed.frame_date
        )
"""

_CHANGED_PERIODS = """
    select key from audit.dirty_keys where place = 'int_score_periods.period_key'
    union
    select known.period_key
    from periods_known as known
    inner join (
        select cast(key as date) as answered_date
        from audit.dirty_keys
        where place in (
            'mart_nps_daily.answered_date', 'mart_csat_daily.answered_date',
            'mart_ces_daily.answered_date'
        )
    ) as answer_days
        on answer_days.answered_date between known.period_start and known.period_end
    union
    select period_key from frames_changed
"""
