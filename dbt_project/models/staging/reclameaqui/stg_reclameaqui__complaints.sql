-- Some exports swap day and month wherever the day could be a month. What tells is the order
-- of the numbers, which the site gives as complaints come: of the two ways to read such
-- dates, one goes along with it. A file is read in one way or the other, since one
-- program wrote it; where neither way is at least twice as smooth, its doubtful dates are
-- set aside (docs/sources.md).
with

complaints as (
    select
        complaints.complaint_id as natural_key,
        {{ parse_word('complaints.place') }} as place,
        complaints.categories,
        concat_ws(e'\n', complaints.title, complaints.description) as comment_text,
        complaints.status as sent_status,
        {{ parse_listed('complaints.status', {
            'new': ['Não respondida'],
            'open': ['Em réplica', 'Réplica', 'Não resolvido', 'Não resolvida'],
            'pending': ['Respondida', 'Respondido'],
            'solved': ['Resolvido', 'Resolvida'],
            'closed': ['Finalizada', 'Encerrada', 'Cancelada', 'Desativada'],
        }) | indent(8) }} as ticket_status,
        complaints.complaint_date as sent_date,
        coalesce(
            {{ parse_day('complaints.complaint_date') | indent(12) }},
            {{ parse_local_date('complaints.complaint_date', declared('reclameaqui', 'date_order')) | indent(12) }}
        ) as written_date,
        {{ lineage('complaints') | indent(8) }}
    from {{ source('reclameaqui', 'complaints') }} as complaints
    {{ join_frozen_loads('complaints') | indent(4) }}
),

dates_swapped as (
    select
        *,
        case
            when extract(day from written_date) <= 12
                then make_date(
                    cast(extract(year from written_date) as integer),
                    cast(extract(day from written_date) as integer),
                    cast(extract(month from written_date) as integer)
                )
            else written_date
        end as swapped_date
    from complaints
),

-- From complaint to complaint, in the order of their numbers.
steps as (
    select
        *,
        swapped_date <> written_date as is_doubtful,
        case
            when swapped_date <> written_date or lag(swapped_date <> written_date) over numbers
                then abs(written_date - lag(written_date) over numbers)
        end as written_step,
        case
            when swapped_date <> written_date or lag(swapped_date <> written_date) over numbers
                then abs(swapped_date - lag(swapped_date) over numbers)
        end as swapped_step
    from dates_swapped
    window numbers as (
        partition by _load_id, _file_no
        order by length(natural_key), natural_key collate "C", _row_number
    )
),

-- Where no date of a file is certain, the night that brought it is the last step.
ways as (
    select
        *,
        coalesce(sum(written_step) over file, 0) + case
            when bool_and(is_doubtful) over file then min(abs(_batch_date - written_date)) over file
            else 0
        end as written_way,
        coalesce(sum(swapped_step) over file, 0) + case
            when bool_and(is_doubtful) over file then min(abs(_batch_date - swapped_date)) over file
            else 0
        end as swapped_way
    from steps
    window file as (partition by _load_id, _file_no)
),

dates_read as (
    select
        *,
        is_doubtful and swapped_way * 2 < written_way as is_day_month_swapped,
        case
            when not is_doubtful or written_way * 2 < swapped_way then written_date
            when swapped_way * 2 < written_way then swapped_date
        end as complaint_date,
        lag(ticket_status) over versions is distinct from ticket_status as is_new_status
    from ways
    window versions as (
        partition by _source_name, natural_key order by _batch_date, _file_no, _row_number
    )
),

-- No export says when a complaint was answered or resolved: by the night that first says so.
statuses_dated as (
    select
        *,
        max(case when is_new_status then _batch_date end) over (
            partition by _source_name, natural_key
            order by _batch_date, _file_no, _row_number
        ) as status_date
    from dates_read
),

source as (
    select
        *,
        {{ local_midnight('complaint_date', declared('reclameaqui', 'time_zone')) }} as created_at,
        greatest(
            {{ local_midnight('status_date', declared('reclameaqui', 'time_zone')) }},
            {{ local_midnight('complaint_date', declared('reclameaqui', 'time_zone')) }}
        ) as updated_at
    from statuses_dated
)

select
    natural_key,
    natural_key as ticket_id,
    {{ not_sent('tickets', ['requester_id', 'assignee_id', 'group_id', 'organization_id']) }},
    'complaint_site' as ticket_channel,
    sent_status,
    ticket_status,
    {{ not_sent('tickets', ['priority']) }},
    'problem' as ticket_type,
    {{ not_sent('tickets', ['satisfaction_score', 'revision', 'is_sla_met']) }},
    jsonb_build_object('categories', categories) as fields,
    comment_text,
    place,
    categories,
    is_doubtful as is_day_month_doubtful,
    is_day_month_swapped,
    true as is_update_dated_by_export,
    written_date,
    complaint_date,
    created_at,
    updated_at,
    {{ quarantine_columns([
            ['natural_key', 'natural_key'],
            ['sent_status', 'ticket_status'],
            ['sent_date', 'complaint_date'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from source
