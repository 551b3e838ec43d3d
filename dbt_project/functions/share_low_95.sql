-- Wilson's score interval; z = 1.959964, z^2 = 3.841459.
select case
    when trials > 0 then round(100.0 * greatest(0.0, (
        successes / trials + 3.841459 / (2.0 * trials)
        - 1.959964 * sqrt(
            successes / trials * (1.0 - successes / trials) / trials
            + 3.841459 / (4.0 * trials * trials)
        )
    ) / (1.0 + 3.841459 / trials)), 6)
end
