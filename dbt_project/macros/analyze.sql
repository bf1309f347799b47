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
