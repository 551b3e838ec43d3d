-- Sample variance out of sums; never below zero.
select case
    when responses >= 2 then greatest(
        0.0, (score_sum_squares - score_sum * score_sum / responses) / (responses - 1)
    )
end
