-- (p + d - (p - d)^2) / (n + 3), with p and d of the adjusted counts.
select (
    (promoters + detractors + 1.5) / (promoters + passives + detractors + 3.0)
    - power((promoters - detractors) / (promoters + passives + detractors + 3.0), 2)
) / (promoters + passives + detractors + 3.0)
