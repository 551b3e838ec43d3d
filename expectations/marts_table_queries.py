"""The queries of gate 2 that hold tables against each other and against marts.

In: how much of each model is not published yet. Out: select statements for gate 2, one
row per table, attribute of an answer, or published score. They follow the night, as
those of ``expectations/marts_queries.py`` do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.marts_queries import SCORES, VISITS, Changes

# Facts that name the version of the customer in force when they happened, and copy
# attributes of it.
FACTS_OF_VERSIONS = (
    "fct_deliveries",
    "fct_journey_stage_visits",
    "fct_purchases",
    "fct_returns",
    "fct_reviews",
    "fct_survey_invitations",
    "fct_survey_responses",
    "fct_tickets",
    "fct_touchpoints",
)
# What most answers tell, and of which answers it is asked.
_IS_ABOUT_AN_EVENT = "survey_kind = 'transactional'"
_IS_SOMEBODYS = "identity_method <> 'unmatched'"
ATTRIBUTES = {
    "journey_stage": _IS_ABOUT_AN_EVENT,
    "touchpoint": _IS_ABOUT_AN_EVENT,
    "experience_channel": _IS_ABOUT_AN_EVENT,
    "segment": _IS_SOMEBODYS,
    "country": _IS_SOMEBODYS,
    "language": "true",
}
# What must be published already, before a build can be compared with it.
COMPARED_COLUMNS = {
    "fct_survey_responses": (
        *("is_counted", "answered_date", "survey_kind", "identity_method"),
        *ATTRIBUTES,
    ),
    SCORES: (
        *("score_period_key", "period_key", "breakdown", "score", "score_low_95"),
        *("score_high_95", "responses", "is_complete_period", "is_confidential"),
        "sample_status",
    ),
}
FEWEST_ANSWERS = 100
USUAL_DAYS = 28


@dataclass(frozen=True)
class Sum:
    """A mart whose columns are sums over another table, period by period.

    period : the column by which the mart is rebuilt, and the same of the source
    measures : columns of the mart, and what each row of the source adds to them
    """

    mart: str
    period: str
    source: str
    source_period: str
    measures: Mapping[str, str]


SUMS = (
    Sum(
        "mart_response_funnel",
        "sent_date",
        "(select * from warehouse.fct_survey_invitations where not is_confidential)",
        "sent_date",
        {
            "invited": "1",
            "delivered": "cast(is_delivered as integer)",
            "finished": "cast(is_finished_in_time as integer)",
            "finished_late": "cast(is_finished_late as integer)",
        },
    ),
    Sum(
        "mart_response_rates",
        "month_start",
        "(select * from warehouse.mart_response_funnel where is_mature)",
        "cast(date_trunc('month', sent_date) as date)",
        {"delivered": "delivered", "finished": "finished"},
    ),
    Sum(
        "mart_uninvited_responses",
        "answered_date",
        "(select distinct response_id, answered_date"
        " from warehouse.fct_survey_responses"
        " where is_counted and not is_confidential)",
        "answered_date",
        {"responses": "1"},
    ),
    Sum(
        "mart_journey_funnel",
        "cohort_date",
        "warehouse.int_journey_stage_entries",
        "entered_date",
        {"visits": "visits", "journeys_entered": "1"},
    ),
    Sum(
        "mart_listening_coverage",
        "month_start",
        "warehouse.int_listening_days",
        "cast(date_trunc('month', listening_date) as date)",
        {
            "touches": "touches",
            "invitations": "invitations",
            "responses": "responses",
        },
    ),
)


def compose_sums_query(changes: Changes) -> str:
    """Compose the query of marts that are sums; its row id is the mart."""
    return " union all ".join(_compose_sum(each, changes) for each in SUMS)


def _compose_sum(each: Sum, changes: Changes) -> str:
    names = ", ".join(each.measures)
    counted = ", ".join(f"-({count})" for count in each.measures.values())
    differ = " or ".join(f"sum({name}) <> 0" for name in each.measures)
    return f"""select
    '{each.mart}' as row_id,
    cast(count(*) as float8) as differing_periods
from (
    select {each.period} from (
        select {each.period}, {names} from warehouse.{each.mart}
        where {changes.where_period_changed(each.mart, each.period)}
        union all
        select {each.source_period}, {counted} from {each.source} as source
        where {changes.where_period_changed(each.mart, each.source_period)}
    ) as both_sides
    group by {each.period}
    having {differ}
) as periods"""


def compose_customers_query(changes: Changes) -> str:
    """Compose the query of what contradicts a customer; its row id is the table."""
    others = {
        "versions_apart": ("dim_customers", _compose_versions_apart(changes)),
        "repeated_first_purchases": (
            "fct_purchases",
            _compose_repeated_first_purchases(changes),
        ),
        "repeated_open_visits": (
            "fct_journey_stage_visits",
            _compose_repeated_open_visits(changes),
        ),
    }
    parts = [
        _compose_row(table, {"facts_of_other_versions": count}, others)
        for table, count in (
            (table, _compose_facts_of_other_versions(table, changes))
            for table in FACTS_OF_VERSIONS
        )
    ]
    parts += [
        _compose_row(table, {name: count}, others)
        for name, (table, count) in others.items()
    ]
    return " union all ".join(parts)


def _compose_row(
    table: str, counts: Mapping[str, str], others: Mapping[str, object]
) -> str:
    figures = ", ".join(
        f"cast({counts.get(name, 'null')} as float8) as {name}"
        for name in ("facts_of_other_versions", *others)
    )
    return f"select '{table}' as row_id, {figures}"


def _compose_facts_of_other_versions(table: str, changes: Changes) -> str:
    facts = f"select * from warehouse.{table} where {changes.where_changed(table)}"
    if table == VISITS and not changes.is_whole(table):
        # Visits are rebuilt with their customer's versions: those that stay must agree.
        of_customers = changes.where_changed("dim_customers")
        facts += f" union select * from warehouse.{table} where {of_customers}"
    return f"""(
        select count(*)
        from ({facts}) as facts
        left join warehouse.dim_customers as versions
            on versions.customer_key = facts.customer_key
            and versions.customer_version_key = facts.customer_version_key
        where versions.customer_key is null
            or versions.segment is distinct from facts.segment
            or versions.country is distinct from facts.country
    )"""


def _compose_versions_apart(changes: Changes) -> str:
    """Versions that do not end where the next one begins."""
    return f"""(
        select count(*) from (
            select
                valid_to,
                lead(valid_from) over (
                    partition by customer_key order by valid_from, valid_to
                ) as next_from
            from warehouse.dim_customers
            where {changes.where_changed("dim_customers")}
        ) as versions
        where next_from <> valid_to
    )"""


def _compose_repeated_first_purchases(changes: Changes) -> str:
    return f"""(
        select count(*) from (
            select customer_key from warehouse.fct_purchases
            where is_first_purchase and customer_key in (
                select customer_key from warehouse.fct_purchases
                where {changes.where_changed("fct_purchases")}
            )
            group by customer_key
            having count(*) > 1
        ) as customers
    )"""


def _compose_repeated_open_visits(changes: Changes) -> str:
    """Open visits of one lane; cases of support are open side by side."""
    return f"""(
        select count(*) from (
            select customer_key from warehouse.{VISITS}
            where is_open and lane <> 'support' and customer_key in (
                select customer_key from warehouse.{VISITS}
                where is_open and lane <> 'support' and {changes.where_changed(VISITS)}
            )
            group by customer_key, lane
            having count(*) > 1
        ) as customers
    )"""


def compose_attributes_query(changes: Changes) -> str:
    """Compose the query of what answers do not tell, beside the published answers of
    the last weeks; its row id is the attribute."""
    facts = "fct_survey_responses"
    counts = ", ".join(
        f"count(*) filter (where {condition}) as {name}_answers,"
        f" count(*) filter (where {condition} and {name} is null) as {name}_unknown"
        for name, condition in ATTRIBUTES.items()
    )
    attributes = ", ".join(
        f"('{name}', changed.{name}_answers, changed.{name}_unknown,"
        f" usual.{name}_answers, usual.{name}_unknown)"
        for name in ATTRIBUTES
    )
    return f"""select
    attribute as row_id,
    case when least(answers, usual_answers) >= {FEWEST_ANSWERS} then
        cast(unknown as float8) / answers
        - cast(usual_unknown as float8) / usual_answers
    end as unknown_rise
from (
    select {counts} from warehouse.{facts}
    where is_counted and not is_confidential and {changes.where_changed(facts)}
) as changed
cross join (
    select {counts} from marts.{facts}
    where is_counted and answered_date > (
        select max(answered_date) - {USUAL_DAYS} from marts.{facts}
    )
) as usual
cross join lateral (values {attributes})
    as attributes (attribute, answers, unknown, usual_answers, usual_unknown)"""


def compose_restatement_query(changes: Changes) -> str:
    """Compose the query of what becomes of the published totals of closed periods; its
    row id is the score's key."""
    return f"""select
    before.score_period_key as row_id,
    cast(
        greatest(before.score_low_95 - after.score, after.score - before.score_high_95)
        as float8
    ) as points_outside,
    cast(coalesce(after.responses, 0) as float8) / before.responses as answers_ratio
from (
    select * from marts.{SCORES}
    where is_complete_period and breakdown = 'total' and not is_confidential
        and sample_status = 'reportable' and {changes.where_changed(SCORES)}
) as before
left join warehouse.{SCORES} as after
    on after.period_key = before.period_key
    and after.score_period_key = before.score_period_key"""
