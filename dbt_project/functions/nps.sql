select round(
    100.0 * (promoters - detractors) / nullif(promoters + passives + detractors, 0), 6
)
