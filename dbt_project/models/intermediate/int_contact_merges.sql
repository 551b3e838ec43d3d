{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_contacts.contact_id') }} as changed_contacts
    union
    select key from {{ dirty_input('contact_merges') }} as changed_merges
{% endraw %}{% endset %}

{{ config(
    unique_key=['told_by', 'contact_id', 'merged_contact_id'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'told_by',
        'marks': ['contact_id', 'merged_contact_id'],
    },
    indexes=[
        {'columns': ['told_by']},
        {'columns': ['contact_id']},
        {'columns': ['merged_contact_id']},
    ],
) }}

with

contacts as (
    select
        contact_id,
        merged_object_ids,
        merged_into_id,
        {{ prefix_of_number('contact_id', 'contacts') | indent(8) }} as prefix
    from {{ ref('int_contacts') }}
    where {{ to_rebuild('contact_id') }}
),

-- The one that is left lists the others.
listed_by_the_survivor as (
    select
        contact_id as told_by,
        contact_id,
        prefix || trim(merged_contact_id) as merged_contact_id
    from contacts
    cross join unnest(string_to_array(merged_object_ids, ';')) as listed (merged_contact_id)
    where trim(merged_contact_id) <> ''
),

-- Or the one that is gone says where it went: a lead that was converted.
told_by_the_merged as (
    select
        contact_id as told_by,
        merged_into_id as contact_id,
        contact_id as merged_contact_id
    from contacts
    where merged_into_id is not null
),

-- Or rows about something else name both: of each number, the latest says whose it is.
told_by_others as (
    select distinct on (natural_key, merged_contact_id)
        natural_key as told_by,
        contact_id,
        merged_contact_id
    from {{ staged('contact_merges') }} as staged
    where contact_id is not null
        and merged_contact_id is not null
    order by natural_key, merged_contact_id, _batch_date desc, _file_no desc, _row_number desc
),

all_told as (
    select * from listed_by_the_survivor
    union
    select * from told_by_the_merged
    union
    select * from told_by_others
),

merges as (
    select *
    from all_told
    where contact_id <> merged_contact_id
)

select * from merges
