-- Rejected rows that are read again.

-- The record as the file had it, so that no byte is lost: text in the file's encoding
-- (in UTF-8 where the file was UTF-16 or UTF-32), cells of a sheet as JSON. raw_text is
-- for people. Null: rejected before this was kept; only its file can be read again.
alter table audit.rejects add column raw_bytes bytea;

-- The header rows of a table-like file, kept in the same way.
alter table audit.load_files add column header bytea;
alter table audit.load_files add constraint every_row_of_a_file_is_accounted_for
    check (rows_in_file = rows_loaded + rows_rejected);

-- When a load last got rows out of its rejects.
alter table audit.loads add column replayed_at timestamptz;

-- What gate 1 is to judge: loads that arrived, and loads in force that got rows since it
-- last looked.
create view audit.waiting_loads as
select
    load_id, feed, batch_date, status, content_hash, rows_in_file, rows_loaded,
    rows_rejected, loaded_at
from audit.loads
where status = 'loaded' or status = 'accepted' and replayed_at > decided_at;

-- One row per load and run that read some of its rejects.
create table audit.replays (
    replay_id bigint generated always as identity primary key,
    load_id bigint not null references audit.loads on delete cascade,
    run_id text not null,
    contract_hash_before text not null,
    contract_hash_after text not null,
    rows_read bigint not null default 0,
    replayed_at timestamptz not null default clock_timestamp()
);

-- What each row was rejected for that is in raw now, with the lineage it has there.
create table audit.replayed_rejects (
    replay_id bigint not null references audit.replays on delete cascade,
    load_id bigint not null references audit.loads on delete cascade,
    file_no integer not null,
    row_number bigint not null,
    reason text not null,
    primary key (load_id, file_no, row_number)
);
create index replayed_rejects_by_replay on audit.replayed_rejects (replay_id);
