"""The queries of gate 2: one row per score, per published relation, and of figures.

They follow the night. What publish has not copied yet (audit.unpublished_keys) is what
may be wrong: the rows of those keys, and the days, months and periods that they belong
to; all else passed before. Where a model was built whole, everything is read.

Each is one select statement: it begins with `select` and has no percent sign; its
column `row_id` tells a failing row from the others.

Days, months and customers that are found on the way are asked for as an array,
`= any(array(select …))`: the planner takes an array for short and reads by index, where
it takes the rows of a sub-select for many and reads the whole table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROW_ID = "row_id"
# Smaller tables lose 5 % with a handful of rows.
SMALLEST_COMPARED_TABLE = 200
# From here on the server's own count, kept by autovacuum, is near enough for a share.
LARGEST_COUNTED_TABLE = 50_000
# The table behind the views nps_scores, csat_scores and ces_scores.
SCORES = "experience_scores"
COLUMNS_OF_SCORES = (
    *("score_period_key", "metric", "score", "score_low_95", "score_high_95"),
    *("promoters", "passives", "detractors", "top_box", "score_sum", "responses"),
    "is_confidential",
)
TOUCHES, VISITS = "fct_touchpoints", "fct_journey_stage_visits"
ANSWERS = "fct_survey_responses"
FACTS = (ANSWERS, "fct_tickets", TOUCHES)
# A confidential score of fewer answers would give people away.
FEWEST_CONFIDENTIAL_ANSWERS = 5
# Answers that the counts of a row do not account for.
UNACCOUNTED = {
    "nps": "promoters + passives + detractors - responses",
    "csat": "greatest(top_box - responses, 0) + greatest(-top_box, 0)",
    "ces": "greatest(top_box - responses, 0) + greatest(-top_box, 0)",
}
# Here and not by the functions of ``cx``, which may be wrong themselves.
SCORE_OF_COUNTS = """case metric
        when 'nps' then 100.0 * (promoters - detractors) / nullif(responses, 0)
        when 'ces' then cast(score_sum as numeric) / nullif(responses, 0)
        else 100.0 * top_box / nullif(responses, 0)
    end"""


@dataclass(frozen=True)
class Change:
    """How much of a published model differs, perhaps, from what is published.

    publish_by : the column, and its type, whose values are the changed keys
    is_whole : all of it; else the keys in audit.unpublished_keys, if `has_keys`
    """

    publish_by: str
    type_name: str
    is_whole: bool
    has_keys: bool
    publish_where: str = "true"


class Changes:
    """The changes of the published models, by name; an unknown model changed whole."""

    def __init__(self, changes: Mapping[str, Change]) -> None:
        self._changes = changes

    def is_whole(self, model: str) -> bool:
        """Whether all rows of a model must be looked at."""
        return model not in self._changes or self._changes[model].is_whole

    def where_changed(self, model: str) -> str:
        """Compose the condition that selects the changed rows of a model."""
        if self.is_whole(model):
            return "true"
        change = self._changes[model]
        if not change.has_keys:
            return "false"
        return (
            f"{change.publish_by} in (select cast(key as {change.type_name})"
            f" from audit.unpublished_keys where model = '{model}')"
        )

    def where_period_changed(self, model: str, period: str) -> str:
        """Compose the condition that selects the changed periods of a model, in it or
        in what it sums; `period` is the expression that is its key there."""
        if self.is_whole(model) or not self._changes[model].has_keys:
            return self.where_changed(model)
        return (
            f"{period} = any(array("
            f"select cast(key as {self._changes[model].type_name})"
            f" from audit.unpublished_keys where model = '{model}'))"
        )

    def compose_changed_rows(
        self, model: str, columns: Sequence[str], condition: str
    ) -> str:
        """Compose a query of a model's rows that meet a condition and are not published
        as they are, with these columns; a row that is published has passed before."""
        names = ", ".join(columns)
        where = f"where {condition} and {self.where_changed(model)}"
        rows = f"select {names} from warehouse.{model} {where}"
        if self.is_whole(model):
            return rows
        return f"{rows} except select {names} from marts.{model} {where}"

    def where_published(self, model: str) -> str:
        """Compose the condition of the rows that may be published."""
        return self._changes[model].publish_where if model in self._changes else "true"


def compose_score_query(metric: str, changes: Changes) -> str:
    """Compose the query of one metric's scores; its row id is the score's key.

    The easy share stands in rows of its own beside the CES. Hidden scores show nothing.
    A handful of old answers changes a few scores of many periods: each rule looks at
    one score by itself, so the others of the period are left out.
    """
    metrics = [metric]
    easy_share = ""
    if metric == "ces":
        metrics.append("easy_share")
        easy_share = """
    case when metric = 'easy_share' then cast(score as float8) end as easy_share,"""
    names = ", ".join(f"'{name}'" for name in metrics)
    columns = "".join(
        f"""
    case when metric = '{metric}' then cast(score{bound} as float8) end
        as {metric}{bound},"""
        for bound in ("", "_low_95", "_high_95")
    )
    changed = changes.compose_changed_rows(
        SCORES, COLUMNS_OF_SCORES, f"metric in ({names}) and hidden_as is null"
    )
    return f"""select
    score_period_key as row_id,{columns}{easy_share}
    case when responses >= 2 then
        cast(greatest(score_low_95 - score, score - score_high_95) as float8)
    end as outside_interval,
    cast(responses as float8) as responses,
    case when score is null then 1 else 0 end as is_score_missing,
    cast({UNACCOUNTED[metric]} as float8) as unaccounted_answers,
    cast(abs(score - {SCORE_OF_COUNTS}) as float8) as points_off_counts,
    case when is_confidential and responses < {FEWEST_CONFIDENTIAL_ANSWERS}
        then cast(responses as float8)
    end as people_told
from ({changed}) as scores"""


def compose_account_query() -> str:
    """Compose the query of what became of rows and keys; its row id is the feed.

    Keys count since the last build that passed; rows of all the loads in force.
    """
    return """select
    feeds.feed as row_id,
    cast(coalesce(loads.unaccounted_rows, 0) as float8) as unaccounted_rows,
    cast(coalesce(accounts.lost_keys, 0) as float8) as lost_keys
from (select distinct feed from audit.loads) as feeds
left join (
    select
        feed,
        sum(abs(rows_loaded - rows_staged - rows_quarantined)) as unaccounted_rows
    from audit.loads
    where status = 'accepted'
    group by feed
) as loads on loads.feed = feeds.feed
left join (
    select feed, sum(keys) as lost_keys
    from audit.key_accounts
    where place is null and build_id > coalesce(
        (select max(build_id) from audit.builds where gated_at is not null), 0
    )
    group by feed
) as accounts on accounts.feed = feeds.feed"""


def compose_relation_query(relations: Sequence[str], changes: Changes) -> str:
    """Compose the query of published relations: rows to be over rows published."""
    counts = " union all ".join(
        f"select '{name}' as row_id, {_count_all(f'marts.{name}')} as published,"
        f" (select count(*) from warehouse.{name} where ({changes.where_changed(name)})"
        f" and ({changes.where_published(name)})) - (select count(*) from marts.{name}"
        f" where {changes.where_changed(name)}) as difference"
        for name in relations
    )
    return (
        "select row_id, case when published >= "
        f"{SMALLEST_COMPARED_TABLE} then"
        " cast(published + difference as float8) / published end as ratio"
        f" from ({counts}) as relations"
    )


def _count_all(table: str) -> str:
    """Compose how many rows a table has; of large ones, what the server counted."""
    return (
        f"coalesce((select nullif(reltuples, -1) from pg_class where oid ="
        f" to_regclass('{table}') and reltuples >= {LARGEST_COUNTED_TABLE}),"
        f" (select count(*) from {table}))"
    )


# What a daily mart counts, and the same out of one fact.
MEASURES = {
    "nps": {
        "promoters": "cast(score >= 9 as integer)",
        "passives": "cast(score between 7 and 8 as integer)",
        "detractors": "cast(score <= 6 as integer)",
    },
    "csat": {"top_box": "cast(is_top_box as integer)"},
    "ces": {
        "easy": "cast(is_top_box as integer)",
        "score_sum": "score",
        "score_sum_squares": "score * score",
    },
}


def _compose_metric_figures(metric: str, changes: Changes) -> str:
    """Compose the figures that hold the tables of one metric against each other."""
    measures = ["responses", *MEASURES[metric]]
    names = ", ".join(measures)
    negative = ", ".join(f"-{name}" for name in measures)
    of_facts = ", ".join(f"-{metric}_{name}" for name in measures)
    differ = " or ".join(f"sum({name}) <> 0" for name in measures)
    daily, scores = f"mart_{metric}_daily", f"{metric}_scores"
    days = _where_day_changed(metric, changes)
    starts_in_months = "true"
    in_months = ""
    if not (changes.is_whole(daily) or changes.is_whole(SCORES)):
        starts_in_months = (
            f"period_key = any(array(select 'month:' || month from {metric}_months))"
        )
        in_months = (
            f" inner join unnest(array(select month from {metric}_months))"
            " as changed (month) on answered_date >= changed.month"
            " and answered_date < changed.month + interval '1 month'"
        )
    return f"""
    (
        select count(*) from (
            select answered_date from (
                select answered_date, {names} from warehouse.{daily} where {days}
                union all
                select answered_date, {of_facts} from days_of_answers where {days}
            ) as both_sides
            group by answered_date
            having {differ}
        ) as days
    ) as {metric}_differing_days,
    (
        select count(*) from (
            select survey_kind, month from (
                select
                    survey_kind,
                    cast(date_trunc('month', answered_date) as date) as month,
                    {names}
                from warehouse.{daily}{in_months}
                union all
                select survey_kind, period_start, {negative}
                from warehouse.{scores}
                where period_grain = 'month' and breakdown = 'total'
                    and {starts_in_months}
            ) as both_sides
            group by survey_kind, month
            having {differ}
        ) as months
    ) as {metric}_differing_months,
    (
        select count(*) from (
            select
                sum(responses) as responses,
                max(sum(responses) filter (where breakdown = 'total'))
                    over (partition by survey_kind, period_key) as total
            from warehouse.{scores}
            where {changes.where_changed(SCORES)}
            group by survey_kind, period_key, breakdown
        ) as parts
        where responses <> total
    ) as {metric}_differing_breakdowns"""


def _where_day_changed(metric: str, changes: Changes) -> str:
    """Compose the condition of the days whose counts or answers of a metric changed."""
    if changes.is_whole(f"mart_{metric}_daily") or changes.is_whole(ANSWERS):
        return "true"
    return f"answered_date = any(array(select answered_date from {metric}_days))"


def _compose_changed_answers(changes: Changes) -> str:
    """Compose the metrics and days of the answers that changed, old place and new."""
    of_answers = f"select metric, answered_date from warehouse.{ANSWERS} where false"
    if not changes.is_whole(ANSWERS):
        of_answers = " union ".join(
            f"select metric, answered_date from {schema}.{ANSWERS} where is_counted"
            f" and not is_confidential and {changes.where_changed(ANSWERS)}"
            for schema in ("warehouse", "marts")
        )
    return f"changed_answers as materialized ({of_answers}),\n"


def _compose_days_of_answers(changes: Changes) -> str:
    """Compose the counts of all metrics on the days that changed, in one reading."""
    counts = ", ".join(
        f"sum({count}) filter (where metric = '{metric}') as {metric}_{name}"
        for metric, measures in MEASURES.items()
        for name, count in {"responses": "1", **measures}.items()
    )
    where = "true"
    if all(_where_day_changed(metric, changes) != "true" for metric in MEASURES):
        days = " union ".join(
            f"select answered_date from {metric}_days" for metric in MEASURES
        )
        where = f"answered_date = any(array({days}))"
    return f"""
days_of_answers as materialized (
    select answered_date, {counts} from warehouse.{ANSWERS}
    where is_counted and not is_confidential and {where}
    group by answered_date
),
"""


def _compose_changed_days(metric: str, changes: Changes) -> str:
    """Compose the days and months of a metric whose rows changed, old place and new."""
    return f"""
{metric}_days as (
    select cast(key as date) as answered_date
    from audit.unpublished_keys
    where model = 'mart_{metric}_daily' and key is not null
    union
    select answered_date from changed_answers where metric = '{metric}'
),

{metric}_months as (
    select cast(date_trunc('month', answered_date) as date) as month from {metric}_days
    union
    select cast(split_part(key, ':', 2) as date) from audit.unpublished_keys
    where model = '{SCORES}' and starts_with(key, 'month:')
),
"""


def _follows_customers(changes: Changes) -> bool:
    """Whether visits are compared with touches for some customers alone."""
    return not (changes.is_whole(TOUCHES) or changes.is_whole(VISITS))


def _compose_visitors(changes: Changes) -> str:
    """Compose the customers whose visits or touches changed, old and new, in the lanes
    that are compared."""
    if not _follows_customers(changes):
        return ""
    changed = " union ".join(
        f"select customer_key from {schema}.{table}"
        f" where {changes.where_changed(table)} and journey_stage in"
        " (select journey_stage from warehouse.journey_stages where lane <> 'support')"
        for schema in ("warehouse", "marts")
        for table in (VISITS, TOUCHES)
    )
    return f"""
visitors as ({changed}),
"""


def _compose_visits_figure(changes: Changes) -> str:
    """Compose how many customers have visits that miss, or repeat, advancing touches.

    Cases of support are advanced by their tickets too, so they are left out.
    """
    customers = "true"
    if _follows_customers(changes):
        customers = "customer_key = any(array(select customer_key from visitors))"
    return f"""(
        select count(*) from (
            select customer_key from (
                select customer_key, advancing_events as events
                from warehouse.{VISITS}
                where lane <> 'support' and {customers}
                union all
                select customer_key, -1
                from warehouse.{TOUCHES}
                inner join warehouse.journey_stages
                    on journey_stages.journey_stage = {TOUCHES}.journey_stage
                    and journey_stages.lane <> 'support'
                where advances_stage and {customers}
            ) as both_sides
            group by customer_key
            having sum(events) <> 0
        ) as customers
    ) as customers_with_other_visits"""


def compose_figures_query(changes: Changes) -> str:
    """Compose the one row of figures; its row id is "all"."""
    metrics = ",".join(_compose_metric_figures(metric, changes) for metric in MEASURES)
    changed_days = "".join(
        _compose_changed_days(metric, changes) for metric in MEASURES
    )
    keys = " union all ".join(
        f"select customer_key from warehouse.{name} where {changes.where_changed(name)}"
        for name in FACTS
    )
    is_anybodys = " or ".join(
        f"exists (select from warehouse.{name} as facts"
        " where facts.customer_key = gone.customer_key)"
        for name in FACTS
    )
    answers = _count_all("warehouse.fct_survey_responses")
    tickets = _count_all("warehouse.fct_tickets")
    return f"""select * from (
with
{_compose_changed_answers(changes)}{changed_days}
{_compose_days_of_answers(changes)}{_compose_visitors(changes)}
newest_batches as (
    select as_of.role, max(build_loads.batch_date) as batch_date
    from audit.as_of as as_of
    inner join audit.build_loads as build_loads
        on split_part(build_loads.feed, '.', 1) = as_of.source
    where build_loads.is_current
    group by as_of.role
),

fact_customers as (
    select customer_key, count(*) as facts from ({keys}) as facts group by customer_key
),

-- Customers that the dimension has lost, though a fact that did not change names them.
gone_customers as (
    select gone.customer_key
    from (
        select cast(key as uuid) as customer_key from audit.unpublished_keys
        where model = 'dim_customers' and key is not null
    ) as gone
    where not exists (
        select from warehouse.dim_customers as customers
        where customers.customer_key = gone.customer_key
    ) and ({is_anybodys})
),

unknown_customers as (
    select customer_key from fact_customers
    where customer_key is not null and not exists (
        select from warehouse.dim_customers as customers
        where customers.customer_key = fact_customers.customer_key
    )
    union
    select customer_key from gone_customers
),

answers as (
    select
        count(*) filter (where is_counted and (
            score is null or score < scale_min or score > scale_max
        )) as off_scale,
        count(*) filter (where answered_date > newest_batches.batch_date + 1) as future,
        count(*) filter (where not is_anonymous) as identified,
        count(*) filter (where not is_anonymous and identity_method = 'unmatched')
            as unmatched
    from warehouse.fct_survey_responses
    inner join (
        select survey_id, bool_or(anonymity = 'anonymous') as is_anonymous
        from warehouse.dim_surveys
        group by survey_id
    ) as surveys on surveys.survey_id = fct_survey_responses.survey_id
    left join newest_batches on newest_batches.role = 'survey'
    where {changes.where_changed("fct_survey_responses")}
),

tickets as (
    select
        count(*) as tickets,
        count(*) filter (where created_date > newest_batches.batch_date + 1) as future,
        count(*) filter (where identity_method = 'unmatched') as unmatched
    from warehouse.fct_tickets
    left join newest_batches on newest_batches.role = 'ticket'
    where {changes.where_changed("fct_tickets")}
),

touches as (
    select
        count(*) as touches,
        count(*) filter (where touchpoint = '(unmapped)') as unmapped
    from warehouse.{TOUCHES}
    where {changes.where_changed(TOUCHES)}
),

answered_days as (
    select days.answered_date, count(facts.answer_id) as answers
    from (
        select cast(newest_batches.batch_date - 7 * weeks.back as date) as answered_date
        from newest_batches
        cross join generate_series(0, 8) as weeks (back)
        where newest_batches.role = 'survey'
    ) as days
    left join warehouse.fct_survey_responses as facts
        on facts.answered_date = days.answered_date
    where days.answered_date >= (
        select min(answered_date) from warehouse.fct_survey_responses
    )
    group by days.answered_date
),

usual_day as (
    select
        (array_agg(answers order by answered_date desc))[1] as newest,
        percentile_cont(0.5) within group (order by answers) as usual,
        count(*) as days
    from answered_days
)

select
    'all' as row_id,{metrics},
    answers.off_scale as answers_off_scale,
    coalesce((
        select sum(facts) from fact_customers where customer_key is null
    ), 0) as facts_without_customer,
    (select count(*) from unknown_customers) as unknown_customers,
    (
        select count(*) from (
            select customer_key from warehouse.dim_customers
            where {changes.where_changed("dim_customers")}
            group by customer_key
            having count(*) filter (where is_current) <> 1
        ) as customers
    ) as customers_without_one_current_version,
    {_compose_visits_figure(changes)},
    answers.future as future_answers,
    cast(answers.future as float8) / nullif({answers}, 0) as future_answer_share,
    cast(tickets.future as float8) / nullif({tickets}, 0) as future_ticket_share,
    case when touches.touches >= 100 then
        cast(touches.unmapped as float8) / touches.touches
    end as unmapped_share,
    case when tickets.tickets >= 100 then
        cast(tickets.unmatched as float8) / tickets.tickets
    end as unmatched_ticket_share,
    case when answers.identified >= 100 then
        cast(answers.unmatched as float8) / answers.identified
    end as unmatched_answer_share,
    case when usual_day.days >= 4 and usual_day.usual >= 30 then
        usual_day.newest / usual_day.usual
    end as newest_day_ratio
from answers
cross join tickets
cross join touches
cross join usual_day
) as figures"""
