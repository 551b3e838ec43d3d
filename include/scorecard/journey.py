"""The buying path, stage by stage: how many came, and how many went on.

In: a connection to the warehouse (``marts.mart_journey_funnel``). Out: a `Journey` of
sums over a year of cohorts, and the sentences about it. A rate is of mature cohorts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.rows import class_row

from include.scorecard.scores import is_published
from include.scorecard.words import EN_DASH, NO_BREAK, say_count, say_date, say_value

COHORT_DAYS = 365


@dataclass(frozen=True)
class Stage:
    """One stage; converted and direct are null for the last, the end of the path.

    Those of mature cohorts have had all the time that there is; the others still may
    go on.
    """

    journey_stage: str
    visits: int
    journeys_entered: int
    converted_journeys: int | None
    direct_journeys: int | None
    mature_journeys: int
    mature_converted: int | None
    mature_direct: int | None
    first_date: date
    last_date: date
    next_matures_on: date | None
    days_to_mature: int

    @property
    def is_last(self) -> bool:
        """Whether the path ends here."""
        return self.converted_journeys is None


def read_journey(connection: psycopg.Connection) -> Sequence[Stage]:
    """Read the stages along the path; none before the first publish."""
    if not is_published(connection, "mart_journey_funnel"):
        return []
    query = """
        select
            journey_stage,
            cast(sum(visits) as bigint) as visits,
            cast(sum(journeys_entered) as bigint) as journeys_entered,
            cast(sum(converted_journeys) as bigint) as converted_journeys,
            cast(sum(direct_journeys) as bigint) as direct_journeys,
            cast(coalesce(sum(journeys_entered) filter (where is_mature), 0) as bigint)
                as mature_journeys,
            cast(sum(converted_journeys) filter (where is_mature) as bigint)
                as mature_converted,
            cast(sum(direct_journeys) filter (where is_mature) as bigint)
                as mature_direct,
            min(cohort_date) as first_date,
            max(cohort_date) as last_date,
            min(matures_on) filter (where not is_mature) as next_matures_on,
            max(matures_on - cohort_date) as days_to_mature
        from marts.mart_journey_funnel
        where cohort_date > (
            select max(as_of_date) - cast(%s as integer) from marts.mart_journey_funnel
        )
        group by journey_stage, stage_order
        order by stage_order
        """
    with connection.cursor(row_factory=class_row(Stage)) as cursor:
        return cursor.execute(query, [COHORT_DAYS]).fetchall()


def describe_span(stages: Sequence[Stage]) -> str:
    """Which journeys are counted."""
    first = min(stage.first_date for stage in stages)
    last = max(stage.last_date for stage in stages)
    return (
        f"Journeys that first entered a stage between {say_date(first)} and"
        f" {say_date(last)}."
    )


def describe_maturity(stages: Sequence[Stage]) -> str:
    """Whether there is a conversion to show yet, and of which journeys."""
    going_on = [stage for stage in stages if not stage.is_last]
    if not going_on:
        return "Nobody has entered the path before its end."
    days = max(stage.days_to_mature for stage in going_on)
    mature = sum(stage.mature_journeys for stage in going_on)
    entered = sum(stage.journeys_entered for stage in going_on)
    rule = f"A journey has {days} days to go on from a stage."
    if not mature:
        first = min(s.next_matures_on for s in going_on if s.next_matures_on)
        return (
            f"{rule} No day of entry is that long ago yet, so there is no conversion to"
            f" show: the first is on {say_date(first)}. Until then the counts say how"
            " many went on so far, and will rise."
        )
    if mature == entered:
        return f"{rule} All of these have had them."
    return (
        f"{rule} The conversion is of those that have had them,"
        f" {mature:,} of {say_count(entered, 'entry', 'entries')}; the others are"
        " counted in “so far”, which will rise."
    )


def say_conversion(stage: Stage) -> str:
    """The share of mature journeys that went on; a dash without any."""
    return _say_rate(stage, stage.mature_converted)


def say_direct_conversion(stage: Stage) -> str:
    """The share of mature journeys that entered the very next stage."""
    return _say_rate(stage, stage.mature_direct)


def say_went_on(count: int | None) -> str:
    """How many went on so far."""
    return EN_DASH if count is None else f"{count:,}"


def describe_stage(stage: Stage) -> str:
    """What the chart of one stage shows."""
    name = say_value(stage.journey_stage, "journey_stage")
    entered = f"{name}: {say_count(stage.journeys_entered, 'journey')} entered"
    if stage.is_last:
        return f"{entered}, the end of the path"
    return f"{entered}, {say_went_on(stage.converted_journeys)} went on so far"


def _say_rate(stage: Stage, count: int | None) -> str:
    if not stage.mature_journeys or count is None:
        return EN_DASH
    return f"{100 * count / stage.mature_journeys:.1f}{NO_BREAK}%"
