-- Who everybody is whom events, surveys and the ticket system name, and the versions of
-- each customer.
create temporary table identities on commit drop as
with addresses as (
    select distinct on (email) email, contact_id
    from contacts
    where email is not null
    order by email, is_deleted, length(contact_id), contact_id collate "C"
),
people as (
    select
        identity_id,
        case when starts_with(identity_id, 'contact:') then substring(identity_id from 9)
        end as reference,
        cast(null as text) as email
    from (
        select distinct identity_id
        from events
        where not exists (
            select from users where 'user:' || user_id = identity_id
        )
    ) as named
    union all
    select 'user:' || user_id, reference, email from users
    union all
    select identity_id, nullif(reference, ''), nullif(email, '') from survey_people
    union all
    select 'response:' || response_id, null, null
    from responses
    where reference = '' and email = ''
    union all
    select distinct 'invited:' || survey_contact_id, cast(null as text), cast(null as text)
    from invitations
    where reference = '' and email = ''
),
resolved as (
    select
        identity_id,
        by_reference.resolved_id as by_reference,
        by_address.resolved_id as by_address
    from people
    left join known_contacts as by_reference on by_reference.contact_id = people.reference
    left join addresses using (email)
    left join known_contacts as by_address on by_address.contact_id = addresses.contact_id
)
select
    identity_id,
    coalesce(by_reference, by_address) as contact_id,
    case
        when by_reference is not null then 'reference'
        when by_address is not null then 'e-mail'
        else 'unmatched'
    end as identity_method,
    cx.keyed_hash(
        coalesce('contact:' || coalesce(by_reference, by_address), identity_id)
    ) as customer_key
from resolved;
create index on identities (identity_id);
analyze identities;

create temporary table customers on commit drop as
with organization_accounts as (
    select customer_key, min(cast(account_key as text)) as account_key
    from users
    inner join identities on identity_id = 'user:' || user_id
    inner join organizations using (organization_id)
    group by customer_key
)
select
    customer_key,
    coalesce(companies.account_key, cast(organization_accounts.account_key as uuid))
        as account_key,
    segment, country,
    coalesce(valid_from, date '1900-01-01') as valid_from,
    coalesce(valid_to, date '9999-12-31') as valid_to,
    cx.keyed_hash(customer_key || ':' || coalesce(valid_from, date '1900-01-01'))
        as customer_version_key
from (select distinct customer_key, contact_id from identities) as known
left join contact_versions using (contact_id)
left join contacts using (contact_id)
left join companies using (company_id)
left join organization_accounts using (customer_key)
left join warehouse.countries using (country_name);
create index on customers (customer_key);
analyze customers;
