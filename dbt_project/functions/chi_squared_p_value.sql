-- The upper tail of the chi-squared distribution. For whole degrees of freedom it is a finite
-- sum (Abramowitz & Stegun 26.4.4 and 26.4.5), so that no table is needed. Its terms are added
-- up as logarithms: PostgreSQL fails where exp() is too small for a number, below about -745.
select case
    when degrees_of_freedom < 1 or chi_squared < 0 then null
    when chi_squared = 0 then 1
    else round(cast(
        case
            when mod(degrees_of_freedom, 2) = 0 then 0
            else erfc(sqrt(cast(chi_squared as double precision) / 2))
        end
        + coalesce((
            select sum(exp(greatest(-700.0, terms.logarithm)) order by terms.number)
            from (
                select
                    numbers.number,
                    -cast(chi_squared as double precision) / 2
                    + case
                        when mod(degrees_of_freedom, 2) = 0
                            then (numbers.number - 1) * ln(cast(chi_squared as double precision) / 2)
                                - ln(cast(factorial(numbers.number - 1) as double precision))
                        else (numbers.number - 0.5) * ln(cast(chi_squared as double precision) / 2)
                            + numbers.number * ln(cast(4 as double precision))
                            + ln(cast(factorial(numbers.number) as double precision))
                            - ln(cast(factorial(2 * numbers.number) as double precision))
                            - ln(pi()) / 2
                    end as logarithm
                from generate_series(
                    1, cast(trunc(degrees_of_freedom / 2) as integer)
                ) as numbers (number)
            ) as terms
        ), 0) as numeric
    ), 10)
end
