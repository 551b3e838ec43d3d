-- Invitations, and answers with what they are about.

create table by_hand.fct_survey_invitations as
with answered as (
    select invitation_id, min(recorded_at) as recorded_at
    from responses
    where coalesce(exclusion_reason, '') not in ('test', 'preview', 'spam', 'unfinished')
    group by invitation_id
),
finished as (
    select
        invitation_id, survey_id, customer_key, survey_kind, trigger_event_id,
        invitation_channel, invitation_status, identity_method,
        anonymity = 'confidential' as is_confidential,
        invitation_status not in ('other', 'failed', 'bounced') as is_delivered,
        cast(sent_at at time zone 'America/Sao_Paulo' as date) as sent_date,
        sent_at, delivered_at, opened_at, started_at,
        coalesce(finished_at, recorded_at) as finished_at,
        sent_at + interval '672 hours' as in_time_before
    from invitations
    inner join warehouse.surveys using (survey_id)
    left join survey_people using (reference, email)
    inner join identities on identities.identity_id
        = coalesce(survey_people.identity_id, 'invited:' || survey_contact_id)
    left join answered using (invitation_id)
),
spaced as (
    select
        *,
        sent_date - max(sent_date) filter (where is_delivered) over (
            partition by customer_key, survey_kind, is_confidential
            order by sent_at, invitation_id collate "C"
            rows between unbounded preceding and 1 preceding
        ) as days_since_previous_invitation
    from finished
)
select
    invitation_id, survey_id, customer_key, customer_version_key, trigger_event_id,
    survey_kind, invitation_channel, invitation_status, segment, country, identity_method,
    days_since_previous_invitation, is_confidential, is_delivered,
    invitation_status = 'sent' and delivered_at is null as delivery_is_assumed,
    is_delivered and num_nonnulls(opened_at, started_at, finished_at) > 0 as is_opened,
    is_delivered and num_nonnulls(started_at, finished_at) > 0 as is_started,
    coalesce(is_delivered and finished_at < in_time_before, false) as is_finished_in_time,
    coalesce(is_delivered and finished_at >= in_time_before, false) as is_finished_late,
    coalesce(
        is_delivered and days_since_previous_invitation
            < case survey_kind when 'relational' then 180 else 90 end,
        false
    ) as is_fatigue_breach,
    sent_date, sent_date + 28 as matures_on, sent_at, delivered_at, opened_at, started_at,
    finished_at
from spaced
inner join customers using (customer_key)
where sent_date >= valid_from and sent_date < valid_to;
create index on by_hand.fct_survey_invitations (invitation_id);
create index on by_hand.fct_survey_invitations (customer_key, sent_at);
create index on by_hand.fct_survey_invitations (sent_date);
create index on by_hand.fct_survey_invitations (trigger_event_id, sent_date);
analyze by_hand.fct_survey_invitations;

-- What each response names, and from when its touches may be looked at where it names
-- nothing.
create temporary table response_links on commit drop as
with named as (
    select
        response_id, survey_kind, anonymity, registered_stage, look_back_days, sent_at, recorded_at,
        reference <> '' or email <> '' as is_somebody, touchpoint_parameter,
        coalesce(survey_people.identity_id, 'response:' || response_id)
            as identity_id,
        case
            when survey_kind = 'relational' then 'relational'
            when about_event_id is not null then 'explicit_id'
            when touchpoint_parameter is not null then 'link_parameter'
            when trigger_event_id is not null then 'invitation_trigger'
        end as named_by,
        case
            when survey_kind = 'relational' then null
            when about_event_id is not null then about_event_id
            when touchpoint_parameter is null then trigger_event_id
        end as named_event_id
    from responses
    inner join warehouse.surveys using (survey_id)
    left join survey_people using (reference, email)
    left join (select invitation_id, sent_at, trigger_event_id from invitations) as invited
        using (invitation_id)
),
linked as (
    select
        named.*,
        case
            when named_by = 'relational' then 'relational'
            when touchpoints.touchpoint is not null then named_by
            when named_by in ('explicit_id', 'link_parameter') then 'unattributed'
        end as link_method,
        case when touchpoints.touchpoint is not null then event_id end as event_id,
        case when touchpoints.touchpoint is not null then events.identity_id end as owner_id,
        case when touchpoints.touchpoint is not null then product end as product,
        case when touchpoints.touchpoint is not null then occurred_at end as occurred_at,
        touchpoints.touchpoint, touchpoints.journey_stage, touchpoints.channel,
        touchpoints.environment, touchpoints.owner_area
    from named
    left join events on event_id = named_event_id
    left join event_kinds
        on event_kinds.source_object = events.source_object
        and event_kinds.event_type = coalesce(events.event_type, '')
        and event_kinds.event_name = coalesce(events.event_name, '')
    left join warehouse.touchpoints
        on touchpoints.touchpoint = case named_by
            when 'link_parameter' then touchpoint_parameter
            else event_kinds.touchpoint
        end
)
select
    linked.*, respondents.customer_key, respondents.identity_method,
    coalesce(
        is_somebody and owner_id <> event_id and owners.customer_key <> respondents.customer_key, false
    ) as is_identity_conflict
from linked
inner join identities as respondents using (identity_id)
left join identities as owners on owners.identity_id = owner_id;
analyze response_links;

-- The last advancing touch before the invitation; of several at one time, what they share.
create temporary table last_touches on commit drop as
with ranked as (
    select
        response_id, touches.event_id, touches.touchpoint, touches.journey_stage,
        touches.channel, touches.environment, touches.owner_area, touches.product,
        touches.occurred_at,
        rank() over (partition by response_id order by touches.occurred_at desc) as age
    from response_links as links
    inner join by_hand.fct_touchpoints as touches
        on touches.customer_key = links.customer_key
        and touches.occurred_at >= sent_at - look_back_days * interval '24 hours'
        and touches.occurred_at < sent_at
    where link_method is null and advances_stage
        and touches.journey_stage = coalesce(registered_stage, touches.journey_stage)
)
select
    response_id,
    case when min(event_id) = max(event_id) then min(event_id) end as event_id,
    case when min(touchpoint) = max(touchpoint) then min(touchpoint) end as touchpoint,
    case when min(journey_stage) = max(journey_stage) then min(journey_stage) end as journey_stage,
    case when min(channel) = max(channel) then min(channel) end as channel,
    case when min(environment) = max(environment) then min(environment) end as environment,
    case when min(owner_area) = max(owner_area) then min(owner_area) end as owner_area,
    case when min(product) = max(product) and count(product) = count(*) then min(product)
    end as product,
    max(occurred_at) as occurred_at
from ranked
where age = 1
group by response_id;
analyze last_touches;

-- An answer about the whole relationship has a stage in which it was asked.
create temporary table visits_at_invitation on commit drop as
select distinct on (response_id)
    response_id, visits.journey_stage as stage_at_invitation
from response_links as links
inner join by_hand.fct_journey_stage_visits as visits
    on visits.customer_key = links.customer_key
    and sent_at >= entered_at and sent_at < coalesce(open_until, 'infinity')
where link_method = 'relational'
order by
    response_id, array_position(array['owning', 'support', 'buying'], lane),
    entered_at desc, visit_key collate "C";
analyze visits_at_invitation;

-- One answer per invitation and question counts: the last within 24 hours of the first.
create temporary table answers on commit drop as
with judged as (
    select
        response_id || ':' || question_id as answer_id,
        response_id, survey_id, question_id, invitation_id, collection_channel, language,
        case when pg_input_is_valid(record ->> question_id, 'integer')
            then cast(record ->> question_id as integer) end as score,
        coalesce(exclusion_reason, case when record ->> question_id is null then 'skipped' end)
            as exclusion_reason,
        metric, driver, scale_min, scale_max, top_box_from, recorded_at
    from responses
    inner join warehouse.survey_questions using (survey_id)
)
select
    answer_id, response_id, survey_id, question_id, invitation_id, collection_channel,
    language, score,
    coalesce(
        exclusion_reason,
        case when score is null or score not between scale_min and scale_max
            then 'score_out_of_scale' end
    ) as exclusion_reason,
    metric, driver, scale_min, scale_max, top_box_from, recorded_at
from judged;
analyze answers;

create temporary table repeated_answers on commit drop as
select answer_id
from (
    select
        answer_id,
        row_number() over (
            partition by invitation_id, question_id
            order by
                recorded_at > first_recorded_at + interval '24 hours', recorded_at desc,
                answer_id collate "C" desc
        ) as answer_rank
    from (
        select
            *,
            min(recorded_at) over (partition by invitation_id, question_id)
                as first_recorded_at
        from answers
        where exclusion_reason is null and invitation_id in (
            select invitation_id from responses group by invitation_id having count(*) > 1
        )
    ) as timed
) as ranked
where answer_rank > 1;
analyze repeated_answers;

create table by_hand.fct_survey_responses as
with attributed as (
    select
        links.response_id, links.customer_key, links.identity_method, is_identity_conflict,
        survey_kind, anonymity, stage_at_invitation,
        coalesce(links.event_id, touches.event_id) as touch_event_id,
        coalesce(links.touchpoint, touches.touchpoint) as touchpoint,
        coalesce(
            links.journey_stage, touches.journey_stage,
            case when link_method is null then registered_stage end
        ) as journey_stage,
        coalesce(links.channel, touches.channel) as experience_channel,
        coalesce(links.environment, touches.environment) as environment,
        coalesce(links.owner_area, touches.owner_area) as owner_area,
        coalesce(links.product, touches.product) as product,
        coalesce(links.occurred_at, touches.occurred_at) as touched_at,
        case
            when link_method is not null then link_method
            when registered_stage is not null then 'registered_stage'
            when last_touches.response_id is null then 'unattributed'
            when last_touches.journey_stage is null then 'ambiguous'
            else 'last_touch'
        end as attribution_method
    from response_links as links
    left join visits_at_invitation using (response_id)
    left join last_touches using (response_id)
    left join last_touches as touches
        on touches.response_id = links.response_id and touches.journey_stage is not null
),
dated as (
    select
        *,
        coalesce(exclusion_reason, case when repeated then 'repeated_answer' end) as reason,
        cast(recorded_at at time zone 'America/Sao_Paulo' as date) as answered_date,
        coalesce(touched_at, recorded_at) as experienced_at
    from answers
    inner join attributed using (response_id)
    left join (select answer_id, true as repeated from repeated_answers) as repeated_answers
        using (answer_id)
)
select
    answer_id, response_id, survey_id || ':' || question_id as survey_question_key,
    survey_id, question_id, invitation_id, customer_key, customer_version_key,
    touch_event_id, survey_kind, metric, driver, touchpoint, journey_stage,
    experience_channel, environment, owner_area, product, stage_at_invitation,
    collection_channel, attribution_method, segment, country, language, identity_method,
    reason as exclusion_reason, score, scale_min, scale_max, reason is null as is_counted,
    score >= top_box_from as is_top_box, is_identity_conflict,
    anonymity = 'confidential' as is_confidential,
    cast(experienced_at at time zone 'America/Sao_Paulo' as date) as experienced_date,
    answered_date, experienced_at, recorded_at as answered_at
from dated
inner join customers using (customer_key)
where answered_date >= valid_from and answered_date < valid_to;
create index on by_hand.fct_survey_responses (response_id);
create index on by_hand.fct_survey_responses
    (customer_key, answered_date, metric, survey_kind, is_confidential, is_counted);
create index on by_hand.fct_survey_responses (answered_date);
create index on by_hand.fct_survey_responses
    (((answered_date - date '2000-01-01') * 16 + get_byte(uuid_send(customer_key), 0) / 16));
analyze by_hand.fct_survey_responses;
