-- N - 1 two-proportion test; without variance z is 0 and p is 1.
select case
    when trials_before > 0 and trials_after > 0
        then coalesce({{ cx('normal_p_value') }}(
            (successes_after / trials_after - successes_before / trials_before)
            * sqrt((trials_before + trials_after - 1.0) / (trials_before + trials_after))
            / sqrt(nullif(
                (successes_before + successes_after) / (trials_before + trials_after)
                * (1.0 - (successes_before + successes_after) / (trials_before + trials_after))
                * (1.0 / trials_before + 1.0 / trials_after),
                0.0
            ))
        ), 1.0)
end
