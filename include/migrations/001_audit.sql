-- The audit schema: what was loaded, decided, built and published, and when.
create schema if not exists audit;
create schema if not exists cx;
create schema if not exists staging;
create schema if not exists warehouse;
create schema if not exists marts;

-- One row per load: all files of one feed for one batch date.
create table audit.loads (
    load_id bigint generated always as identity primary key,
    feed text not null,
    batch_date date not null,
    status text not null default 'loaded'
        check (status in ('loaded', 'accepted', 'held', 'superseded')),
    content_hash text not null,
    contract_hash text not null,
    bytes bigint not null default 0,
    rows_in_file bigint not null default 0,
    rows_loaded bigint not null default 0,
    rows_rejected bigint not null default 0,
    rows_quarantined bigint,
    run_id text not null,
    started_at timestamptz not null default clock_timestamp(),
    loaded_at timestamptz,
    decided_at timestamptz,
    superseded_by bigint references audit.loads on delete set null,
    held_reason text,
    constraint every_row_is_accounted_for
        check (rows_in_file = rows_loaded + rows_rejected)
);
-- Only acceptance supersedes: at most one load of a feed and date is in force.
create unique index loads_in_force
    on audit.loads (feed, batch_date) where status = 'accepted';
create index loads_by_feed_and_date on audit.loads (feed, batch_date, load_id);
create index loads_undecided on audit.loads (load_id) where status = 'loaded';

create table audit.load_files (
    load_id bigint not null references audit.loads on delete cascade,
    file_no integer not null,
    path text not null,
    bytes bigint not null,
    sha256 text not null,
    rows_in_file bigint not null,
    rows_loaded bigint not null,
    rows_rejected bigint not null,
    reader text not null check (reader in ('fast', 'careful')),
    primary key (load_id, file_no)
);

-- Rows that could not be read: kept whole, so that they can be replayed.
create table audit.rejects (
    reject_id bigint generated always as identity primary key,
    load_id bigint not null references audit.loads on delete cascade,
    file_no integer not null,
    row_number bigint not null,
    reason text not null,
    raw_text text
);
create index rejects_by_load on audit.rejects (load_id);

-- Columns that an export sent and its contract does not declare.
create table audit.drift (
    load_id bigint not null references audit.loads on delete cascade,
    column_name text not null,
    rows bigint not null,
    primary key (load_id, column_name)
);

-- Feeds that could not be loaded at all: missing, unreadable, refused.
create table audit.feed_failures (
    failure_id bigint generated always as identity primary key,
    run_id text not null,
    feed text not null,
    batch_date date not null,
    message text not null,
    failed_at timestamptz not null default clock_timestamp(),
    -- When a load of that feed and date went well again.
    resolved_at timestamptz
);
create index feed_failures_by_feed on audit.feed_failures (feed, batch_date);

create table audit.gate_results (
    result_id bigint generated always as identity primary key,
    run_id text not null,
    gate text not null check (gate in ('raw', 'marts')),
    suite text not null,
    subject text not null,
    expectation text not null,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    is_met boolean not null,
    observed text,
    load_id bigint,
    checked_at timestamptz not null default clock_timestamp()
);
create index gate_results_by_run on audit.gate_results (run_id, gate);

-- The frozen input of the build under way or last done.
-- is_current: staging reads it. is_applied: the last complete build contains it.
-- is_touched: models reprocess the natural keys that it touches.
create table audit.build_loads (
    load_id bigint primary key,
    feed text not null,
    batch_date date not null,
    is_current boolean not null,
    is_applied boolean not null default false,
    is_touched boolean not null
);
create index build_loads_by_feed on audit.build_loads (feed, batch_date);

-- What each source has delivered without a gap: from first_date, its first accepted batch
-- date, to as_of_date. The low and high dates span every value that a begun build may
-- have worked with since the last complete one; models reprocess what lies between.
create table audit.as_of (
    source text primary key,
    role text not null,
    first_date date,
    first_low_date date,
    first_high_date date,
    as_of_date date,
    low_date date,
    high_date date
);

-- Which keys of which place must be rebuilt. Written in the transaction of the
-- change that causes them, cleared when the whole build has succeeded.
create table audit.dirty_keys (
    place text not null,
    key text not null,
    primary key (place, key)
);

-- Which keys of which model differ from what is published; a null key: all of them.
create table audit.unpublished_keys (
    model text not null,
    key text
);
create unique index unpublished_keys_once
    on audit.unpublished_keys (model, key) nulls not distinct;

-- Fingerprints of the code that each dbt node was built with, and how a published
-- model's rows are told apart: row_key (the grain), rebuild_by (the column whose values
-- dirty_keys and unpublished_keys hold).
create table audit.models (
    model text primary key,
    kind text not null,
    schema_name text not null,
    is_published boolean not null,
    row_key text[] not null,
    rebuild_by text,
    wanted_fingerprint text not null,
    built_fingerprint text,
    built_at timestamptz
);

create table audit.builds (
    build_id bigint generated always as identity primary key,
    run_id text not null,
    status text not null check (status in ('running', 'succeeded', 'failed')),
    loads_touched bigint not null,
    models_rebuilt bigint not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    gated_at timestamptz,
    message text
);

create table audit.model_runs (
    build_id bigint not null references audit.builds on delete cascade,
    model text not null,
    status text not null,
    seconds numeric not null,
    message text,
    primary key (build_id, model)
);

-- Counts of the last complete build that data_status shows.
create table audit.source_counts (
    source text not null,
    measure text not null,
    rows bigint not null,
    primary key (source, measure)
);

create table audit.publishes (
    publish_id bigint generated always as identity primary key,
    run_id text not null,
    build_id bigint not null,
    rows_deleted bigint not null default 0,
    rows_inserted bigint not null default 0,
    published_at timestamptz not null default clock_timestamp()
);

-- Old and new image of every published row that changed: the restatement and
-- rollback log.
create table audit.published_changes (
    publish_id bigint not null references audit.publishes on delete cascade,
    model text not null,
    change text not null check (change in ('deleted', 'inserted')),
    row_image jsonb not null
);
create index published_changes_by_publish
    on audit.published_changes (publish_id, model);

create table audit.settings (
    name text primary key,
    value text not null
);
