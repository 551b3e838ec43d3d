{#
    Comments are counted in the parts that scores are counted in (`repeat_part`): a comment
    that changes costs the counts of its day and of a sixteenth of the customers, and not
    those of its months. A customer who mentions a theme again counts with the first time of
    the week, and of the month, so that periods are sums of days here, too.
#}
{% set rebuild_when %}{% raw %}
    select theme_part from ({{ changed_comments() }}) as changed
    union
    -- the customer's later comments of the same week or month
    select {{ repeat_part('later.commented_date', 'changed.customer_key') }}
    from ({{ changed_comments() }}) as changed
    cross join lateral (
        select comments.commented_date
        from {{ ref('fct_comments') }} as comments
        where comments.customer_key = changed.customer_key
            and comments.commented_date between
                {{ date_of_repeat_part('changed.theme_part') }}
                and {{ date_of_repeat_part('changed.theme_part') }} + 30
        offset 0  -- by index, customer by customer
    ) as later
{% endraw %}{% endset %}

{{ config(
    unique_key=['theme_part', 'theme', 'breakdown', 'breakdown_value'],
    meta={
        'rebuild_when': rebuild_when,
        'rebuild_by': 'theme_part',
        'marks': ['commented_date'],
    },
    indexes=[{'columns': ['theme_part']}, {'columns': ['commented_date']}],
    pre_hook=hash_all_groups(),
) }}

with

{% if is_incremental() -%}
-- Whose comments are read, and from when on: the first day of the first of their periods.
customers_rebuilt as (
    select
        customer_key,
        cast(least(
            date_trunc('week', cast(min(commented_date) as timestamp)),
            date_trunc('month', cast(min(commented_date) as timestamp))
        ) as date) as first_day,
        max(commented_date) as last_day
    from {{ ref('fct_comments') }}
    where {{ repeat_part('commented_date', 'customer_key') }} = any({{ repeat_parts_to_rebuild() }})
    group by customer_key
),

{% endif -%}
comments as (
    select
        comments.comment_id,
        comments.customer_key,
        {{ repeat_part('comments.commented_date', 'comments.customer_key') }} as theme_part,
        coalesce(comments.journey_stage, '(unknown)') as journey_stage,
        comments.comment_source,
        coalesce(comments.country, '(unknown)') as country,
        comments.sentiment = 'negative' as is_negative,
        comments.theme_status <> 'no_rules' as is_read,
        case comments.theme_status
            when 'found' then comments.themes
            when 'none' then '(none)'
            else '(unread)'
        end as themes,
        comments.commented_date
    {% if is_incremental() -%}
    from customers_rebuilt as rebuilt
    cross join lateral (
        select *
        from {{ ref('fct_comments') }} as theirs
        where theirs.customer_key = rebuilt.customer_key
            and theirs.commented_date between rebuilt.first_day and rebuilt.last_day
        offset 0  -- by index, customer by customer
    ) as comments
    {%- else -%}
    from {{ ref('fct_comments') }} as comments
    {%- endif %}
    where comments.is_counted
        and not comments.is_confidential
),

comments_cut as (
    select
        comments.*,
        cuts.breakdown,
        cuts.breakdown_value
    from comments
    cross join lateral (
        values
            ('total', '(all)'),
            ('journey_stage', comments.journey_stage),
            ('comment_source', comments.comment_source),
            ('country', comments.country)
    ) as cuts (breakdown, breakdown_value)
),

mentions as (
    select
        comments.theme_part,
        mentioned.theme,
        comments.breakdown,
        comments.breakdown_value,
        comments.is_negative,
        {%- for grain in ['week', 'month'] %}
        row_number() over (
            partition by
                comments.customer_key, mentioned.theme, comments.breakdown,
                comments.breakdown_value,
                date_trunc('{{ grain }}', cast(comments.commented_date as timestamp))
            order by comments.commented_date, comments.comment_id collate "C"
        ) = 1 as is_first_of_{{ grain }},
        {%- endfor %}
        comments.commented_date
    from comments_cut as comments
    cross join lateral unnest(string_to_array(comments.themes, ', ')) as mentioned (theme)
),

theme_days as (
    select
        theme_part,
        theme,
        breakdown,
        breakdown_value,
        count(*) as mentions,
        count(*) filter (where is_negative) as negative_mentions,
        count(*) filter (where is_first_of_week) as customers_new_in_week,
        count(*) filter (where is_first_of_month) as customers_new_in_month,
        commented_date
    from mentions
    where {{ to_rebuild('theme_part', 'integer') }}
    group by theme_part, theme, breakdown, breakdown_value, commented_date
    union all
    -- what mentions are a share of
    select
        theme_part,
        '(comments)' as theme,
        breakdown,
        breakdown_value,
        count(*) filter (where is_read) as mentions,
        0 as negative_mentions,
        0 as customers_new_in_week,
        0 as customers_new_in_month,
        commented_date
    from comments_cut
    where {{ to_rebuild('theme_part', 'integer') }}
    group by theme_part, breakdown, breakdown_value, commented_date
)

select * from theme_days
