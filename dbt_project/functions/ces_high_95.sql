select round(
    score_sum / responses
    + {{ function('student_t_975') }}(responses - 1) * sqrt(nullif(
        {{ function('score_variance') }}(score_sum, score_sum_squares, responses), 0
    ) / responses), 6
)
