-- Wilson's score interval; z = 1.959964; its square is written out in full, so that a share of 1 ends at 1.
select case
    when trials > 0 then round(100.0 * greatest(0.0, (
        successes / trials + 3.841458881296 / (2.0 * trials)
        - 1.959964 * sqrt(
            successes / trials * (1.0 - successes / trials) / trials
            + 3.841458881296 / (4.0 * trials * trials)
        )
    ) / (1.0 + 3.841458881296 / trials)), 6)
end
