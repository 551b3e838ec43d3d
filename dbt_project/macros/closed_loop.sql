{# What closes the loop after a bad answer, and what opens it, over the rows of the facts. #}

{# An answer to the recommendation question that counts and that readers may see one by one. #}
{% macro is_recommendation() -%}
metric = 'nps' and is_counted and not is_confidential
{%- endmacro %}

{# A person of ours wrote to the customer in a ticket. #}
{% macro is_reply_of_ours() -%}
event_type = 'commented' and is_public and author_role = 'agent'
{%- endmacro %}
