{#
    What the star takes in, and from whom. Each input is a table of one shape, whatever
    vendor it comes from: a system's staging views of that shape are listed under it, and
    models read all that are switched on as one (`staged`), version by version.

    Which systems are on is a setting (CX_SOURCES). A system may be there several times:
    `zendesk@acme` is another instance of it, with exports and record numbers of its own.

    A record's number, in the star, is the vendor's own in the home source of its role (the
    first that CX_SOURCES names), since that is how other systems refer to it; elsewhere it
    is `<source>/<number>`. The columns under `numbers` are numbers of records of the same
    source; those under `references` are numbers of records of another role's source: of the
    instance of the same name (zendesk@acme means contacts of hubspot@acme), else of the home
    source of that role. Where the role is `any`, the column is an event: `<kind>:<number>`.
    `whole_lists` names the systems that say what is gone by leaving it out of the
    list; the others say it in `is_deleted`. `gathered` names the views that make one record
    of many rows: such a view is read key by key, since a join would come after the gathering.

    Of the rows of a record the latest version counts; it may tell of several activities. In
    `contact_merges` a record may say of several numbers that they are one contact: there
    the latest row of each number counts.
#}
{% macro star_inputs() -%}
    {{ return({
        'companies': {
            'from': {'hubspot': 'companies', 'salesforce': 'accounts'},
            'whole_lists': ['hubspot'],
            'numbers': {'company_id': 'text'},
            'columns': {
                'company_name': 'text', 'industry': 'text', 'country_name': 'text',
                'employees': 'bigint', 'is_deleted': 'boolean',
                'created_at': 'timestamp with time zone',
                'updated_at': 'timestamp with time zone',
            },
        },
        'contacts': {
            'from': {
                'hubspot': 'contacts',
                'olist': {
                    'customers': 'customers',
                    'sellers': 'sellers',
                    'marketing_qualified_leads': 'marketing_qualified_leads',
                },
                'salesforce': {'contacts': 'contacts', 'leads': 'leads'},
                'telco': 'customers',
            },
            'whole_lists': ['hubspot', 'telco'],
            'numbers': {
                'contact_id': 'text', 'company_id': 'text', 'merged_into_id': 'text',
            },
            'columns': {
                'email': 'text', 'country_name': 'text', 'language': 'text',
                'lifecycle_stage': 'text', 'segment': 'text', 'preferred_channel': 'text',
                'original_source': 'text', 'merged_object_ids': 'text',
                'is_unsubscribed': 'boolean', 'is_survey_opt_out': 'boolean',
                'is_deleted': 'boolean', 'created_at': 'timestamp with time zone',
                'became_customer_at': 'timestamp with time zone',
                'updated_at': 'timestamp with time zone',
            },
        },
        'contact_merges': {
            'from': {'olist': {'customers': 'customers', 'closed_deals': 'closed_deals'}},
            'numbers': {'contact_id': 'text', 'merged_contact_id': 'text'},
            'columns': {},
        },
        'activities': {
            'from': {
                'hubspot': 'activities',
                'olist': {
                    'first_contacts': 'marketing_qualified_leads',
                    'won_deals': 'closed_deals',
                },
                'salesforce': {
                    'opportunity_events': 'opportunities',
                    'stage_changes': 'opportunity_history',
                },
            },
            'gathered': ['stg_salesforce__stage_changes'],
            'numbers': {
                'activity_id': 'text', 'contact_id': 'text', 'company_id': 'text',
                'visitor_id': 'text',
            },
            'columns': {
                'activity_type': 'text', 'event': 'text', 'direction': 'text',
                'store': 'text', 'is_deleted': 'boolean',
                'occurred_at': 'timestamp with time zone',
            },
        },
        'orders': {
            'from': {'hubspot': 'orders'},
            'numbers': {'order_id': 'text', 'order_name': 'text', 'contact_id': 'text'},
            'columns': {
                'order_status': 'text', 'sales_channel': 'text',
                'store': 'text', 'product_line': 'text', 'currency': 'text',
                'total_amount': 'numeric', 'net_amount': 'numeric',
                'ordered_at': 'timestamp with time zone',
            },
        },
        'deliveries': {
            'from': {'hubspot': 'deliveries'},
            'numbers': {'delivery_id': 'text', 'order_id': 'text', 'contact_id': 'text'},
            'columns': {
                'delivery_method': 'text', 'carrier': 'text', 'delivery_status': 'text',
                'promised_date': 'date', 'shipped_at': 'timestamp with time zone',
                'delivered_at': 'timestamp with time zone',
            },
        },
        'returns': {
            'from': {'hubspot': 'returns'},
            'numbers': {'return_id': 'text', 'order_id': 'text', 'contact_id': 'text'},
            'columns': {
                'return_reason': 'text', 'currency': 'text', 'refund_amount': 'numeric',
                'returned_at': 'timestamp with time zone',
            },
        },
        'organizations': {
            'from': {'zendesk': 'organizations', 'zendesk_tables': 'organizations'},
            'numbers': {'organization_id': 'text'},
            'references': {'company_reference': 'crm'},
            'columns': {
                'company_reference': 'text', 'organization_name': 'text',
                'updated_at': 'timestamp with time zone',
            },
        },
        'users': {
            'from': {'zendesk': 'users', 'zendesk_tables': 'users'},
            'numbers': {'user_id': 'text', 'organization_id': 'text', 'default_group_id': 'text'},
            'references': {'contact_reference': 'crm'},
            'columns': {
                'contact_reference': 'text', 'email': 'text', 'user_role': 'text',
                'locale': 'text', 'is_active': 'boolean',
                'updated_at': 'timestamp with time zone',
            },
        },
        'tickets': {
            'from': {
                'zendesk': 'tickets',
                'zendesk_tables': 'tickets',
                'servicenow': 'incidents',
                'reclameaqui': 'complaints',
            },
            'numbers': {
                'ticket_id': 'text', 'requester_id': 'text', 'assignee_id': 'text',
                'group_id': 'text', 'organization_id': 'text',
            },
            'columns': {
                'ticket_channel': 'text', 'ticket_status': 'text', 'priority': 'text',
                'ticket_type': 'text', 'satisfaction_score': 'text', 'revision': 'bigint',
                'created_at': 'timestamp with time zone',
                'updated_at': 'timestamp with time zone',
            },
        },
        'ticket_audits': {
            'from': {
                'zendesk': 'ticket_audits',
                'zendesk_tables': {
                    'ticket_comments': 'ticket_comments',
                    'ticket_field_changes': 'ticket_field_history',
                    'satisfaction_ratings': 'satisfaction_ratings',
                },
                'servicenow': {'incident_changes': 'incidents'},
            },
            'gathered': ['stg_zendesk_tables__ticket_field_changes', 'stg_servicenow__incident_changes'],
            'numbers': {'audit_id': 'text', 'ticket_id': 'text', 'author_id': 'text'},
            'columns': {
                'audit_channel': 'text', 'audit_relation': 'text', 'events': 'jsonb',
                'created_at': 'timestamp with time zone',
            },
        },
        'distributions': {
            'from': {'qualtrics': 'distributions'},
            'numbers': {'invitation_id': 'text', 'survey_id': 'text', 'response_id': 'text'},
            'references': {'contact_reference': 'crm', 'trigger_event_id': 'any'},
            'columns': {
                'survey_contact_id': 'text', 'contact_reference': 'text', 'email': 'text',
                'invitation_channel': 'text', 'invitation_status': 'text',
                'trigger_event_id': 'text', 'sent_at': 'timestamp with time zone',
                'delivered_at': 'timestamp with time zone',
                'opened_at': 'timestamp with time zone',
                'started_at': 'timestamp with time zone',
                'finished_at': 'timestamp with time zone',
            },
        },
        'responses': {
            'from': {
                'qualtrics': 'responses', 'surveymonkey': 'responses',
                'typeform': 'responses', 'google_forms': 'responses',
            },
            'numbers': {'response_id': 'text', 'survey_id': 'text', 'invitation_id': 'text'},
            'references': {
                'contact_reference': 'crm', 'ticket_id': 'ticket', 'order_id': 'crm',
                'delivery_id': 'crm',
            },
            'columns': {
                'contact_reference': 'text', 'email': 'text', 'collection_channel': 'text',
                'language': 'text', 'ticket_id': 'text', 'order_id': 'text',
                'delivery_id': 'text', 'touchpoint_parameter': 'text',
                'response_status': 'text', 'answers': 'jsonb', 'is_finished': 'boolean',
                'is_dated_by_export': 'boolean',
                'recorded_at': 'timestamp with time zone',
            },
        },
        'reviews': {
            'from': {
                'qualtrics': 'reviews', 'restaurant_reviews': 'reviews',
                'shop_reviews': 'reviews',
            },
            'numbers': {'review_id': 'text'},
            'references': {'order_number': 'crm'},
            'columns': {
                'site': 'text', 'language': 'text', 'order_number': 'text', 'store': 'text',
                'rating': 'integer', 'has_text': 'boolean', 'is_dated_by_export': 'boolean',
                'published_at': 'timestamp with time zone',
                'updated_at': 'timestamp with time zone',
                'replied_at': 'timestamp with time zone',
            },
        },
    }) }}
{%- endmacro %}

{# The sources that are switched on, in the order of the setting: hubspot, zendesk@acme. #}
{% macro sources_on() -%}
    {{ return(env_var('CX_SOURCES', 'hubspot,qualtrics,zendesk').split(',')) }}
{%- endmacro %}

{# What stands before the record numbers of a source; nothing in the home source of a role. #}
{% macro record_prefix(source_name) -%}
    {%- set homes = env_var('CX_DBT_HOME_SOURCES', 'hubspot,qualtrics,zendesk').split(',') -%}
    {{ return('' if source_name in homes else source_name ~ '/') }}
{%- endmacro %}

{# What stands before the numbers of a role's records to which a source refers. #}
{% macro related_prefix(source_name, role) -%}
    {%- set known = namespace(prefix='') -%}
    {%- for related in env_var('CX_DBT_RELATED_SOURCES', '').split(',') -%}
        {%- if related.startswith(source_name ~ '/' ~ role ~ '=') -%}
            {%- set known.prefix = record_prefix(related.split('=')[1]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(known.prefix) }}
{%- endmacro %}

{# A column of an input, as the star has it; `role` where it refers to another source. #}
{% macro refer_to_source(column, type, source_name, role=none) -%}
    {%- set crm = related_prefix(source_name, 'crm') -%}
    {%- set ticket = related_prefix(source_name, 'ticket') -%}
    {%- if role == 'any' and (crm or ticket) -%}
split_part({{ column }}, ':', 1) || ':'
            || case split_part({{ column }}, ':', 1) when 'ticket' then '{{ ticket }}' else '{{ crm }}' end
            || substr({{ column }}, strpos({{ column }}, ':') + 1)
    {%- elif role in ('crm', 'survey', 'ticket') and related_prefix(source_name, role) -%}
'{{ related_prefix(source_name, role) }}' || {{ column }}
    {%- else -%}
cast({{ column }} as {{ type }})
    {%- endif -%}
{%- endmacro %}

{# The feeds of one input that are switched on: whose, which view, what before its numbers. #}
{% macro feeds_of(input) -%}
    {%- set feeds = [] -%}
    {%- set systems = [] -%}
    {%- for source_name in sources_on() -%}
        {%- do systems.append(source_name.split('@')[0]) -%}
    {%- endfor -%}
    {%- for source_name in sources_on() -%}
        {%- set system = source_name.split('@')[0] -%}
        {%- set its_views = star_inputs()[input]['from'].get(system, {}) -%}
        {%- if its_views is string -%}{%- set its_views = {its_views: its_views} -%}{%- endif -%}
        {%- for view, feed in its_views.items() -%}
            {%- do feeds.append({
                'source_name': source_name,
                'system': system,
                'name': source_name ~ '.' ~ feed,
                'view': 'stg_' ~ system ~ '__' ~ view,
                'prefix': record_prefix(source_name),
                'has_siblings': systems.count(system) > 1,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(feeds) }}
{%- endmacro %}

{# The natural keys that changed in an input, as the star writes them. #}
{% macro dirty_input(input) -%}
(
        {%- for feed in feeds_of(input) %}
        select {% if feed.prefix %}'{{ feed.prefix }}' || {% endif %}key as key
        from {{ dirty(feed.name) }} as changed
        {%- if not loop.last %} union all {% endif %}
        {%- else %}
        select cast(null as text) as key where false
        {%- endfor %}
    )
{%- endmacro %}

{# The dates of the last lists, by feed, of the systems that send whole lists of an input. #}
{% macro last_lists(input) -%}
select
        build_loads.feed as _feed,
        max(build_loads.batch_date) as batch_date
    from {{ source('audit', 'build_loads') }} as build_loads
    where build_loads.is_current
        and build_loads.feed in (
            ''
            {%- for feed in feeds_of(input) if feed.system in star_inputs()[input].whole_lists %},
            '{{ feed.name }}'
            {%- endfor %}
        )
    group by build_loads.feed
{%- endmacro %}

{#
    The versions of an input's records that the model rebuilds, from all sources that are on:
    the sound rows of their staging views, of the same columns and types; none where no
    source is on.
#}
{% macro staged(input) -%}
    {%- set shape = star_inputs()[input] -%}
(
        {%- for feed in feeds_of(input) %}
        select
            {% if feed.prefix %}'{{ feed.prefix }}' || {% endif %}natural_key as natural_key,
            {%- for column, type in shape.numbers.items() %}
            {% if feed.prefix %}'{{ feed.prefix }}' || {% endif %}{{ column }} as {{ column }},
            {%- endfor %}
            {%- for column, type in shape['columns'].items() %}
            {{ refer_to_source(
                column, type, feed.source_name, shape.get('references', {}).get(column)
            ) }} as {{ column }},
            {%- endfor %}
            '{{ feed.source_name }}' as source_name,
            '{{ feed.name }}' as _feed,
            _batch_date,
            _file_no,
            _row_number
        from {{ ref(feed.view) }}
        where not is_quarantined
            and {{ to_rebuild(
                'natural_key', prefix=feed.prefix, by_index=feed.view in shape.get('gathered', [])
            ) | indent(8) }}
            {%- if feed.has_siblings %}
            and _source_name = '{{ feed.source_name }}'
            {%- endif %}
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- else %}
        select
            cast(null as text) as natural_key,
            {%- for column, type in (shape.numbers.items() | list) + (shape['columns'].items() | list) %}
            cast(null as {{ type }}) as {{ column }},
            {%- endfor %}
            cast(null as text) as source_name,
            cast(null as text) as _feed,
            cast(null as date) as _batch_date,
            cast(null as integer) as _file_no,
            cast(null as bigint) as _row_number
        where false
        {%- endfor %}
    )
{%- endmacro %}

{# Columns of an input that a staging view's source does not send: nulls of their types. #}
{% macro not_sent(input, columns) -%}
    {%- set shape = star_inputs()[input] -%}
    {%- for column in columns -%}
cast(null as {{ shape['columns'].get(column) or shape.numbers[column] }}) as {{ column }}
        {%- if not loop.last %},
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# The source that a record's number belongs to: the one before it, else the home source. #}
{% macro source_of_number(number, input) -%}
    {%- set home = feeds_of(input) | rejectattr('prefix') | map(attribute='source_name') | first -%}
case
        {%- for feed in feeds_of(input) | selectattr('prefix') %}
        when starts_with({{ number }}, '{{ feed.prefix }}') then '{{ feed.source_name }}'
        {%- endfor %}
        when {{ number }} is not null then '{{ home }}'
    end
{%- endmacro %}

{# What stands before the numbers of the same source as this record's. #}
{% macro prefix_of_number(number, input) -%}
    {%- set prefixed = feeds_of(input) | selectattr('prefix') | list -%}
    {%- if prefixed -%}
case
        {%- for feed in prefixed %}
        when starts_with({{ number }}, '{{ feed.prefix }}') then '{{ feed.prefix }}'
        {%- endfor %}
        else ''
    end
    {%- else -%}
''
    {%- endif -%}
{%- endmacro %}
