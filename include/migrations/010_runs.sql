-- What a run did, step by step: how long it took, how it ended, and why.
create table audit.run_steps (
    step_id bigint generated always as identity primary key,
    run_id text not null,
    step text not null,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    outcome text not null default 'running'
        check (outcome in ('running', 'succeeded', 'failed')),
    message text
);
create index run_steps_by_run on audit.run_steps (run_id, step, step_id);

-- Why a model took its time: built whole (its code, or that of an ancestor, is new), or
-- how many of its keys were built anew. Both null where neither is known.
alter table audit.model_runs add column is_whole boolean;
alter table audit.model_runs add column keys_rebuilt bigint;

-- One row per run. The last attempt of a step is the one that counts. A step that died
-- without a word stays 'running' until somebody tries it again.
create view audit.runs as
select
    steps.run_id,
    steps.started_at,
    steps.finished_at,
    steps.outcome,
    steps.failed_step,
    steps.message,
    steps.step_seconds,
    loads.first_batch_date,
    loads.last_batch_date,
    coalesce(loads.loads, 0) as loads,
    coalesce(loads.rows_loaded, 0) as rows_loaded,
    coalesce(loads.rows_rejected, 0) as rows_rejected,
    coalesce(loads.held_loads, 0) as held_loads,
    builds.build_id,
    builds.loads_touched,
    builds.models_rebuilt,
    publishes.publish_id,
    publishes.rows_deleted,
    publishes.rows_inserted
from (
    select
        run_id,
        min(first_started_at) as started_at,
        case when bool_and(outcome <> 'running') then max(finished_at) end as finished_at,
        case
            when bool_or(outcome = 'failed') then 'failed'
            when bool_or(outcome = 'running') then 'running'
            else 'succeeded'
        end as outcome,
        (array_agg(step order by step_id) filter (where outcome = 'failed'))[1]
            as failed_step,
        (array_agg(message order by step_id) filter (where outcome = 'failed'))[1]
            as message,
        jsonb_object_agg(step, round(extract(epoch from finished_at - started_at), 3))
            as step_seconds
    from (
        select distinct on (run_id, step)
            *,
            min(started_at) over (partition by run_id) as first_started_at
        from audit.run_steps
        order by run_id, step, step_id desc
    ) as last_attempts
    group by run_id
) as steps
left join (
    select
        run_id,
        min(batch_date) as first_batch_date,
        max(batch_date) as last_batch_date,
        count(*) as loads,
        sum(rows_loaded) as rows_loaded,
        sum(rows_rejected) as rows_rejected,
        count(*) filter (where status = 'held') as held_loads
    from audit.loads
    group by run_id
) as loads on loads.run_id = steps.run_id
left join (
    select distinct on (run_id) run_id, build_id, loads_touched, models_rebuilt
    from audit.builds
    order by run_id, build_id desc
) as builds on builds.run_id = steps.run_id
left join (
    select distinct on (run_id) run_id, publish_id, rows_deleted, rows_inserted
    from audit.publishes
    order by run_id, publish_id desc
) as publishes on publishes.run_id = steps.run_id;
