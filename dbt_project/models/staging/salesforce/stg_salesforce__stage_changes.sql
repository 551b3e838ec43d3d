{#
    The stages that opportunities came to, as activities. All rows of an opportunity are read
    together, so that one which comes late changes what those around it mean; therefore each
    activity carries the lineage of the opportunity's newest row. Salesforce's own history
    names nobody: the opportunity does. (Its number is the key of both feeds, so that a
    change in either brings the activities here up to date.)
#}
with

history as (
    select
        *,
        first_value(_batch_date) over newest_first as newest_batch_date,
        first_value(_load_id) over newest_first as newest_load_id,
        first_value(_file_no) over newest_first as newest_file_no,
        first_value(_row_number) over newest_first as newest_row_number,
        row_number() over (
            partition by natural_key, _source_name, changed_at, stage_name
            order by _batch_date desc, _file_no desc, _row_number desc
        ) as repeat_no
    from {{ ref('stg_salesforce__opportunity_history') }}
    where not is_quarantined
    window newest_first as (
        partition by natural_key, _source_name
        order by _batch_date desc, _file_no desc, _row_number desc
    )
),

-- A version that is exported night after night is one.
history_told_once as (
    select
        *,
        lag(stage_name) over (
            partition by natural_key, _source_name
            order by changed_at, _batch_date, _file_no, _row_number
        ) is distinct from stage_name as is_another_stage
    from history
    where repeat_no = 1
),

stage_changes as (
    select
        changes.natural_key,
        changes.natural_key || '/stage/' || row_number() over (
            partition by changes.natural_key, changes._source_name
            order by
                changes.changed_at, changes._batch_date, changes._file_no, changes._row_number
        ) as activity_id,
        coalesce(changes.contact_id, opportunities.contact_id) as contact_id,
        coalesce(changes.company_id, opportunities.company_id) as company_id,
        {{ not_sent('activities', ['visitor_id', 'direction', 'store']) | indent(8) }},
        'DEAL_STAGE' as activity_type,
        changes.stage_name as event,
        changes.is_deleted or coalesce(opportunities.is_deleted, false) as is_deleted,
        changes.changed_at as occurred_at,
        changes.is_quarantined,
        changes.quarantine_reason,
        changes.newest_batch_date as _batch_date,
        changes.newest_load_id as _load_id,
        changes.newest_file_no as _file_no,
        changes.newest_row_number as _row_number,
        changes._source_name
    from history_told_once as changes
    left join lateral (
        select
            versions.contact_id,
            versions.company_id,
            versions.is_deleted
        from {{ ref('stg_salesforce__opportunities') }} as versions
        where versions.natural_key = changes.natural_key
            and versions._source_name = changes._source_name
            and not versions.is_quarantined
        order by
            versions._batch_date desc,
            versions._file_no desc,
            versions._row_number desc
        limit 1
    ) as opportunities
        on true
    where changes.is_another_stage
)

select * from stage_changes
