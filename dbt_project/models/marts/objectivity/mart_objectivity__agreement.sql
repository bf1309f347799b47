{%- set pairs = [
    ("federal", "official"),
    ("federal", "sign_red"),
    ("federal", "sign"),
    ("official", "sign_red"),
    ("official", "sign"),
] -%}
with
    -- An organisation is judged by the list of a year if the year has a list at all.
    federal as (
        select region_code, year, organisation_code, bool_or(is_listed) as is_listed
        from {{ at_organisation(ref("fct_federal_listing"), in_force_on("assessment", "fact.year")) }} as listing
        group by region_code, year, organisation_code
    ),

    official as (
        select region_code, year, organisation_code, bool_or(is_marked) as is_marked
        from {{ ref("mart_objectivity__marker") }}
        group by region_code, year, organisation_code
    ),

    sign as (
        select
            region_code,
            year,
            organisation_code,
            bool_or(flag = 'red') as is_red,
            bool_or(flag in ('red', 'amber') and mechanism <> 'level') as is_flagged
        from {{ ref("mart_objectivity__sign") }}
        where flag <> 'insufficient'
        group by region_code, year, organisation_code
    ),

    organisation as (
        select
            sign.region_code,
            sign.year,
            sign.organisation_code,
            case
                when (sign.region_code, sign.year) in (select region_code, year from federal)
                then coalesce(federal.is_listed, false)
            end as federal,
            official.is_marked as official,
            sign.is_red as sign_red,
            sign.is_flagged as sign
        from sign
        left join federal using (region_code, year, organisation_code)
        left join official using (region_code, year, organisation_code)
    ),

    pair as (
        {%- for layer, other in pairs %}
            select
                region_code,
                year,
                '{{ layer }}' as layer,
                '{{ other }}' as other_layer,
                count(*) as organisations,
                count(*) filter (where {{ layer }}) as marked,
                count(*) filter (where {{ other }}) as other_marked,
                count(*) filter (where {{ layer }} and {{ other }}) as both_marked
            from organisation
            where {{ layer }} is not null and {{ other }} is not null
            group by region_code, year
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    )

select
    region_code,
    year,
    layer,
    other_layer,
    organisations::integer as organisations,
    marked::integer as marked,
    other_marked::integer as other_marked,
    both_marked::integer as both_marked,
    round(marked::numeric * other_marked / organisations, 6) as expected_both,
    round(100 * both_marked::numeric / nullif(marked, 0), 6) as confirmed_share,
    round(100 * both_marked::numeric / nullif(other_marked, 0), 6) as other_confirmed_share
from pair
