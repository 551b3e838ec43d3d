{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('ticket_audits') }} as changed_audits
{% endraw %}{% endset %}

{{ config(
    unique_key=['audit_id', 'audit_event_key'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'audit_id',
        'marks': ['ticket_id'],
    },
    indexes=[
        {'columns': ['audit_id']},
        {'columns': ['ticket_id']},
        {'columns': ['author_id']},
    ],
) }}

with

audit_versions as (
    select
        *,
        {{ version_rank() }} as version_rank
    from {{ staged('ticket_audits') }} as staged
),

listed_events as (
    select
        audits.audit_id,
        audits.ticket_id,
        {{ prefix_of_number('audits.audit_id', 'ticket_audits') | indent(8) }} as record_prefix,
        audits.author_id as audit_author_id,
        audits.audit_channel,
        audits.events @> '[{"type": "Create"}]' as is_creation,
        -- Zendesk closes a merged ticket by an ordinary change and leaves a tag.
        coalesce(audits.audit_relation = 'merge', false) or jsonb_path_exists(
            audits.events,
            '$[*] ? (@.field_name == "tags" && @.value like_regex "closed_by_merge")'
        ) as is_merge,
        listed.event,
        listed.event_number,
        audits.created_at as occurred_at
    from audit_versions as audits
    cross join lateral jsonb_array_elements(
        case jsonb_typeof(audits.events) when 'array' then audits.events else '[]' end
    ) with ordinality as listed (event, event_number)
    where audits.version_rank = 1
),

-- What customers and agents wrote stays in raw: of a comment only that it was made.
events_read as (
    select
        listed_events.audit_id || ':' || listed_events.event_number as audit_event_key,
        listed_events.audit_id,
        listed_events.ticket_id,
        coalesce(
            listed_events.record_prefix || (listed_events.event ->> 'author_id'),
            listed_events.audit_author_id
        ) as author_id,
        case
            when listed_events.event ->> 'type' in ('Comment', 'VoiceComment', 'FacebookComment')
                then 'comment'
            when listed_events.event ->> 'type' = 'SatisfactionRating' then 'change'
            when listed_events.event ->> 'type' in ('Create', 'Change')
                and listed_events.event ->> 'field_name' in (
                    'status', 'group_id', 'assignee_id', 'priority', 'satisfaction_score'
                )
                then lower(listed_events.event ->> 'type')
        end as audit_event_type,
        case listed_events.event ->> 'type'
            when 'SatisfactionRating' then 'satisfaction_score'
            when 'Create' then listed_events.event ->> 'field_name'
            when 'Change' then listed_events.event ->> 'field_name'
        end as field_name,
        case when listed_events.event ->> 'field_name' in ('group_id', 'assignee_id')
            then listed_events.record_prefix else ''
        end || nullif(listed_events.event ->> 'previous_value', '') as previous_value,
        case when listed_events.event ->> 'field_name' in ('group_id', 'assignee_id')
            then listed_events.record_prefix else ''
        end || nullif(
            coalesce(listed_events.event ->> 'value', listed_events.event ->> 'score'), ''
        ) as new_value,
        coalesce(
            listed_events.event #>> '{via,channel}', listed_events.audit_channel
        ) as channel,
        cast(listed_events.event_number as integer) as event_number,
        case listed_events.event ->> 'public' when 'true' then true when 'false' then false end
            as is_public,
        listed_events.is_creation,
        listed_events.is_merge,
        -- An export that tells a ticket's changes in one record dates each of them.
        coalesce(
            {{ parse_timestamp("(listed_events.event ->> 'created_at')") | indent(12) }},
            listed_events.occurred_at
        ) as occurred_at
    from listed_events
),

audit_events as (
    select *
    from events_read
    where audit_event_type is not null
)

select * from audit_events
