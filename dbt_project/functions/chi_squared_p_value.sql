-- The upper tail of the chi-squared distribution. For whole degrees of freedom it is a finite
-- sum (Abramowitz & Stegun 26.4.4 and 26.4.5), so that no table is needed.
select case
    when degrees_of_freedom < 1 or chi_squared < 0 then null
    when chi_squared = 0 then 1
    else round(cast(
        case
            when mod(degrees_of_freedom, 2) = 0 then 0
            else erfc(sqrt(cast(chi_squared as double precision) / 2))
        end
        + exp(-cast(chi_squared as double precision) / 2) * coalesce((
            select sum(
                case
                    when mod(degrees_of_freedom, 2) = 0
                        then power(cast(chi_squared as double precision) / 2, terms.number - 1)
                            / cast(factorial(terms.number - 1) as double precision)
                    else power(cast(chi_squared as double precision) / 2, terms.number - 0.5)
                        * power(4, terms.number)
                        * cast(factorial(terms.number) as double precision)
                        / cast(factorial(2 * terms.number) as double precision)
                        / sqrt(pi())
                end
                order by terms.number
            )
            from generate_series(
                1, cast(trunc(degrees_of_freedom / 2) as integer)
            ) as terms (number)
        ), 0) as numeric
    ), 10)
end
