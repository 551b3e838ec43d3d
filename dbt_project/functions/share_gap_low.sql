-- How far a share lies above another: Newcombe's hybrid of their Wilson intervals (1998,
-- method 10), for any z.
select round(
    {{ cx('share_percent') }}(successes_above, trials_above)
    - {{ cx('share_percent') }}(successes_below, trials_below)
    - sqrt(
        power(
            {{ cx('share_percent') }}(successes_above, trials_above)
            - {{ cx('share_low') }}(successes_above, trials_above, z),
            2
        )
        + power(
            {{ cx('share_percent') }}(successes_below, trials_below)
            - {{ cx('share_high') }}(successes_below, trials_below, z),
            2
        )
    ),
    6
)
