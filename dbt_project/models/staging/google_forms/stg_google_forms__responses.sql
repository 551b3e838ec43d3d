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
    true as is_finished,
    false as is_dated_by_export,
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
        responses._identity as natural_key,
        responses._identity as response_id,
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
        responses.record ->> 'submitted_at' as sent_recorded,
        {{ parse_export_timestamp(
            "(responses.record ->> 'submitted_at')",
            declared('google_forms', 'date_order'),
            declared('google_forms', 'time_zone'),
        ) }} as recorded_at,
        {{ lineage('responses') | indent(4) }}
    from {{ source('google_forms', 'responses') }} as responses
    {{ join_frozen_loads('responses') | indent(4) }}
) as source
