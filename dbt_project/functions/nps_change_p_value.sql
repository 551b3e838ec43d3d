select case
    when promoters_before + passives_before + detractors_before > 0
        and promoters_after + passives_after + detractors_after > 0
        then {{ function('normal_p_value') }}(
            (
                {{ function('nps_adjusted') }}(promoters_after, passives_after, detractors_after)
                - {{ function('nps_adjusted') }}(promoters_before, passives_before, detractors_before)
            ) / (100.0 * sqrt(
                {{ function('nps_adjusted_variance') }}(promoters_after, passives_after, detractors_after)
                + {{ function('nps_adjusted_variance') }}(
                    promoters_before, passives_before, detractors_before
                )
            ))
        )
end
