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
                'ticket_type': 'text', 'satisfaction_score': 'text', 'comment_text': 'text',
                'revision': 'bigint', 'fields': 'jsonb', 'is_sla_met': 'boolean',
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
                'comment_text': 'text', 'rating': 'integer', 'has_text': 'boolean',
                'is_dated_by_export': 'boolean',
                'published_at': 'timestamp with time zone',
                'updated_at': 'timestamp with time zone',
                'replied_at': 'timestamp with time zone',
            },
        },
    }) }}
{%- endmacro %}
