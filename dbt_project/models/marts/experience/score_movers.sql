{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_score_periods.period_key') }} as periods
    union
    -- the period that is compared with it
    select split_part(key, ':', 1) || ':' || {{ compared_period_start(
        "cast(split_part(key, ':', 2) as date)", "split_part(key, ':', 1)", 'previous', '+'
    ) }}
    from {{ dirty('int_score_periods.period_key') }} as previous_periods
{% endraw %}{% endset %}

{{ config(
    unique_key='mover_key',
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

changes as (
    select
        metric,
        survey_kind,
        period_key,
        period_grain,
        period_start,
        period_end,
        period_grain || ':' || {{ compared_period_start(
            'period_start', 'period_grain', 'previous'
        ) }} as previous_period_key
    from {{ ref('int_score_periods') }}
    where breakdown = 'total'
        and not is_confidential
        and {{ to_rebuild('period_key') }}
),

changes_and_sides as (
    select
        changes.*,
        sides.is_after,
        sides.side_period_key
    from changes
    cross join lateral (
        values (false, changes.previous_period_key), (true, changes.period_key)
    ) as sides (is_after, side_period_key)
),

-- A score is points / responses, whatever the metric.
groups_counted as (
    select
        sides.metric,
        sides.survey_kind,
        sides.period_key,
        sides.period_grain,
        sides.period_start,
        sides.period_end,
        counts.breakdown as dimension,
        counts.breakdown_value,
        sides.is_after,
        cast(case sides.metric
            when 'nps' then 100 * (counts.promoters - counts.detractors)
            when 'ces' then counts.score_sum
            else 100 * counts.top_box
        end as numeric) as points,
        counts.responses
    from changes_and_sides as sides
    inner join {{ ref('int_score_periods') }} as counts
        on counts.period_key = sides.side_period_key
        and counts.metric = sides.metric
        and counts.survey_kind = sides.survey_kind
        and not counts.is_confidential
        and counts.breakdown in (
            'journey_stage', 'touchpoint', 'experience_channel', 'environment', 'owner_area',
            'segment', 'country', 'product', 'language'
        )
),

groups_compared as (
    select
        metric,
        survey_kind,
        period_key,
        period_grain,
        period_start,
        period_end,
        dimension,
        breakdown_value,
        coalesce(sum(points) filter (where not is_after), 0) as points_before,
        coalesce(sum(points) filter (where is_after), 0) as points_after,
        cast(coalesce(sum(responses) filter (where not is_after), 0) as bigint)
            as responses_before,
        cast(coalesce(sum(responses) filter (where is_after), 0) as bigint)
            as responses_after
    from groups_counted
    group by
        metric, survey_kind, period_key, period_grain, period_start, period_end,
        dimension, breakdown_value
),

groups_with_totals as (
    select
        *,
        sum(responses_before) over all_groups as total_responses_before,
        sum(responses_after) over all_groups as total_responses_after,
        sum(points_before) over all_groups / nullif(sum(responses_before) over all_groups, 0)
            as total_before,
        sum(points_after) over all_groups / nullif(sum(responses_after) over all_groups, 0)
            as total_after,
        row_number() over (
            partition by metric, survey_kind, period_key, dimension
            order by responses_before + responses_after desc, breakdown_value collate "C"
        ) = 1 as is_largest
    from groups_compared
    window all_groups as (partition by metric, survey_kind, period_key, dimension)
),

-- A group without answers in one period is given its score in the other there: whatever it
-- moves, it moves by coming or going.
groups_scored as (
    select
        *,
        responses_before / nullif(total_responses_before, 0) as share_before,
        responses_after / nullif(total_responses_after, 0) as share_after,
        case
            when total_before is not null and total_after is not null
                then coalesce(
                    points_before / nullif(responses_before, 0),
                    points_after / nullif(responses_after, 0)
                )
        end as score_before,
        coalesce(
            points_after / nullif(responses_after, 0),
            points_before / nullif(responses_before, 0)
        ) as score_after,
        round(total_after, 6) - round(total_before, 6) as score_change
    from groups_with_totals
),

groups_decomposed as (
    select
        *,
        round((share_before + share_after) / 2 * (score_after - score_before), 6)
            as rate_points,
        round(
            (share_before + share_after) / 2 * (score_after - score_before)
            + (share_after - share_before)
            * ((score_before + score_after) / 2 - (total_before + total_after) / 2),
            6
        ) as unallotted_points
    from groups_scored
),

-- What rounding leaves of the published change goes to the mix of the largest group.
contributions as (
    select
        *,
        case
            when is_largest
                then unallotted_points + score_change - sum(unallotted_points) over all_groups
            else unallotted_points
        end as contribution_points
    from groups_decomposed
    window all_groups as (partition by metric, survey_kind, period_key, dimension)
),

contributions_ranked as (
    select
        *,
        case
            when contribution_points is not null then row_number() over (
                partition by metric, survey_kind, period_key, dimension
                order by abs(contribution_points) desc, breakdown_value collate "C"
            )
        end as contribution_rank
    from contributions
),

score_movers as (
    select
        concat_ws('|', metric, survey_kind, period_key, dimension, breakdown_value)
            as mover_key,
        period_key,
        metric,
        survey_kind,
        period_grain,
        case period_grain
            when 'week' then to_char(period_start, 'IYYY-"W"IW')
            when 'month' then to_char(period_start, 'YYYY-MM')
            else to_char(period_start, 'YYYY-"Q"Q')
        end as period_label,
        dimension,
        breakdown_value,
        responses_before,
        responses_after,
        round(share_before, 6) as share_before,
        round(share_after, 6) as share_after,
        round(score_before, 6) as score_before,
        round(score_after, 6) as score_after,
        rate_points,
        contribution_points - rate_points as mix_points,
        contribution_points,
        contribution_rank,
        score_change,
        period_start,
        period_end
    from contributions_ranked
)

select * from score_movers
