{#
    The stages that opportunities came to, as activities. All rows of an opportunity are read
    together, so that one which comes late changes what those around it mean; therefore each
    activity carries the lineage of the opportunity's newest row.
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
        natural_key,
        natural_key || '/stage/' || row_number() over (
            partition by natural_key, _source_name
            order by changed_at, _batch_date, _file_no, _row_number
        ) as activity_id,
        contact_id,
        company_id,
        {{ not_sent('activities', ['visitor_id', 'direction', 'store']) | indent(8) }},
        'DEAL_STAGE' as activity_type,
        stage_name as event,
        is_deleted,
        changed_at as occurred_at,
        is_quarantined,
        quarantine_reason,
        newest_batch_date as _batch_date,
        newest_load_id as _load_id,
        newest_file_no as _file_no,
        newest_row_number as _row_number,
        _source_name
    from history_told_once
    where is_another_stage
)

select * from stage_changes
