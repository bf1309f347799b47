{#-
    Post-hook of every model and seed: the planner gets statistics of a table that other models read. Without them it takes
    a table that was just filled for a few pages of default width. `meta: {analyze: [columns]}` of a model names the only
    columns that its readers join, filter or group by.
-#}
{% macro analyze_if_read() -%}
    {%- if execute and model.config.materialized != "view" -%}
        {%- set reader = namespace(found=false) -%}
        {%- for node in graph.nodes.values() if node.resource_type == "model" -%}
            {%- if model.unique_id in node.depends_on.nodes -%} {%- set reader.found = true -%} {%- endif -%}
        {%- endfor -%}
        {%- set columns = model.config.meta.get("analyze") -%}
        {%- if reader.found -%} analyze {{ this }}{{ " (" ~ columns | join(", ") ~ ")" if columns }} {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#-
    Pre-hook of a model whose statement joins its own aggregates by keys of several columns. Of those the planner has no
    statistics: it takes them for a row or two and reads them again for every row (nested loop), or sorts by one column and
    filters by the others (merge join). Each model that has it says what it costs without, in seconds on the 50 works of a real
    region; all others are planned freely.
-#}
{% macro hash_joins() -%}
    select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)
{%- endmacro %}
