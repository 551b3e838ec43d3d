{% set rebuild_when %}{% raw %}
    select key from {{ dirty('int_contacts.contact_id') }} as changed_contacts
{% endraw %}{% endset %}

{{ config(
    unique_key=['contact_id', 'merged_contact_id'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'contact_id', 'marks': ['merged_contact_id']},
    indexes=[{'columns': ['contact_id']}, {'columns': ['merged_contact_id']}],
) }}

with

merges as (
    select distinct
        contact_id,
        {{ prefix_of_number('contact_id', 'contacts') | indent(8) }} || trim(merged_contact_id)
            as merged_contact_id
    from {{ ref('int_contacts') }}
    cross join unnest(string_to_array(merged_object_ids, ';')) as listed (merged_contact_id)
    where {{ to_rebuild('contact_id') }}
        and trim(merged_contact_id) <> ''
        and {{ prefix_of_number('contact_id', 'contacts') | indent(8) }} || trim(merged_contact_id)
            <> contact_id
)

select * from merges
