{{ config(materialized='view', meta={'row_key': ['score_period_key']}) }}

select
    ces.score_period_key,
    ces.period_key,
    ces.survey_kind,
    ces.period_grain,
    ces.period_label,
    ces.breakdown,
    ces.breakdown_value,
    ces.top_box as easy,
    ces.score_sum,
    ces.score_sum_squares,
    ces.responses,
    ces.respondents,
    ces.score as ces,
    ces.score_low_95 as ces_low_95,
    ces.score_high_95 as ces_high_95,
    ces.previous_score as previous_ces,
    ces.score_change as ces_change_points,
    ces.p_value,
    ces.p_value_adjusted,
    ces.is_significant_change,
    ces.change_method,
    ces.last_year_score as last_year_ces,
    ces.last_year_change as ces_last_year_change_points,
    ces.last_year_p_value,
    ces.last_year_p_value_adjusted,
    ces.is_significant_last_year_change,
    ces.last_year_change_method,
    easy_shares.score as easy_share,
    easy_shares.score_low_95 as easy_share_low_95,
    easy_shares.score_high_95 as easy_share_high_95,
    easy_shares.previous_score as previous_easy_share,
    easy_shares.score_change as easy_share_change_points,
    easy_shares.p_value as easy_share_p_value,
    easy_shares.p_value_adjusted as easy_share_p_value_adjusted,
    easy_shares.is_significant_change as is_significant_easy_share_change,
    easy_shares.change_method as easy_share_change_method,
    easy_shares.last_year_score as last_year_easy_share,
    easy_shares.last_year_change as easy_share_last_year_change_points,
    easy_shares.last_year_p_value as easy_share_last_year_p_value,
    easy_shares.last_year_p_value_adjusted as easy_share_last_year_p_value_adjusted,
    easy_shares.is_significant_last_year_change as is_significant_easy_share_last_year_change,
    easy_shares.last_year_change_method as easy_share_last_year_change_method,
    ces.target,
    ces.gap_to_target,
    easy_shares.target as easy_share_target,
    easy_shares.gap_to_target as easy_share_gap_to_target,
    ces.weighted_score as weighted_ces,
    ces.weighted_low_95 as weighted_ces_low_95,
    ces.weighted_high_95 as weighted_ces_high_95,
    ces.effective_responses,
    ces.design_effect,
    ces.weighting_cells_collapsed,
    ces.unplaced_responses,
    easy_shares.weighted_score as weighted_easy_share,
    easy_shares.weighted_low_95 as weighted_easy_share_low_95,
    easy_shares.weighted_high_95 as weighted_easy_share_high_95,
    ces.sample_status,
    ces.is_complete_period,
    ces.period_start,
    ces.period_end
from {{ ref('experience_scores') }} as ces
inner join {{ ref('experience_scores') }} as easy_shares
    on easy_shares.metric = 'easy_share'
    and easy_shares.survey_kind = ces.survey_kind
    and easy_shares.period_key = ces.period_key
    and easy_shares.breakdown = ces.breakdown
    and easy_shares.breakdown_value = ces.breakdown_value
    and not easy_shares.is_confidential
where ces.metric = 'ces'
    and not ces.is_confidential
