-- What dbt cannot compute: written by include/statistics between the two parts of a
-- build, and read by the models that descend from it.
create schema statistics;

-- One row per score of the breakdowns total and survey, weighted to the customers who
-- were eligible; no row where there is nobody to weight to, or no answer to weight.
create table statistics.weighted_scores (
    score_period_key text primary key,
    period_key text not null,
    weighted_score numeric not null,
    -- null below two effective answers, or where all answers are equal (CES)
    weighted_low_95 numeric,
    weighted_high_95 numeric,
    effective_responses numeric not null,
    design_effect numeric not null,
    -- null: no cell had to be collapsed
    weighting_cells_collapsed text,
    unplaced_responses bigint not null
);
create index weighted_scores_by_period on statistics.weighted_scores (period_key);

-- One row per score of a confidential survey that nobody may read: too few answers
-- itself (primary), or else another one could be derived from it (complementary).
create table statistics.hidden_scores (
    score_period_key text primary key,
    period_key text not null,
    hidden_as text not null check (hidden_as in ('primary', 'complementary'))
);
create index hidden_scores_by_period on statistics.hidden_scores (period_key);

-- Published models may be views, in the order of their dependencies, and may publish
-- only the rows that meet a condition.
alter table audit.models add column position integer;
alter table audit.models add column publish_where text;

-- Views of marts that publish has made, and so may drop: data_status and the views of
-- others are not among them.
create table audit.published_views (name text primary key);
