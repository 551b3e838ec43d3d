-- What gate 1 measures of each load before it decides. Figures only: no value of a
-- column, so nothing personal, ever gets here.

-- The share that "part of whole" proves at least: the lower Wilson bound (95 %). One
-- bad row out of ten proves 2 %, ten out of a hundred 6 %: a small file is not held
-- for a single row.
create function audit.proven_share(part bigint, whole bigint) returns numeric
language sql immutable parallel safe
return case
    when whole > 0 then
        round(
            cast(
                greatest(
                    0.0,
                    (
                        part + 1.920729
                        - 1.959964 * sqrt(
                            cast(part as double precision) * (whole - part) / whole
                            + 0.960365
                        )
                    ) / (whole + 3.841459)
                ) as numeric
            ),
            6
        )
end;

create function audit.share(part bigint, whole bigint) returns numeric
language sql immutable parallel safe
return case when whole > 0 then round(cast(part as numeric) / whole, 6) end;

-- One row per load that gate 1 has looked at.
create table audit.load_profiles (
    load_id bigint primary key references audit.loads on delete cascade,
    feed text not null,
    batch_date date not null,
    delivery text not null check (delivery in ('snapshot', 'delta')),
    rows_in_file bigint not null,
    rows_loaded bigint not null,
    rows_rejected bigint not null,
    -- counted again in the raw table
    rows_in_raw bigint not null,
    rows_without_key bigint not null,
    rows_repeating_key bigint not null,
    distinct_keys bigint not null,
    -- rows with a value, for each required column of the contract
    filled_rows jsonb not null,
    -- null: stored as whole records, where nothing is undeclared
    undeclared_columns bigint,
    -- event time, as local dates of the reporting zone; null: the feed declares none
    rows_without_event_time bigint,
    rows_after_batch_date bigint,
    rows_long_before_batch_date bigint,
    earliest_event_date date,
    latest_event_date date,
    -- against the feed's other loads; null: nothing to compare with
    reference_date date,
    reference_keys bigint,
    snapshot_ratio numeric,
    usual_rows numeric,
    volume_ratio numeric,
    weekday_volume_ratio numeric,
    in_force_rows bigint,
    in_force_ratio numeric,
    emptied_column text,
    fill_drop numeric,
    same_content_date date,
    unchanged_since date,
    profiled_at timestamptz not null default clock_timestamp(),
    snapshot_rows bigint generated always as (
        case when delivery = 'snapshot' then rows_loaded end
    ) stored,
    rows_missing_in_raw bigint generated always as (rows_loaded - rows_in_raw) stored,
    rejected_share numeric
        generated always as (audit.share(rows_rejected, rows_in_file)) stored,
    proven_rejected_share numeric
        generated always as (audit.proven_share(rows_rejected, rows_in_file)) stored,
    without_key_share numeric
        generated always as (audit.share(rows_without_key, rows_in_raw)) stored,
    proven_without_key_share numeric
        generated always as (audit.proven_share(rows_without_key, rows_in_raw)) stored,
    snapshot_repeated_share numeric generated always as (
        case when delivery = 'snapshot'
            then audit.share(rows_repeating_key, rows_in_raw) end
    ) stored,
    proven_snapshot_repeated_share numeric generated always as (
        case when delivery = 'snapshot'
            then audit.proven_share(rows_repeating_key, rows_in_raw) end
    ) stored,
    proven_delta_repeated_share numeric generated always as (
        case when delivery = 'delta'
            then audit.proven_share(rows_repeating_key, rows_in_raw) end
    ) stored,
    proven_without_event_time_share numeric generated always as (
        audit.proven_share(rows_without_event_time, rows_in_raw)
    ) stored,
    after_batch_date_share numeric
        generated always as (audit.share(rows_after_batch_date, rows_in_raw)) stored,
    proven_after_batch_date_share numeric generated always as (
        audit.proven_share(rows_after_batch_date, rows_in_raw)
    ) stored,
    proven_long_before_share numeric generated always as (
        audit.proven_share(rows_long_before_batch_date, rows_in_raw)
    ) stored
);
create index load_profiles_by_feed on audit.load_profiles (feed, batch_date);
