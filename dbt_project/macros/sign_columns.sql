{#- The eight detectors of the flag, in the order of the formulas. -#}
{% macro sign_detectors() -%}
    {{- return(["profile", "misfit", "expgap", "boundary", "jagree", "sim_dup", "sim_pairs", "attend"]) -}}
{%- endmacro %}


{#- Signs that stand beside the flag and never make it. -#}
{% macro signs_beside() -%} {{- return(["level", "journal_gap", "growth"]) -}} {%- endmacro %}


{#- Columns of int_sign__verdict that a mart of signs publishes: z, p and n of the detectors, pairs seen and expected. -#}
{% macro sign_columns(detectors=none) -%}
    {%- set columns = [] -%}
    {%- for detector in detectors or sign_detectors() -%}
        {%- do columns.extend([detector ~ "_z", detector ~ "_p", detector ~ "_n"]) -%}
    {%- endfor -%}
    {{- return(columns + ["sim_dup_k", "sim_dup_lambda", "sim_pairs_k", "sim_pairs_lambda"]) -}}
{%- endmacro %}
