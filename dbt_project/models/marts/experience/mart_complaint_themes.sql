{% set changed_periods %}{% raw %}
        select distinct periods.period_key
        from ({{ days_of_periods() }}) as periods
        where periods.period_grain <> 'quarter'
            and periods.date_day in (
                select cast(key as date) from {{ dirty('int_theme_days.commented_date') }} as days
            )
{% endraw %}{% endset %}
{% set rebuild_when %}
    select period_key from ({{ changed_periods }}) as changed
    union
    -- the periods after them show the change
    select {% raw %}split_part(changed.period_key, ':', 1) || ':' || {{ compared_period_start(
        "cast(split_part(changed.period_key, ':', 2) as date)",
        "split_part(changed.period_key, ':', 1)", 'previous', '+'
    ) }}{% endraw %}
    from ({{ changed_periods }}) as changed
    {% raw %}
    union
    select themes.period_key
    from {{ this }} as themes
    where {{ completeness_may_have_changed('themes.period_start', 'themes.period_end') }}
{% endraw %}{% endset %}

{{ config(
    unique_key=['period_key', 'theme', 'breakdown', 'breakdown_value'],
    meta={'rebuild_when': rebuild_when, 'rebuild_by': 'period_key'},
    indexes=[{'columns': ['period_key']}],
    pre_hook=hash_all_groups(),
) }}

with

days_of_periods as (
    {{ days_of_periods() }}
),

days_wanted as (
    select
        *,
        {{ period_end('days_of_periods') }} as period_end,
        {{ compared_period_start('period_start', 'period_grain', 'previous') }} as previous_start
    from days_of_periods
    where period_grain <> 'quarter'
        and {{ to_rebuild('period_key') }}
),

periods as (
    select distinct period_key, period_grain, period_start, period_end, previous_start
    from days_wanted
),

-- Each period's days, and those of the period before it.
days_read as (
    {%- for start in ['period_start', 'previous_start'] %}
    select
        periods.*,
        days.date_day,
        {{ loop.index == 2 }} as is_previous
    from periods
    inner join days_of_periods as days
        on days.period_grain = periods.period_grain
        and days.period_start = periods.{{ start }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

themes_counted as (
    select
        days.period_key,
        theme_days.theme,
        theme_days.breakdown,
        theme_days.breakdown_value,
        count(*) filter (where not days.is_previous) as parts,
        cast(coalesce(
            sum(theme_days.mentions) filter (where not days.is_previous), 0
        ) as bigint) as mentions,
        cast(coalesce(
            sum(theme_days.negative_mentions) filter (where not days.is_previous), 0
        ) as bigint) as negative_mentions,
        cast(coalesce(
            sum(theme_days.mentions) filter (where days.is_previous), 0
        ) as bigint) as previous_mentions,
        cast(coalesce(sum(
            case days.period_grain
                when 'week' then theme_days.customers_new_in_week
                else theme_days.customers_new_in_month
            end
        ) filter (where not days.is_previous), 0) as bigint) as customers
    from {{ ref('int_theme_days') }} as theme_days
    inner join days_read as days
        on days.date_day = theme_days.commented_date
    -- Days in one array: few, and found by index.
    where theme_days.commented_date = any(array(select days_read.date_day from days_read))
    group by
        days.period_key, theme_days.theme, theme_days.breakdown, theme_days.breakdown_value
),

comments_counted as (
    select
        period_key,
        breakdown,
        breakdown_value,
        mentions as comments,
        previous_mentions as previous_comments
    from themes_counted
    where theme = '(comments)'
        and parts > 0
),

mentions_counted as (
    select
        period_key,
        theme,
        breakdown,
        breakdown_value,
        mentions,
        previous_mentions,
        negative_mentions,
        customers
    from themes_counted
    where theme <> '(comments)'
),

-- Comments that no rule read are counted, and are a share of nothing.
shares as (
    select
        mentions_counted.*,
        case when mentions_counted.theme <> '(unread)' then comments_counted.comments end
            as comments,
        case when mentions_counted.theme <> '(unread)' then comments_counted.previous_comments end
            as previous_comments
    from mentions_counted
    inner join comments_counted
        on comments_counted.period_key = mentions_counted.period_key
        and comments_counted.breakdown = mentions_counted.breakdown
        and comments_counted.breakdown_value = mentions_counted.breakdown_value
),

shares_tested as (
    select
        *,
        case
            when least(comments, previous_comments) >= 30
                then {{ cx('share_change_p_value') }}(
                    previous_mentions, previous_comments, mentions, comments
                )
        end as p_value
    from shares
),

p_values_ranked as (
    select
        *,
        row_number() over family_by_p as p_rank,
        count(p_value) over (partition by period_key, breakdown) as p_values
    from shares_tested
    window family_by_p as (
        partition by period_key, breakdown
        order by p_value nulls last, theme collate "C", breakdown_value collate "C"
    )
),

p_values_adjusted as (
    select
        *,
        case
            when p_value is not null
                then least(1, min(p_value * p_values / p_rank) over (
                    partition by period_key, breakdown
                    order by p_rank
                    rows between current row and unbounded following
                ))
        end as p_value_adjusted
    from p_values_ranked
),

complaint_themes as (
    select
        periods.period_key,
        themes.theme,
        periods.period_grain,
        case periods.period_grain
            when 'week' then to_char(periods.period_start, 'IYYY-"W"IW')
            else to_char(periods.period_start, 'YYYY-MM')
        end as period_label,
        themes.breakdown,
        themes.breakdown_value,
        dim_themes.theme_name,
        dim_themes.owner_area,
        dim_themes.journey_stage,
        themes.mentions,
        themes.negative_mentions,
        themes.customers,
        themes.comments,
        {{ cx('share_percent') }}(themes.mentions, themes.comments) as mention_share_percent,
        themes.previous_mentions,
        {{ cx('share_percent') }}(themes.previous_mentions, themes.previous_comments)
            as previous_mention_share_percent,
        {{ cx('share_percent') }}(themes.mentions, themes.comments)
            - {{ cx('share_percent') }}(themes.previous_mentions, themes.previous_comments)
            as mention_share_change_points,
        cast(themes.p_value as numeric) as p_value,
        cast(themes.p_value_adjusted as numeric) as p_value_adjusted,
        themes.p_value_adjusted < 0.05 as is_significant_change,
        {{ is_complete_period() }} as is_complete_period,
        periods.period_start,
        periods.period_end
    from p_values_adjusted as themes
    inner join periods
        on periods.period_key = themes.period_key
    inner join {{ ref('dim_complaint_themes') }} as dim_themes
        on dim_themes.theme = themes.theme
)

select * from complaint_themes
