{% set rebuild_when %}{% raw %}
    with

    -- A merge came, went, or leads to a contact that did: it may be known only now.
    changed_merges as (
        select key as merged_contact_id
        from {{ dirty('int_contact_merges.merged_contact_id') }} as merged
        union
        select merges.merged_contact_id
        from {{ ref('int_contact_merges') }} as merges
        where merges.contact_id in (
            select key from {{ dirty('int_contacts.contact_id') }} as contacts
        )
    ),

    -- And whoever lies behind one who was merged.
    merged as (
        select merged_contact_id from changed_merges
        union
        select merges.merged_contact_id
        from {{ ref('int_contact_merges') }} as merges
        where merges.contact_id in (
            select changed_merges.merged_contact_id from changed_merges
        )
    )

    select key from {{ dirty('int_people.identity_id') }} as changed_people

    union

    -- whoever refers to a contact that changed, was merged, or lies behind a merged one
    select people.identity_id
    from {{ ref('int_people') }} as people
    where people.contact_reference in (
        select key from {{ dirty('int_contacts.contact_id') }} as contacts
        union
        select merged.merged_contact_id from merged
    )

    union

    -- whoever is found by an e-mail address that came, went, or whose contact was merged
    select people.identity_id
    from {{ ref('int_people') }} as people
    where people.email_key in (
        select cast(key as uuid) from {{ dirty('int_contacts.email_key') }} as addresses
        union
        select contacts.email_key
        from {{ ref('int_contacts') }} as contacts
        where contacts.contact_id in (select merged.merged_contact_id from merged)
    )
{% endraw %}{% endset %}

{{ config(
    unique_key='identity_id',
    meta={'rebuild_when': rebuild_when, 'marks': ['customer_key']},
    indexes=[{'columns': ['identity_id']}, {'columns': ['customer_key']}],
) }}

with

people as (
    select *
    from {{ ref('int_people') }}
    where {{ to_rebuild('identity_id') }}
),

{% if is_incremental() -%}
-- The contacts that these people may be: the one they name, and the one of their address.
-- A full build reads all contacts anyway; a night must not.
possible_contacts as (
    select contact_reference as contact_id
    from people
    where contact_reference is not null

    union

    select contacts.contact_id
    from {{ ref('int_contacts') }} as contacts
    where contacts.email_key in (select people.email_key from people)
),

{% endif -%}
-- Merges into contacts that a list has shown: what is not known is nobody to be.
known_merges as (
    select
        merges.contact_id,
        merges.merged_contact_id,
        bool_and(contacts.is_deleted) as is_deleted
    from {{ ref('int_contact_merges') }} as merges
    inner join {{ ref('int_contacts') }} as contacts
        on contacts.contact_id = merges.contact_id
    {%- if is_incremental() %}
    where merges.merged_contact_id in (select contact_id from possible_contacts)
        or merges.merged_contact_id in (
            select first_merge.contact_id
            from {{ ref('int_contact_merges') }} as first_merge
            where first_merge.merged_contact_id in (select contact_id from possible_contacts)
        )
    {%- endif %}
    group by merges.contact_id, merges.merged_contact_id
),

-- A contact that was merged twice is followed to the one that is left.
survivors as (
    select
        first_merge.merged_contact_id,
        coalesce(second_merge.contact_id, first_merge.contact_id) as contact_id,
        row_number() over (
            partition by first_merge.merged_contact_id
            order by
                second_merge.contact_id is not null,
                first_merge.is_deleted,
                length(first_merge.contact_id),
                first_merge.contact_id collate "C",
                length(second_merge.contact_id),
                second_merge.contact_id collate "C"
        ) as survivor_rank
    from known_merges as first_merge
    left join known_merges as second_merge
        on second_merge.merged_contact_id = first_merge.contact_id
        and second_merge.contact_id <> first_merge.merged_contact_id
    {%- if is_incremental() %}
    where first_merge.merged_contact_id in (select contact_id from possible_contacts)
    {%- endif %}
),

-- Every contact number that a CRM has ever shown, with the contact that it is now.
known_contacts as (
    select
        contacts.contact_id,
        coalesce(survivors.contact_id, contacts.contact_id) as resolved_contact_id
    from {{ ref('int_contacts') }} as contacts
    left join survivors
        on survivors.merged_contact_id = contacts.contact_id
        and survivors.survivor_rank = 1
    {%- if is_incremental() %}
    where contacts.contact_id in (select contact_id from possible_contacts)
    {%- endif %}

    union

    select
        merged_contact_id as contact_id,
        contact_id as resolved_contact_id
    from survivors
    where survivor_rank = 1
),

addresses_ranked as (
    select
        email_key,
        contact_id,
        row_number() over (
            partition by email_key
            order by is_deleted, length(contact_id), contact_id collate "C"
        ) as address_rank
    from {{ ref('int_contacts') }}
    where email_key is not null
        {%- if is_incremental() %}
        and email_key in (select people.email_key from people)
        {%- endif %}
),

matches as (
    select
        people.identity_id,
        by_reference.resolved_contact_id as contact_by_reference,
        by_address.resolved_contact_id as contact_by_address
    from people
    left join known_contacts as by_reference
        on by_reference.contact_id = people.contact_reference
    left join addresses_ranked
        on addresses_ranked.email_key = people.email_key
        and addresses_ranked.address_rank = 1
    left join known_contacts as by_address
        on by_address.contact_id = addresses_ranked.contact_id
),

identities as (
    select
        identity_id,
        coalesce(contact_by_reference, contact_by_address) as contact_id,
        case
            when contact_by_reference is not null then 'reference'
            when contact_by_address is not null then 'e-mail'
            else 'unmatched'
        end as identity_method,
        {{ cx('keyed_hash') }}(coalesce(
            'contact:' || coalesce(contact_by_reference, contact_by_address),
            identity_id
        )) as customer_key
    from matches
)

select * from identities
