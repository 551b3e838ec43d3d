-- Restated figures, and the way back to the version before.

-- A row for each time that marts changed: a publish, or a rollback of one.
alter table audit.publishes
    add column kind text not null default 'publish'
        check (kind in ('publish', 'rollback')),
    -- the rollback that took this publish back
    add column undone_by bigint references audit.publishes,
    -- why no rollback leads to before this publish; null: one does
    add column irreversible_because text,
    -- the days that every source had delivered, of what marts show from here on
    add column first_date date,
    add column as_of_date date;

update audit.publishes set irreversible_because = 'it was made by earlier code';
update audit.publishes
set
    first_date = (select max(first_date) from audit.as_of),
    as_of_date = (
        select min(as_of_date) from audit.as_of having count(*) = count(as_of_date)
    )
where publish_id = (select max(publish_id) from audit.publishes);

-- What a model rests on: the nodes and the feeds above it, and itself.
alter table audit.models add column rests_on text[] not null default '{}';
-- Which of its figures are final once their period is closed (meta.restated).
alter table audit.models add column restated jsonb;

-- The nodes whose own code was new in this build, not only that of what they read.
alter table audit.builds add column changed_code text[] not null default '{}';

-- The loads that a build which succeeded took up or left behind.
create table audit.built_loads (
    build_id bigint not null references audit.builds on delete cascade,
    load_id bigint not null,
    feed text not null,
    batch_date date not null,
    change text not null check (change in ('came', 'went', 'read again')),
    primary key (build_id, load_id)
);

-- One row per published figure of a closed period that changed. Kept for good: a row
-- for each figure that somebody may have quoted.
create table audit.restatements (
    restatement_id bigint generated always as identity primary key,
    publish_id bigint not null references audit.publishes,
    model text not null,
    row_key text not null,
    period_key text not null,
    period_start date not null,
    period_end date not null,
    breakdown jsonb not null,
    described_as text not null,
    figure text not null,
    old_value numeric,
    new_value numeric,
    constraint a_restated_figure_differs check (old_value is distinct from new_value)
);
create index restatements_by_publish on audit.restatements (publish_id, model);
create index restatements_by_period on audit.restatements (period_start, model);

-- What lies behind the restatements of one model by one publish.
create table audit.restatement_causes (
    publish_id bigint not null references audit.publishes,
    model text not null,
    cause text not null,
    loads jsonb not null,
    changed_code text[] not null,
    primary key (publish_id, model)
);

create view marts.restatements as
select
    restatements.restatement_id,
    restatements.publish_id,
    publishes.run_id,
    restatements.model,
    restatements.row_key,
    restatements.period_key,
    restatements.described_as,
    restatements.breakdown,
    restatements.figure,
    causes.cause,
    causes.loads,
    causes.changed_code,
    restatements.old_value,
    restatements.new_value,
    restatements.new_value - restatements.old_value as change,
    publishes.kind = 'rollback' as is_rollback,
    restatements.period_start,
    restatements.period_end,
    publishes.published_at as restated_at
from audit.restatements as restatements
inner join audit.publishes as publishes
    on publishes.publish_id = restatements.publish_id
inner join audit.restatement_causes as causes
    on causes.publish_id = restatements.publish_id
    and causes.model = restatements.model;

comment on view marts.restatements is
'One row per publish (or rollback) and published figure of a closed period that it '
'changed: from what to what, and because of what. Which figures of which models, and '
'when a period is closed, says meta.restated of the model. Confidential pools are left '
'out: the difference of two versions would tell what one person answered.';
comment on column marts.restatements.restatement_id is 'Number of the row, the key.';
comment on column marts.restatements.publish_id is
'The publish or rollback that changed the figure (audit.publishes).';
comment on column marts.restatements.run_id is 'The run that published.';
comment on column marts.restatements.model is
'The mart, by the name that it had then; it may have left the project since.';
comment on column marts.restatements.row_key is
'Key of the row in that mart, e.g. score_period_key of experience_scores.';
comment on column marts.restatements.period_key is
'The period, e.g. month:2026-10-01, or day:2026-10-07 of a cohort.';
comment on column marts.restatements.described_as is
'What the figure is broken down by, for people: survey_kind relational, …';
comment on column marts.restatements.breakdown is
'The same by name, for filters: breakdown ->> ''survey_kind''.';
comment on column marts.restatements.figure is
'Column of the mart that changed, e.g. score.';
comment on column marts.restatements.cause is
'What changed between this version and the one before, corrections first: loads of the '
'feeds that the mart rests on, changed code or seeds, a rollback.';
comment on column marts.restatements.loads is
'These loads: load_id, feed, batch_date, and whether it came, went or was read again. '
'Every load that could have changed the mart, not only those that did.';
comment on column marts.restatements.changed_code is
'Models, functions and seeds below the mart whose own code changed. Empty: none.';
comment on column marts.restatements.old_value is
'Figure before. Null: there was none (the row appeared late, or was empty).';
comment on column marts.restatements.new_value is
'Figure since. Null: there is none any more (the row vanished, or is empty).';
comment on column marts.restatements.change is
'New value minus old value. Null: there was none before, or is none since.';
comment on column marts.restatements.is_rollback is
'The version before was brought back; the next publish restates the figure again.';
comment on column marts.restatements.period_start is 'First day of the period.';
comment on column marts.restatements.period_end is 'Last day, inclusive.';
comment on column marts.restatements.restated_at is 'When it was published.';

-- Which version marts show: that of the last publish which no rollback took back.
create view audit.shown_version as
select
    publishes.publish_id,
    publishes.build_id,
    publishes.run_id,
    publishes.published_at,
    publishes.first_date,
    publishes.as_of_date,
    -- null: nobody went back to it, it is simply the last one
    (
        select max(later.published_at) from audit.publishes as later
        where later.publish_id > publishes.publish_id and later.kind = 'rollback'
    ) as rolled_back_at
from audit.publishes as publishes
where publishes.kind = 'publish' and publishes.undone_by is null
order by publishes.publish_id desc
limit 1;

-- As before, with the version that is shown.
create or replace view marts.data_status as
select
    as_of.source,
    as_of.role,
    as_of.as_of_date,
    loads.latest_batch_date,
    coalesce(loads.rows_loaded, 0) as rows_loaded,
    coalesce(loads.rows_rejected, 0) as rows_rejected,
    coalesce(loads.rows_quarantined, 0) as rows_quarantined,
    coalesce(unmatched.rows, 0) as unmatched_identities,
    coalesce(unmapped.rows, 0) as unmapped_events,
    coalesce(loads.held_loads, 0) as held_loads,
    coalesce(failures.failed_feeds, 0) as failed_feeds,
    failures.last_failure,
    gates.last_gate,
    shown.published_at,
    shown.rolled_back_at
from audit.as_of as as_of
left join (
    select
        split_part(feed, '.', 1) as source,
        max(batch_date) filter (where status = 'accepted') as latest_batch_date,
        sum(rows_loaded) filter (where status = 'accepted') as rows_loaded,
        sum(rows_rejected) filter (where status = 'accepted') as rows_rejected,
        sum(rows_quarantined) filter (where status = 'accepted') as rows_quarantined,
        count(*) filter (where status = 'held') as held_loads
    from audit.loads
    group by 1
) as loads on loads.source = as_of.source
left join audit.source_counts as unmatched
    on unmatched.source = as_of.source and unmatched.measure = 'unmatched_identities'
left join audit.source_counts as unmapped
    on unmapped.source = as_of.source and unmapped.measure = 'unmapped_events'
left join (
    select
        split_part(feed, '.', 1) as source,
        count(distinct (feed, batch_date)) as failed_feeds,
        (array_agg(message order by failure_id desc))[1] as last_failure
    from audit.feed_failures
    where resolved_at is null
    group by 1
) as failures on failures.source = as_of.source
cross join (
    select
        max(case when gate_results.gate = 'marts' then
            case when gate_results.is_met or gate_results.severity <> 'critical'
                then 'passed' else 'stopped' end
        end) as last_gate
    from audit.gate_results
    where gate_results.run_id = (
        select latest.run_id from audit.gate_results as latest
        where latest.gate = 'marts' order by latest.result_id desc limit 1
    )
) as gates
left join audit.shown_version as shown on true;

comment on column marts.data_status.published_at is
'When the version that marts show was published.';
comment on column marts.data_status.rolled_back_at is
'When somebody went back to that version (make rollback): figures are of then, also '
'where the loads say more. Null: it is the last one; the next publish ends a rollback.';
