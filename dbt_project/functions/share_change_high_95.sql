-- The distances of the share after from its upper limit, and before from its lower one,
-- both Wilson's, squared, under one root.
select round(
    {{ cx('share_percent') }}(successes_after, trials_after)
    - {{ cx('share_percent') }}(successes_before, trials_before)
    + sqrt(
        power(
            {{ cx('share_percent') }}(successes_after, trials_after)
            - {{ cx('share_high_95') }}(successes_after, trials_after),
            2
        )
        + power(
            {{ cx('share_percent') }}(successes_before, trials_before)
            - {{ cx('share_low_95') }}(successes_before, trials_before),
            2
        )
    ),
    6
)
