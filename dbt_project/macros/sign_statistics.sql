{#- Between-school variance of an item beyond chance, from deviations D and their variances V of schools: ω of the
    formulas, max(0, Σ(D² − V) / ΣV²) over schools with D² < ratio·V. -#}
{% macro excess_variance(deviation, variance, ratio) -%}
    {%- set honest = deviation ~ " * " ~ deviation ~ " < " ~ ratio ~ " * " ~ variance -%}
    coalesce(
        greatest(
            sum({{ deviation }} * {{ deviation }} - {{ variance }}) filter (where {{ honest }})
            / nullif(sum({{ variance }} * {{ variance }}) filter (where {{ honest }}), 0),
            0
        ),
        0
    )
{%- endmacro %}


{#- Over-dispersion φ of counts k about their means λ: max(0, Σ[(min(k, λ + a√λ + b) − λ)² − λ] / Σλ²). -#}
{% macro over_dispersion(k, mean, cap_sd, cap_add) -%}
    {%- set capped = (
        "(least("
        ~ k
        ~ ", "
        ~ mean
        ~ " + "
        ~ cap_sd
        ~ " * sqrt("
        ~ mean
        ~ ") + "
        ~ cap_add
        ~ ") - "
        ~ mean
        ~ ")"
    ) -%}
    coalesce(greatest(sum({{ capped }} * {{ capped }} - {{ mean }}) / nullif(sum({{ mean }} * {{ mean }}), 0), 0), 0)
{%- endmacro %}


{#- Columns `median` and `half_width` of the aggregated rows: (q84 − q16) / 2, one standard deviation of a normal law. -#}
{% macro median_and_half_width(value) -%}
    (percentile_cont(0.5) within group (order by {{ value }}))::numeric as median,
    (
        percentile_cont(0.84) within group (order by {{ value }})
        - percentile_cont(0.16) within group (order by {{ value }})
    )::numeric
    / 2 as half_width
{%- endmacro %}
