select {{ cx('normal_p_value') }}(
    (sum_after / nullif(responses_after, 0) - sum_before / nullif(responses_before, 0))
    / sqrt(nullif(
        {{ cx('clustered_change_variance') }}(
            sum_before, responses_before, respondents_before,
            sums_squared_before, sums_by_responses_before, responses_squared_before,
            sum_after, responses_after, respondents_after,
            sums_squared_after, sums_by_responses_after, responses_squared_after,
            respondents_in_both, sums_multiplied, sums_before_by_responses_after,
            responses_before_by_sums_after, responses_multiplied
        ),
        0
    ))
)
