-- Everybody whom the CRM and the ticket system know, typed as it is read.
set local time zone 'UTC';
set local work_mem = '256MB';

create function pg_temp.as_time(sent text) returns timestamptz language sql stable
return case when pg_input_is_valid(sent, 'timestamptz') then cast(sent as timestamptz) end;

create temporary table contact_states on commit drop as
select distinct on (contacts.record_id, build_loads.batch_date)
    contacts.record_id as contact_id,
    build_loads.batch_date,
    contacts.associated_company_id as company_id,
    contacts.lifecycle_stage,
    contacts.customer_segment as segment,
    contacts.country_region as country_name,
    lower(contacts.preferred_language) as language,
    contacts.preferred_channel,
    lower(contacts.unsubscribed_from_all_email) in ('true', '1', 'yes') as is_unsubscribed,
    lower(contacts.survey_opt_out) in ('true', '1', 'yes') as is_opt_out,
    lower(trim(contacts.email)) as email,
    contacts.merged_object_ids,
    pg_temp.as_time(contacts.became_a_customer_date) as became_customer_at
from raw_hubspot.contacts as contacts
inner join raw_hubspot.contacts__snapshots as snapshots using (_row_id)
inner join audit.build_loads as build_loads
    on build_loads.load_id = snapshots._load_id and build_loads.is_current
where contacts.record_id is not null
order by
    contacts.record_id, build_loads.batch_date, snapshots._file_no desc,
    snapshots._row_number desc;
analyze contact_states;

create temporary table contacts on commit drop as
select distinct on (contact_id)
    contact_id,
    company_id,
    case when email like '%@%' then email end as email,
    merged_object_ids,
    batch_date < max(batch_date) over () as is_deleted,
    became_customer_at
from contact_states
order by contact_id, batch_date desc;
analyze contacts;

create temporary table contact_versions on commit drop as
with compared as (
    select
        *,
        lag(batch_date) over states is null as is_first,
        (
            lifecycle_stage, segment, country_name, language, preferred_channel,
            is_unsubscribed, is_opt_out
        ) is distinct from (
            lag(lifecycle_stage) over states, lag(segment) over states,
            lag(country_name) over states, lag(language) over states,
            lag(preferred_channel) over states, lag(is_unsubscribed) over states,
            lag(is_opt_out) over states
        ) as is_changed
    from contact_states
    window states as (partition by contact_id order by batch_date)
)
select
    contact_id, segment, country_name,
    case when is_first then date '1900-01-01' else batch_date end as valid_from,
    coalesce(
        lead(batch_date) over (partition by contact_id order by batch_date), date '9999-12-31'
    ) as valid_to
from compared
where is_first or is_changed;
analyze contact_versions;

create temporary table merges on commit drop as
select distinct contact_id, trim(listed) as merged_contact_id
from contacts
cross join unnest(string_to_array(merged_object_ids, ';')) as listed
where trim(listed) not in ('', contact_id);
analyze merges;

create temporary table known_contacts on commit drop as
with survivors as (
    select distinct on (first_merge.merged_contact_id)
        first_merge.merged_contact_id,
        coalesce(second_merge.contact_id, first_merge.contact_id) as contact_id
    from merges as first_merge
    inner join contacts on contacts.contact_id = first_merge.contact_id
    left join merges as second_merge
        on second_merge.merged_contact_id = first_merge.contact_id
        and second_merge.contact_id <> first_merge.merged_contact_id
    order by
        first_merge.merged_contact_id, second_merge.contact_id is not null,
        contacts.is_deleted, length(first_merge.contact_id),
        first_merge.contact_id collate "C"
)
select contacts.contact_id, coalesce(survivors.contact_id, contacts.contact_id) as resolved_id
from contacts
left join survivors on survivors.merged_contact_id = contacts.contact_id
union
select merged_contact_id, contact_id from survivors;
analyze known_contacts;

create temporary table companies on commit drop as
select
    record_id as company_id, cx.keyed_hash('company:' || record_id) as account_key
from (
    select distinct record_id
    from raw_hubspot.companies
    inner join raw_hubspot.companies__snapshots as snapshots using (_row_id)
    inner join audit.build_loads on load_id = snapshots._load_id and is_current
    where record_id is not null
) as known;

create temporary table organizations on commit drop as
select
    organization_id,
    coalesce(
        account_key, cx.keyed_hash('organization:' || organization_id)
    ) as account_key
from (
    select distinct on (record ->> 'id')
        record ->> 'id' as organization_id, record ->> 'external_id' as company_id
    from raw_zendesk.organizations
    inner join audit.build_loads on load_id = _load_id and is_current
    where record ->> 'id' is not null and record ->> 'updated_at' is not null
    order by
        record ->> 'id', cast(record ->> 'updated_at' as timestamptz) desc, batch_date desc,
        _file_no desc, _row_number desc
) as latest
left join companies using (company_id);

create temporary table user_states on commit drop as
select distinct on (user_id, updated_at) *
from (
    select
        record ->> 'id' as user_id,
        record ->> 'external_id' as reference,
        lower(trim(record ->> 'email')) as email,
        record ->> 'organization_id' as organization_id,
        record ->> 'role' as user_role,
        pg_temp.as_time(record ->> 'updated_at') as updated_at,
        batch_date, _file_no, _row_number
    from raw_zendesk.users
    inner join audit.build_loads on load_id = _load_id and is_current
) as sent
where user_id is not null and updated_at is not null
order by user_id, updated_at, batch_date desc, _file_no desc, _row_number desc;
analyze user_states;

create temporary table users on commit drop as
select distinct on (user_id)
    user_id, reference, case when email like '%@%' then email end as email, organization_id
from user_states
order by user_id, updated_at desc;
analyze users;

create temporary table user_roles on commit drop as
with compared as (
    select
        user_id, user_role, updated_at,
        lag(updated_at) over states is null as is_first,
        user_role is distinct from lag(user_role) over states as is_changed
    from user_states
    window states as (partition by user_id order by updated_at)
)
select
    user_id, coalesce(user_role in ('agent', 'admin'), false) as is_staff, user_role,
    case when is_first then timestamptz '1900-01-01' else updated_at end as valid_from,
    coalesce(
        lead(updated_at) over (partition by user_id order by updated_at),
        timestamptz '9999-12-31'
    ) as valid_to
from compared
where is_first or is_changed;
analyze user_roles;
