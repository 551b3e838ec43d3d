"""Customers whom events made eligible, counted part by part and kept between builds.

In: ``warehouse.int_survey_frames``, the periods to compute and the frames that changed.
Out: ``statistics.eligible_customers``. A night's customers did something in this
quarter and, a few of them, long ago: of the old periods only their parts are counted
anew.
"""

from collections.abc import Sequence

import psycopg

CUSTOMER = "customer"


def update(connection: psycopg.Connection) -> int:
    """Make the counts that are kept true again; returns how many parts were counted.

    Those of a period without any answer left are forgotten: nobody says what changes
    in it.
    """
    for table in ("eligible_customers", "eligible_counted"):
        connection.execute(
            f"delete from statistics.{table} where period_key not in"
            " (select period_key from periods_known)"
        )
    kept = connection.execute(
        "select distinct eligible_for from statistics.eligible_counted order by 1"
    ).fetchall()
    return sum(_count(connection, _CHANGED_PARTS, one) for (one,) in kept)


def count_missing(
    connection: psycopg.Connection, eligible_for: str, period_keys: Sequence[str]
) -> int:
    """Count who was eligible in periods that were never counted.

    A customer counts once in a period: in the cell of the last day on which an event
    made him eligible, and not at all when he is eligible as a customer on its last day.

    Parameters
    ----------
    eligible_for : ways of being eligible, in alphabetical order, separated by blanks
    period_keys : the periods that are asked for; all are in `periods_computed`

    Returns:
        How many parts of periods were counted.
    """
    counted = _count(connection, _MISSING_PARTS, eligible_for, period_keys)
    connection.execute(
        "insert into statistics.eligible_counted"
        " select %s, unnest(%s::text[]) on conflict do nothing",
        [eligible_for, list(period_keys)],
    )
    return counted


def forget_all(connection: psycopg.Connection) -> None:
    """Forget what was counted: all of it is counted anew when it is asked for."""
    connection.execute("delete from statistics.eligible_customers")
    connection.execute("delete from statistics.eligible_counted")


def _count(
    connection: psycopg.Connection,
    parts: str,
    eligible_for: str,
    period_keys: Sequence[str] = (),
) -> int:
    ways = eligible_for.split()
    values = {
        "eligible_for": eligible_for,
        "ways": ways,
        "events": [way for way in ways if way != CUSTOMER],
        "with_customers": CUSTOMER in ways,
        "periods": list(period_keys),
    }
    connection.execute("drop table if exists parts_counted")
    counted = connection.execute(
        "create temporary table parts_counted on commit drop as" + parts, values
    ).rowcount
    if counted:
        connection.execute("analyze parts_counted")
        connection.execute(_FORGET, values)
        connection.execute(_COUNT, values)
    return counted


_CHANGED_PARTS = """
    select distinct periods.period_key, periods.period_end, changed.customer_part
    from frames_changed as changed
    inner join periods_computed as periods
        on periods.period_key = changed.period_key
    inner join statistics.eligible_counted as counted
        on counted.eligible_for = %(eligible_for)s
        and counted.period_key = changed.period_key
    where changed.eligible_for = any(%(ways)s)
"""

_MISSING_PARTS = """
    select periods.period_key, periods.period_end, parts.customer_part
    from periods_computed as periods
    cross join generate_series(0, 63) as parts (customer_part)
    where periods.period_key = any(%(periods)s)
        and not exists (
            select from statistics.eligible_counted as counted
            where counted.eligible_for = %(eligible_for)s
                and counted.period_key = periods.period_key
        )
"""

_FORGET = """
    delete from statistics.eligible_customers as eligible
    using parts_counted as parts
    where eligible.eligible_for = %(eligible_for)s
        and eligible.period_key = parts.period_key
        and eligible.customer_part = parts.customer_part
"""

_COUNT = """
    insert into statistics.eligible_customers
    with

    -- Each day of each part is looked up by the index of frames.
    parts as materialized (
        select parts.*, days.date_day
        from parts_counted as parts
        inner join days_computed as days
            on days.period_key = parts.period_key
    ),

    askable as materialized (
        select distinct on (parts.period_key, frames.customer_key)
            parts.period_key, parts.period_end, parts.customer_part,
            frames.customer_key, frames.country, frames.segment
        from parts
        inner join warehouse.int_survey_frames as frames
            on frames.frame_date = parts.date_day
            and frames.customer_part = parts.customer_part
        where frames.eligible_for = any(%(events)s)
        order by
            parts.period_key, frames.customer_key, frames.frame_date desc,
            -- Of two events of one day, the same one whatever the plan.
            frames.country collate "C", frames.segment collate "C"
    ),

    customers as (
        select askable.period_key, askable.customer_key
        from askable
        inner join warehouse.int_survey_frames as moves
            on moves.rebuilt_with = cast(askable.customer_key as text)
            and moves.frame_date <= askable.period_end
        where %(with_customers)s and moves.eligible_for = 'customer'
        group by askable.period_key, askable.customer_key
        having sum(moves.change) > 0
    )

    select
        %(eligible_for)s, askable.period_key, askable.customer_part,
        askable.country, askable.segment, count(*)
    from askable
    left join customers
        on customers.period_key = askable.period_key
        and customers.customer_key = askable.customer_key
    where customers.customer_key is null
    group by
        askable.period_key, askable.customer_part, askable.country, askable.segment
"""
