select 100.0 * (promoters - detractors) / (promoters + passives + detractors + 3.0)
