-- Welch's test with the normal distribution; null where either period has no variance.
select {{ function('normal_p_value') }}(
    (score_sum_after / responses_after - score_sum_before / responses_before)
    / sqrt(nullif(
        {{ function('score_variance') }}(
            score_sum_before, score_sum_squares_before, responses_before
        ) / responses_before
        + {{ function('score_variance') }}(
            score_sum_after, score_sum_squares_after, responses_after
        ) / responses_after,
        0
    ))
)
