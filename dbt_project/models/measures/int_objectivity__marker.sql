{{
    config(
        indexes=[{"columns": ["region_code", "year", "organisation_code"]}],
    )
}}

{%- for stage in ["int_objectivity__mean", "int_objectivity__mark_mismatch", "int_objectivity__cohort_change"] %}
    select
        region_code,
        year,
        organisation_code,
        marker_code,
        n,
        value,
        lower_bound,
        upper_bound,
        region_lower_bound,
        region_upper_bound,
        is_marked
    from {{ ref(stage) }}
    {%- if not loop.last %}
        union all
    {%- endif %}
{%- endfor %}
