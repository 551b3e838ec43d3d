{% set rebuild_when %}{% raw %}
    select key from {{ dirty_input('contacts') }} as changed_contacts
{% endraw %}{% endset %}

{{ config(
    unique_key=['contact_id', 'valid_from'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'contact_id'},
    indexes=[{'columns': ['contact_id']}],
) }}

with

contact_states as (
    select *
    from {{ staged('contacts') }} as staged
),

-- One state per contact and night, should it be sent twice.
states_ranked as (
    select
        *,
        row_number() over (
            partition by natural_key, _batch_date
            order by updated_at desc nulls last, _file_no desc, _row_number desc
        ) as state_rank
    from contact_states
),

states_compared as (
    select
        contact_id,
        _batch_date,
        lifecycle_stage,
        segment,
        country_name,
        language,
        preferred_channel,
        is_unsubscribed,
        is_survey_opt_out,
        lag(_batch_date) over state_order is null as is_first,
        (lifecycle_stage, segment, country_name, language, preferred_channel, is_unsubscribed, is_survey_opt_out)
        is distinct from (
            lag(lifecycle_stage) over state_order,
            lag(segment) over state_order,
            lag(country_name) over state_order,
            lag(language) over state_order,
            lag(preferred_channel) over state_order,
            lag(is_unsubscribed) over state_order,
            lag(is_survey_opt_out) over state_order
        ) as is_changed
    from states_ranked
    where state_rank = 1
    window state_order as (partition by contact_id order by _batch_date)
),

-- Before the first night that shows a contact, its first state holds.
versions as (
    select
        contact_id,
        case when is_first then cast('1900-01-01' as date) else _batch_date end as valid_from,
        coalesce(
            lead(_batch_date) over (partition by contact_id order by _batch_date),
            cast('9999-12-31' as date)
        ) as valid_to,
        lifecycle_stage,
        segment,
        country_name,
        language,
        preferred_channel,
        not coalesce(is_unsubscribed, false) as may_be_contacted,
        not coalesce(is_survey_opt_out, false) as may_be_surveyed
    from states_compared
    where is_first or is_changed
)

select * from versions
