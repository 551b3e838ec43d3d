-- Welch's test with the normal distribution; null where either period has fewer than two
-- answers, or neither varies.
select {{ cx('normal_p_value') }}(
    (
        score_sum_after / nullif(responses_after, 0)
        - score_sum_before / nullif(responses_before, 0)
    ) / sqrt(nullif(
        {{ cx('score_variance') }}(
            score_sum_before, score_sum_squares_before, responses_before
        ) / nullif(responses_before, 0)
        + {{ cx('score_variance') }}(
            score_sum_after, score_sum_squares_after, responses_after
        ) / nullif(responses_after, 0),
        0
    ))
)
