{#
    The score that an answer stands for: itself where it is a whole number (9, also 9.0 or 9,0
    as spreadsheets write it), else what the seed answer_values says of its words. The rows that
    name the survey, then those that name the question, go before all others; rows of one rank
    that do not agree say nothing. `values` are the seed's rows with the patterns of their words.
#}
{% macro read_score(answer, question, values) -%}
case
            when {{ answer }} ~ '^[+-]?\d+([.,]0+)?$'
                then {{ parse_number("regexp_replace(" ~ answer ~ ", '[.,]0+$', '')", 'integer') | indent(8) }}
            when {{ answer }} is not null
                then (
                    select case when min(fitting.score) = max(fitting.score) then min(fitting.score) end
                    from (
                        select
                            {{ values }}.score,
                            rank() over (
                                order by {{ values }}.survey_id is null, {{ values }}.question_id is null
                            ) as preference
                        from (select {{ plain_words(answer) }} as words offset 0) as said
                        inner join {{ values }}
                            on said.words like {{ values }}.pattern
                        where coalesce({{ values }}.survey_id, {{ question }}.survey_id) = {{ question }}.survey_id
                            and coalesce({{ values }}.question_id, {{ question }}.question_id)
                                = {{ question }}.question_id
                            and coalesce({{ values }}.scale_min, {{ question }}.scale_min) = {{ question }}.scale_min
                            and coalesce({{ values }}.scale_max, {{ question }}.scale_max) = {{ question }}.scale_max
                    ) as fitting
                    where fitting.preference = 1
                )
        end
{%- endmacro %}

{# Words as they are compared: in lower case, with single blanks, and one kind of dash. #}
{% macro plain_words(text) -%}
lower(trim(regexp_replace(
            translate({{ text }}, U&'\2010\2011\2012\2013\2014\2212\00a0', '------ '),
            '\s+', ' ', 'g'
        )))
{%- endmacro %}

{# The pattern that words with * for any others stand for. #}
{% macro words_pattern(words) -%}
replace(regexp_replace({{ plain_words(words) }}, '([\\%_])', '\\\1', 'g'), '*', '%')
{%- endmacro %}
