-- Wilson's score interval as in share_high_95, for any z: what many comparisons need.
select case
    when trials > 0 then round(100.0 * least(1.0, (
        successes / trials + z * z / (2.0 * trials)
        + z * sqrt(
            successes / trials * (1.0 - successes / trials) / trials
            + z * z / (4.0 * trials * trials)
        )
    ) / (1.0 + z * z / trials)), 6)
end
