select
    natural_key,
    response_id,
    survey_id,
    invitation_id,
    contact_reference,
    email,
    collection_channel,
    language,
    ticket_id,
    order_id,
    delivery_id,
    touchpoint_parameter,
    response_status,
    answers,
    is_finished,
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
        responses.record ->> 'ResponseId' as natural_key,
        responses.record ->> 'ResponseId' as response_id,
        responses._file_stem as survey_id,
        responses.record ->> 'invitation_id' as invitation_id,
        responses.record ->> 'ExternalReference' as contact_reference,
        lower(trim(responses.record ->> 'RecipientEmail')) as email,
        case lower(responses.record ->> 'DistributionChannel')
            when 'email' then 'e-mail'
            when 'sms' then 'SMS'
            when 'whatsapp' then 'WhatsApp'
            when 'qr' then 'QR'
            when 'anonymous' then 'web'
            else lower(responses.record ->> 'DistributionChannel')
        end as collection_channel,
        lower(responses.record ->> 'UserLanguage') as language,
        responses.record ->> 'ticket_id' as ticket_id,
        responses.record ->> 'order_id' as order_id,
        responses.record ->> 'delivery_id' as delivery_id,
        responses.record ->> 'touchpoint' as touchpoint_parameter,
        case responses.record ->> 'Status'
            when 'Survey Test' then 'test'
            when '2' then 'test'
            when 'Survey Preview' then 'preview'
            when '1' then 'preview'
            when 'Spam' then 'spam'
            when '8' then 'spam'
            else 'answer'
        end as response_status,
        responses.record as answers,
        {{ parse_boolean("responses.record ->> 'Finished'") }} as is_finished,
        responses.record ->> 'RecordedDate' as sent_recorded,
        {{ parse_timestamp("(responses.record ->> 'RecordedDate')") }} as recorded_at,
        {{ lineage('responses') | indent(4) }}
    from {{ source('qualtrics', 'responses') }} as responses
    {{ join_frozen_loads('responses') | indent(4) }}
) as source
