{{
    config(
        indexes=[{"columns": ["region_code", "year", "organisation_code"]}],
        post_hook="analyze {{ this }}",
    )
}}

{%- for stage in ["int_objectivity__mean", "int_objectivity__mark_mismatch", "int_objectivity__cohort_change"] %}
    select
        region_code,
        year,
        organisation_code,
        marker_code,
        n,
        round(value, 6) as value,
        round(lower_bound, 6) as lower_bound,
        round(upper_bound, 6) as upper_bound,
        round(region_lower_bound, 6) as region_lower_bound,
        round(region_upper_bound, 6) as region_upper_bound,
        is_marked
    from {{ ref(stage) }}
    {%- if not loop.last %}
        union all
    {%- endif %}
{%- endfor %}
