{% set rebuild_when %}{% raw %}
    select key from {{ dirty('mart_channel_scores.period_key') }} as periods
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'journey_stage', 'comparison'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
) }}

with

channel_scores as (
    select
        *,
        -- Rounded, so that 1/3 and 2/6 are the same share.
        round(cast(top_box as numeric) / responses, 15) as share
    from {{ ref('mart_channel_scores') }}
    where {{ to_rebuild('period_key') }}
),

-- Of channels that tie, the one with the most answers; then by name.
best_ranked as (
    select
        *,
        row_number() over (
            partition by period_key, journey_stage, comparison
            order by share desc, responses desc, compared_value collate "C"
        ) as best_rank
    from channel_scores
    where is_compared
),

-- The worst is another than the best, also where all are alike.
worst_ranked as (
    select
        *,
        row_number() over (
            partition by period_key, journey_stage, comparison
            order by best_rank = 1, share, responses desc, compared_value collate "C"
        ) as worst_rank
    from best_ranked
),

counts as (
    select
        channel_scores.period_key,
        channel_scores.journey_stage,
        channel_scores.comparison,
        count(*) filter (where channel_scores.is_compared) as compared_values,
        count(*) filter (where not channel_scores.is_compared) as left_out_values,
        coalesce(
            sum(channel_scores.responses) filter (where not channel_scores.is_compared), 0
        ) as left_out_responses,
        coalesce(sum(channel_scores.top_box) filter (where channel_scores.is_compared), 0)
            as top_box,
        coalesce(sum(channel_scores.responses) filter (where channel_scores.is_compared), 0)
            as responses,
        -- Of n(p - P)² in chi-squared, P the pooled share: what does not know P.
        sum(cast(channel_scores.top_box as numeric) * channel_scores.top_box / channel_scores.responses)
            filter (where channel_scores.is_compared) as squares_of_shares,
        sum(cast(channel_scores.responses as numeric) * channel_scores.responses)
            filter (where channel_scores.is_compared) as squares_of_responses,
        min(channel_scores.period_grain) as period_grain,
        min(channel_scores.period_label) as period_label,
        bool_and(channel_scores.is_complete_period) as is_complete_period,
        min(channel_scores.period_start) as period_start,
        min(channel_scores.period_end) as period_end
    from channel_scores
    group by channel_scores.period_key, channel_scores.journey_stage, channel_scores.comparison
),

pools as (
    select
        *,
        cast(top_box as numeric) / nullif(responses, 0) as pooled_share,
        -- The pair was chosen by looking at all: simultaneous over all pairs (Bonferroni).
        case
            when compared_values >= 2
                then {{ cx('normal_quantile') }}(
                    1 - 0.05 / (cast(compared_values * (compared_values - 1) as numeric))
                )
        end as simultaneous_z
    from counts
),

tests as (
    select
        *,
        case
            when compared_values < 2 then null
            -- All answers alike: nothing differs.
            when pooled_share in (0, 1) then 0
            else greatest(
                0,
                (squares_of_shares - top_box * pooled_share) / (pooled_share * (1 - pooled_share))
            )
        end as chi_squared
    from pools
),

channel_consistency as (
    select
        tests.period_key,
        tests.period_grain,
        tests.period_label,
        tests.journey_stage,
        tests.comparison,
        best.compared_value as best_value,
        worst.compared_value as worst_value,
        tests.compared_values,
        tests.left_out_values,
        cast(tests.left_out_responses as bigint) as left_out_responses,
        cast(tests.responses as bigint) as responses,
        cast(tests.top_box as bigint) as top_box,
        {{ cx('share_percent') }}(tests.top_box, tests.responses) as pooled_percent,
        best.csat_percent as best_percent,
        best.responses as best_responses,
        worst.csat_percent as worst_percent,
        worst.responses as worst_responses,
        best.csat_percent - worst.csat_percent as gap_points,
        {{ cx('share_gap_low') }}(
            best.top_box, best.responses, worst.top_box, worst.responses, tests.simultaneous_z
        ) as gap_low_95,
        {{ cx('share_gap_high') }}(
            best.top_box, best.responses, worst.top_box, worst.responses, tests.simultaneous_z
        ) as gap_high_95,
        tests.simultaneous_z,
        round(tests.chi_squared, 6) as chi_squared,
        case
            when tests.chi_squared = 0 then 1
            else {{ cx('chi_squared_p_value') }}(tests.chi_squared, tests.compared_values - 1)
        end as p_value,
        case
            when tests.compared_values >= 2 then round(100 * sqrt(greatest(
                0,
                (tests.chi_squared - (tests.compared_values - 1))
                * tests.pooled_share * (1 - tests.pooled_share)
                / (tests.responses - tests.squares_of_responses / tests.responses)
            )), 6)
        end as spread_points,
        tests.is_complete_period,
        tests.period_start,
        tests.period_end
    from tests
    left join worst_ranked as best
        on best.period_key = tests.period_key
        and best.journey_stage = tests.journey_stage
        and best.comparison = tests.comparison
        and best.best_rank = 1
        and tests.compared_values >= 2
    left join worst_ranked as worst
        on worst.period_key = tests.period_key
        and worst.journey_stage = tests.journey_stage
        and worst.comparison = tests.comparison
        and worst.worst_rank = 1
        and tests.compared_values >= 2
)

select * from channel_consistency
