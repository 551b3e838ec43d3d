-- How many rows each published table has, and when they last changed: noted by publish
-- and rollback as they swap rows, so that nobody has to count a large table.
create table audit.published_tables (
    model text primary key,
    rows bigint not null check (rows >= 0),
    changed_at timestamptz not null
);

-- Can I trust this table today? `marts.data_status` asks it of the sources.
create view marts.mart_status as
select
    models.model as mart,
    resting.sources,
    resting.as_of_date,
    resting.behind_sources,
    tables.rows,
    tables.changed_at,
    gates.last_gate,
    shown.published_at,
    shown.rolled_back_at
from audit.models as models
left join audit.published_tables as tables on tables.model = models.model
left join lateral (
    select
        string_agg(as_of.source, ', ' order by as_of.source) as sources,
        -- null: a source has not come at all
        case when count(*) = count(as_of.as_of_date) then min(as_of.as_of_date) end
            as as_of_date,
        string_agg(as_of.source, ', ' order by as_of.source) filter (
            where as_of.as_of_date is null or as_of.as_of_date < newest.as_of_date
        ) as behind_sources
    from audit.as_of as as_of
    cross join (select max(as_of_date) as as_of_date from audit.as_of) as newest
    where exists (
        select from unnest(models.rests_on) as resting (name)
        where split_part(resting.name, '.', 1) = split_part(as_of.source, '@', 1)
            and resting.name like '%.%'
    )
) as resting on true
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
left join audit.shown_version as shown on true
where models.is_published
    and to_regclass('marts.' || quote_ident(models.model)) is not null;

comment on view marts.mart_status is
    'One row per published table or view: the sources that it rests on, and how far they have come.';
comment on column marts.mart_status.mart is 'Name of the table or view in marts.';
comment on column marts.mart_status.sources is
    'Sources that it rests on, directly or not. Null: on seeds alone.';
comment on column marts.mart_status.as_of_date is
    'Last day that all its sources have sent without a gap. Null: one has sent nothing, or it rests on none.';
comment on column marts.mart_status.behind_sources is
    'Those of its sources that have not come as far as the newest of all. Null: none.';
comment on column marts.mart_status.rows is 'Rows of the table. Null: a view.';
comment on column marts.mart_status.changed_at is
    'When a publish or a rollback last changed its rows. Null: a view.';
comment on column marts.mart_status.last_gate is
    'What gate 2 said of the last build that it checked: passed or stopped; stopped: older rows are shown.';
comment on column marts.mart_status.published_at is 'When the version that marts show was published.';
comment on column marts.mart_status.rolled_back_at is
    'When somebody went back to that version. Null: nobody did.';
