-- The scale ends at 1 and 7, and so does the interval.
select case
    when {{ cx('score_variance') }}(score_sum, score_sum_squares, responses) > 0
        then round(least(
            7.0,
            score_sum / responses
            + {{ cx('student_t_975') }}(responses - 1)
            * sqrt({{ cx('score_variance') }}(score_sum, score_sum_squares, responses) / responses)
        ), 6)
end
