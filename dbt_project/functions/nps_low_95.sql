select case
    when promoters + passives + detractors >= 2 then round(greatest(
        -100.0, {{ cx('nps_adjusted') }}(promoters, passives, detractors)
        - 195.9964 * sqrt({{ cx('nps_adjusted_variance') }}(promoters, passives, detractors))
    ), 6)
end
