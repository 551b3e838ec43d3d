select round(
    score_sum / nullif(responses, 0)
    - {{ cx('student_t_975') }}(responses - 1) * sqrt(nullif(
        {{ cx('score_variance') }}(score_sum, score_sum_squares, responses), 0
    ) / nullif(responses, 0)), 6
)
