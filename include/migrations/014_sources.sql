-- A role that no source has on (CX_SOURCES) is told too: what rests on it is empty, or
-- stays as it was.
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
from (
    select source, role, as_of_date from audit.as_of
    union all
    select format('(no %s source)', missing.role), missing.role, null
    from unnest(array['crm', 'survey', 'ticket']) as missing (role)
    where missing.role not in (select known.role from audit.as_of as known)
        and exists (select from audit.builds)
) as as_of
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
