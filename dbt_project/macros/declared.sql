{#
    What the declaration of a system says of all its feeds (`meta` of the source in
    models/staging/<system>/_<system>__sources.yml), for its staging views: date_order,
    language, time_zone and the like. A changed word builds the views anew.
#}
{% macro declared(system, name) -%}
    {%- if execute -%}
        {%- for source in graph.sources.values() if source.source_name == system -%}
            {%- set said = source.config.meta.get(name) -%}
            {%- if said is none -%}
                {{ exceptions.raise_compiler_error(
                    "The source " ~ system ~ " does not say its " ~ name ~ ": write it into its meta."
                ) }}
            {%- endif -%}
            {%- if name == 'date_order' and said not in ['DMY', 'MDY'] -%}
                {{ exceptions.raise_compiler_error(
                    "The date_order of the source " ~ system ~ " is " ~ said ~ ": write DMY or MDY."
                ) }}
            {%- endif -%}
            {{ return(said | replace("'", "''")) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return('') }}
{%- endmacro %}
