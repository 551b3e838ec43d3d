select
    natural_key,
    invitation_id,
    survey_id,
    survey_contact_id,
    contact_reference,
    email,
    invitation_channel,
    invitation_status,
    response_id,
    trigger_event_id,
    sent_at,
    delivered_at,
    opened_at,
    started_at,
    finished_at,
    {{ quarantine_columns([
            ['invitation_id', 'invitation_id'],
            ['sent_sent', 'sent_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        {{ natural_key(['distributions.distribution_id', 'distributions.contact_id']) }} as natural_key,
        distributions.distribution_id || ':' || distributions.contact_id as invitation_id,
        distributions.survey_id,
        distributions.contact_id as survey_contact_id,
        distributions.external_data_reference as contact_reference,
        lower(trim(distributions.email)) as email,
        case lower(distributions.channel)
            when 'email' then 'e-mail'
            when 'sms' then 'SMS'
            when 'whatsapp' then 'WhatsApp'
            else lower(distributions.channel)
        end as invitation_channel,
        case
            when lower(distributions.status)
                in ('sent', 'delivered', 'failed', 'bounced', 'opened', 'started', 'finished')
                then lower(distributions.status)
            else 'other'
        end as invitation_status,
        distributions.response_id,
        case
            when distributions.trigger_ticket_id is not null
                then 'ticket:' || distributions.trigger_ticket_id
            when distributions.trigger_order_id is not null
                then 'order:' || distributions.trigger_order_id
            when distributions.trigger_delivery_id is not null
                then 'delivery:' || distributions.trigger_delivery_id
        end as trigger_event_id,
        distributions.sent_at as sent_sent,
        {{ parse_timestamp('distributions.sent_at') }} as sent_at,
        {{ parse_timestamp('distributions.delivered_at') }} as delivered_at,
        {{ parse_timestamp('distributions.opened_at') }} as opened_at,
        {{ parse_timestamp('distributions.response_started_at') }} as started_at,
        {{ parse_timestamp('distributions.response_completed_at') }} as finished_at,
        {{ lineage('distributions') | indent(4) }}
    from {{ source('qualtrics', 'distributions') }} as distributions
    {{ join_frozen_loads('distributions') | indent(4) }}
) as source
