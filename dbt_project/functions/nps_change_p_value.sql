select case
    when promoters_before + passives_before + detractors_before > 0
        and promoters_after + passives_after + detractors_after > 0
        then {{ cx('normal_p_value') }}(
            (
                {{ cx('nps_adjusted') }}(promoters_after, passives_after, detractors_after)
                - {{ cx('nps_adjusted') }}(promoters_before, passives_before, detractors_before)
            ) / (100.0 * sqrt(
                {{ cx('nps_adjusted_variance') }}(promoters_after, passives_after, detractors_after)
                + {{ cx('nps_adjusted_variance') }}(
                    promoters_before, passives_before, detractors_before
                )
            ))
        )
end
