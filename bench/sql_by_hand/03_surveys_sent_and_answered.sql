-- One row per invitation and one per response to a registered survey, with the person as the survey tool names
-- it: a reference, an address, or neither (both empty).
create temporary table invitations on commit drop as
with history as (
    select
        distribution_id || ':' || contact_id as invitation_id,
        survey_id, contact_id, external_data_reference, lower(trim(email)) as email,
        lower(channel) as channel,
        coalesce(array_position(
            array[
                'other', 'sent', 'delivered', 'failed', 'bounced', 'opened', 'started',
                'finished'
            ],
            lower(status)
        ), 1) as status_rank,
        response_id,
        case
            when trigger_ticket_id is not null then 'ticket:' || trigger_ticket_id
            when trigger_order_id is not null then 'order:' || trigger_order_id
            when trigger_delivery_id is not null
                then 'delivery:' || trigger_delivery_id
        end as trigger_event_id,
        pg_temp.as_time(sent_at) as sent_at,
        pg_temp.as_time(delivered_at) as delivered_at,
        pg_temp.as_time(opened_at) as opened_at,
        pg_temp.as_time(response_started_at) as started_at,
        pg_temp.as_time(response_completed_at) as finished_at,
        row_number() over (
            partition by distribution_id, contact_id
            order by batch_date desc, _file_no desc, _row_number desc
        ) as age
    from raw_qualtrics.distributions
    inner join audit.build_loads on load_id = _load_id and is_current
    where distribution_id is not null and contact_id is not null
        and pg_input_is_valid(sent_at, 'timestamptz')
),
-- Of each column the last value that was sent at all.
combined as (
    select
        invitation_id,
        (array_agg(survey_id order by age) filter (where survey_id is not null))[1]
            as survey_id,
        min(contact_id) as survey_contact_id,
        (
            array_agg(external_data_reference order by age)
            filter (where external_data_reference is not null)
        )[1] as reference,
        (array_agg(email order by age) filter (where email is not null))[1] as email,
        (array_agg(channel order by age) filter (where channel is not null))[1] as channel,
        (
            array_agg(trigger_event_id order by age)
            filter (where trigger_event_id is not null)
        )[1] as trigger_event_id,
        max(status_rank) as status_rank,
        min(sent_at) as sent_at,
        min(delivered_at) as delivered_at,
        min(opened_at) as opened_at,
        min(started_at) as started_at,
        min(finished_at) as finished_at
    from history
    group by invitation_id
)
select
    invitation_id, survey_id, survey_contact_id, coalesce(reference, '') as reference,
    case when email like '%@%' then email else '' end as email,
    case channel
        when 'email' then 'e-mail'
        when 'sms' then 'SMS'
        when 'whatsapp' then 'WhatsApp'
        else channel
    end as invitation_channel,
    (array[
        'other', 'sent', 'delivered', 'failed', 'bounced', 'opened', 'started', 'finished'
    ])[status_rank] as invitation_status,
    trigger_event_id, sent_at, delivered_at, opened_at, started_at, finished_at
from combined;
create index on invitations (invitation_id);
analyze invitations;

create temporary table responses on commit drop as
select distinct on (response_id) *
from (
    select
        record ->> 'ResponseId' as response_id,
        _file_stem as survey_id,
        record ->> 'invitation_id' as invitation_id,
        coalesce(record ->> 'ExternalReference', '') as reference,
        case
            when record ->> 'RecipientEmail' like '%@%'
                then lower(trim(record ->> 'RecipientEmail'))
            else ''
        end as email,
        case lower(record ->> 'DistributionChannel')
            when 'email' then 'e-mail'
            when 'sms' then 'SMS'
            when 'whatsapp' then 'WhatsApp'
            when 'qr' then 'QR'
            when 'anonymous' then 'web'
            else lower(record ->> 'DistributionChannel')
        end as collection_channel,
        lower(record ->> 'UserLanguage') as language,
        case
            when record ->> 'ticket_id' is not null
                then 'ticket:' || (record ->> 'ticket_id')
            when record ->> 'order_id' is not null
                then 'order:' || (record ->> 'order_id')
            when record ->> 'delivery_id' is not null
                then 'delivery:' || (record ->> 'delivery_id')
        end as about_event_id,
        record ->> 'touchpoint' as touchpoint_parameter,
        case
            when record ->> 'Status' in ('Survey Test', '2') then 'test'
            when record ->> 'Status' in ('Survey Preview', '1') then 'preview'
            when record ->> 'Status' in ('Spam', '8') then 'spam'
            when cast(
                pg_temp.as_time(record ->> 'RecordedDate') at time zone 'America/Sao_Paulo'
                as date
            ) not between coalesce(valid_from, '-infinity')
                and coalesce(valid_to - 1, 'infinity')
                then 'outside_validity'
            when coalesce(lower(record ->> 'Finished') not in ('true', '1', 'yes'), true)
                then 'unfinished'
        end as exclusion_reason,
        pg_temp.as_time(record ->> 'RecordedDate') as recorded_at,
        record,
        batch_date, _file_no, _row_number
    from raw_qualtrics.responses
    inner join audit.build_loads on load_id = _load_id and is_current
    inner join warehouse.surveys on survey_id = _file_stem
) as sent
where response_id is not null and recorded_at is not null
order by response_id, batch_date desc, _file_no desc, _row_number desc;
analyze responses;

-- Hashing costs microseconds: of each person once, not of each answer.
create temporary table survey_people on commit drop as
select
    reference, email,
    'respondent:' || reference || ':'
        || case when email = '' then '' else cast(cx.keyed_hash('e-mail:' || email) as text) end
        as identity_id
from (
    select reference, email from invitations
    union
    select reference, email from responses
) as people
where reference <> '' or email <> '';
analyze survey_people;
