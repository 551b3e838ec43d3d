with

source as (
    select
        concat_ws('|', distributions.distribution_id, distributions.contact_id) as natural_key,
        distributions.distribution_id || ':' || distributions.contact_id as invitation_id,
        distributions.survey_id,
        distributions.external_data_reference as contact_reference,
        lower(trim(distributions.email)) as email,
        distributions.channel as invitation_channel,
        distributions.status as invitation_status,
        distributions.response_id,
        distributions.sent_at as sent_sent,
        {{ parse_timestamp('distributions.sent_at') }} as sent_at,
        {{ parse_timestamp('distributions.delivered_at') }} as delivered_at,
        {{ parse_timestamp('distributions.opened_at') }} as opened_at,
        {{ parse_timestamp('distributions.response_started_at') }} as started_at,
        {{ parse_timestamp('distributions.response_completed_at') }} as finished_at,
        {{ lineage('distributions') | indent(4) }}
    from {{ source('qualtrics', 'distributions') }} as distributions
    {{ join_frozen_loads('distributions') | indent(4) }}
)

select
    natural_key,
    invitation_id,
    survey_id,
    contact_reference,
    email,
    invitation_channel,
    invitation_status,
    response_id,
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
    _row_number
from source
