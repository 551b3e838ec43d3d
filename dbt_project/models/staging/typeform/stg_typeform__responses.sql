select
    natural_key,
    response_id,
    survey_id,
    invitation_id,
    contact_reference,
    email,
    {{ not_sent('responses', ['collection_channel']) }},
    language,
    ticket_id,
    order_id,
    delivery_id,
    touchpoint_parameter,
    'answer' as response_status,
    answers,
    is_finished,
    is_dated_by_export,
    recorded_at,
    {{ quarantine_columns([
            ['response_id', 'response_id'],
            ['sent_recorded', 'recorded_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        responses.record ->> 'response_id' as natural_key,
        responses.record ->> 'response_id' as response_id,
        responses._file_stem as survey_id,
        responses.record ->> 'invitation_id' as invitation_id,
        responses.record ->> 'contact_reference' as contact_reference,
        lower(trim(responses.record ->> 'email')) as email,
        lower(responses.record ->> 'language') as language,
        responses.record ->> 'ticket_id' as ticket_id,
        responses.record ->> 'order_id' as order_id,
        responses.record ->> 'delivery_id' as delivery_id,
        responses.record ->> 'touchpoint' as touchpoint_parameter,
        responses.record as answers,
        case
            when responses.record ? 'response_type'
                then coalesce(lower(responses.record ->> 'response_type') = 'completed', false)
            when responses.record ? 'submitted_at'
                then responses.record ->> 'submitted_at' is not null
            else true
        end as is_finished,
        not responses.record ?| array['submitted_at', 'staged_at', 'started_at'] as is_dated_by_export,
        case
            when responses.record ?| array['submitted_at', 'staged_at', 'started_at']
                then coalesce(responses.record ->> 'submitted_at', responses.record ->> 'staged_at', responses.record ->> 'started_at')
            else cast(build_loads.batch_date as text)
        end as sent_recorded,
        case
            when responses.record ?| array['submitted_at', 'staged_at', 'started_at']
                then {{ parse_export_timestamp(
                    "coalesce(responses.record ->> 'submitted_at', responses.record ->> 'staged_at', responses.record ->> 'started_at')",
                    declared('typeform', 'date_order'),
                    declared('typeform', 'time_zone'),
                ) }}
            else {{ start_of_reporting_date('build_loads.batch_date') }}
        end as recorded_at,
        {{ lineage('responses') | indent(4) }}
    from {{ source('typeform', 'responses') }} as responses
    {{ join_frozen_loads('responses') | indent(4) }}
) as source
