-- What each role may do. Run by include/access/roles.py, which puts the names in, when
-- this text, a name or a migration is new. New tables that dbt, the loader or publish
-- make get their grants from the default privileges below.
--
--   loader       reads exports: raw_*, and the records of loads; alone reads rejects
--   transformer  builds and checks: reads raw_*, makes staging, warehouse, statistics, cx
--   publisher    alone writes marts
--   bi_reader    reads marts, calls cx
--   cx_agent     a bi_reader that also sees which vendor's record a customer is

revoke all on database {database} from public;
grant connect on database {database}
    to {loader}, {transformer}, {publisher}, {bi_reader}, {cx_agent};
grant temporary on database {database} to {loader}, {transformer}, {publisher};
-- a schema for each source
grant create on database {database} to {loader};

-- audit: everybody in the pipeline reads it; nobody but its owner makes tables there.
grant usage on schema audit to {loader}, {transformer}, {publisher};
grant select on all tables in schema audit to {loader}, {transformer}, {publisher};
-- Rejected rows are kept as they came, with whatever personal data they hold.
revoke select on audit.rejects from {transformer}, {publisher};
grant insert, update, delete
    on audit.loads, audit.load_files, audit.rejects, audit.drift,
    audit.feed_failures, audit.load_profiles, audit.gate_results, audit.replays,
    audit.replayed_rejects
    to {loader};
-- Gate 1 locks what it decides; a replay tells the next build what it has changed.
grant update on audit.waiting_loads, audit.build_loads to {loader};
grant insert on audit.dirty_keys to {loader};
grant insert, update, delete, maintain
    on audit.as_of, audit.build_loads, audit.builds, audit.built_loads, audit.dirty_keys,
    audit.gate_results, audit.key_accounts, audit.model_runs, audit.models, audit.settings,
    audit.source_counts, audit.unpublished_keys
    to {transformer};
-- How each step of a run went, whoever it worked as.
grant insert, update on audit.run_steps to {transformer};
grant insert, update on audit.incidents, audit.incident_messages to {transformer};
-- A build gives the planner figures of what was loaded.
grant maintain on audit.loads, audit.load_files, audit.load_profiles to {transformer};
-- Gate 2 holds the loads of the source that it doubts.
grant update on audit.loads to {transformer};
grant insert, update on audit.publishes to {publisher};
grant insert, delete on audit.published_changes to {publisher};
grant insert on audit.restatements, audit.restatement_causes to {publisher};
grant insert, delete on audit.published_views to {publisher};
grant insert, update, delete on audit.published_tables to {publisher};
-- A rollback marks what it takes back.
grant insert, delete on audit.unpublished_keys to {publisher};

-- What the loader makes, the transformer reads and analyses.
alter default privileges for role {loader} grant usage on schemas to {transformer};
alter default privileges for role {loader}
    grant select, maintain on tables to {transformer};

-- What the transformer makes, publish copies. Staging shows raw rows: nobody else's.
grant usage on schema warehouse to {publisher};
grant select on all tables in schema warehouse to {publisher};
alter default privileges for role {transformer} grant select on tables to {publisher};

-- Functions may be called by whoever may use their schema.
grant usage on schema cx to {publisher}, {bi_reader};
grant usage on schema words to {transformer}, {publisher}, {bi_reader};

-- What publish makes, readers read; gate 2 compares with it.
grant usage on schema marts to {bi_reader}, {transformer};
grant select on all tables in schema marts to {bi_reader}, {transformer};
alter default privileges for role {publisher}
    grant select on tables to {bi_reader}, {transformer};
grant usage, create on schema marts to {publisher};
grant select on marts.data_status, marts.mart_status, marts.restatements to {publisher};

-- A reader's session: reads only, and does not stay for ever.
grant {bi_reader} to {cx_agent};
alter role {bi_reader} in database {database} set search_path = marts, cx;
alter role {bi_reader} in database {database} set default_transaction_read_only = on;
alter role {bi_reader} in database {database} set statement_timeout = '2min';
alter role {bi_reader} in database {database}
    set idle_in_transaction_session_timeout = '1min';
alter role {bi_reader} in database {database} set idle_session_timeout = '1h';
alter role {cx_agent} in database {database} set search_path = marts, cx;
alter role {cx_agent} in database {database} set default_transaction_read_only = on;
alter role {cx_agent} in database {database} set statement_timeout = '2min';
alter role {cx_agent} in database {database}
    set idle_in_transaction_session_timeout = '1min';
alter role {cx_agent} in database {database} set idle_session_timeout = '1h';
