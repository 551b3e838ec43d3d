-- With u the change that a customer makes in the mean (his answers' distance from the
-- period's mean over its answers, after less before), C / (C - 1) times the sum of u
-- squared; C customers in either period. All over one denominator: equal answers give
-- exactly 0, whatever the mean.
select case
    when responses_before > 0
        and responses_after > 0
        and respondents_before + respondents_after - respondents_in_both > 1
        then (
            (
                sums_squared_before * power(responses_before, 2)
                - 2 * sum_before * responses_before * sums_by_responses_before
                + power(sum_before, 2) * responses_squared_before
            ) * power(responses_after, 4)
            + (
                sums_squared_after * power(responses_after, 2)
                - 2 * sum_after * responses_after * sums_by_responses_after
                + power(sum_after, 2) * responses_squared_after
            ) * power(responses_before, 4)
            - 2 * (
                sums_multiplied * responses_before * responses_after
                - sum_before * responses_after * responses_before_by_sums_after
                - sum_after * responses_before * sums_before_by_responses_after
                + sum_before * sum_after * responses_multiplied
            ) * power(responses_before * responses_after, 2)
        )
        * (respondents_before + respondents_after - respondents_in_both)
        / (
            (respondents_before + respondents_after - respondents_in_both - 1)
            * power(responses_before * responses_after, 4)
        )
end
