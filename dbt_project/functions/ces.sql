select round(score_sum / nullif(responses, 0), 6)
