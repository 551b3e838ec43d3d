select round(100.0 * successes / nullif(trials, 0), 6)
