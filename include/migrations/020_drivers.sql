-- One row per month, survey, outcome and driver question: how much each driver has to do
-- with the score; computed by include/statistics/driver_weights.py.
create table statistics.driver_weights (
    score_period_key text primary key,
    period_key text not null,
    survey_id text not null,
    outcome_metric text not null,
    question_id text not null,
    driver text not null,
    -- published, too_few_answers, constant, constant_outcome, too_many_drivers
    driver_status text not null,
    drivers_compared integer not null,
    responses bigint not null,
    incomplete_responses bigint not null,
    needed_responses bigint not null,
    -- all null where it is not published; the weights of Johnson also where two drivers
    -- say the same
    correlation numeric,
    standardised_beta numeric,
    dominance_weight numeric,
    dominance_percent numeric,
    johnson_weight numeric,
    johnson_percent numeric,
    r_squared numeric
);
create index driver_weights_by_period on statistics.driver_weights (period_key);
