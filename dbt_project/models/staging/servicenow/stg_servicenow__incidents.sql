{% set date_order = declared('servicenow', 'date_order') %}
{% set time_zone = declared('servicenow', 'time_zone') %}

-- People are named in these exports, not numbered: the star sees them as keys.
select
    natural_key,
    ticket_id,
    requester_id,
    assignee_id,
    group_id,
    {{ not_sent('tickets', ['organization_id']) }},
    opened_by_id,
    updated_by_id,
    ticket_channel,
    sent_status,
    ticket_status,
    priority,
    'incident' as ticket_type,
    category,
    subcategory,
    {{ not_sent('tickets', ['satisfaction_score']) }},
    comment_text,
    revision,
    reassignments,
    reopenings,
    is_sla_met,
    created_at,
    updated_at,
    resolved_at,
    closed_at,
    {{ quarantine_columns([
            ['ticket_id', 'ticket_id'],
            ['sent_status', 'ticket_status'],
            ['sent_opened', 'created_at'],
            ['sent_updated', 'updated_at'],
    ]) }},
    _batch_date,
    _load_id,
    _file_no,
    _row_number,
    _source_name
from (
    select
        incidents.number as natural_key,
        incidents.number as ticket_id,
        {{ person_key('incidents.caller_id') }} as requester_id,
        {{ person_key('incidents.assigned_to') }} as assignee_id,
        {{ parse_word('incidents.assignment_group') }} as group_id,
        {{ person_key('incidents.opened_by') }} as opened_by_id,
        {{ person_key('incidents.sys_updated_by') }} as updated_by_id,
        {{ parse_listed('incidents.contact_type', {
            'voice': ['Phone'],
            'email': ['Email', 'E-mail'],
            'web': ['Self-service', 'Web', 'Portal'],
            'chat': ['Chat', 'Virtual agent'],
            'walk_in': ['Walk-in'],
        }) | indent(8) }} as ticket_channel,
        incidents.incident_state as sent_status,
        {{ parse_listed('incidents.incident_state', {
            'new': ['New', '1'],
            'open': ['Active', 'In Progress', 'Work in Progress', '2'],
            'pending': ['Awaiting User Info', 'Awaiting Caller', '5'],
            'hold': [
                'On Hold', 'Awaiting Problem', 'Awaiting Vendor', 'Awaiting Evidence',
                'Awaiting Change', '3', '4',
            ],
            'solved': ['Resolved', '6'],
            'closed': ['Closed', 'Canceled', 'Cancelled', '7', '8'],
        }) | indent(8) }} as ticket_status,
        {{ parse_listed('left(incidents.priority, 1)', {
            'urgent': ['1'], 'high': ['2'], 'normal': ['3'], 'low': ['4', '5'],
        }) | indent(8) }} as priority,
        concat_ws(e'\n', incidents.short_description, incidents.description) as comment_text,
        {{ parse_word('incidents.category') }} as category,
        {{ parse_word('incidents.subcategory') }} as subcategory,
        {{ parse_number('incidents.sys_mod_count', 'bigint') }} as revision,
        {{ parse_number('incidents.reassignment_count', 'integer') }} as reassignments,
        {{ parse_number('incidents.reopen_count', 'integer') }} as reopenings,
        {{ parse_boolean('incidents.made_sla') }} as is_sla_met,
        incidents.opened_at as sent_opened,
        {{ parse_export_timestamp('incidents.opened_at', date_order, time_zone) | indent(8) }} as created_at,
        incidents.sys_updated_at as sent_updated,
        {{ parse_export_timestamp('incidents.sys_updated_at', date_order, time_zone) | indent(8) }} as updated_at,
        {{ parse_export_timestamp('incidents.resolved_at', date_order, time_zone) | indent(8) }} as resolved_at,
        {{ parse_export_timestamp('incidents.closed_at', date_order, time_zone) | indent(8) }} as closed_at,
        {{ lineage('incidents') | indent(8) }}
    from {{ source('servicenow', 'incidents') }} as incidents
    {{ join_frozen_loads('incidents') | indent(4) }}
) as source
