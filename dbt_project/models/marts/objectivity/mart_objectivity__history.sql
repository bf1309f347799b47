with
    -- A school counts once a year, whatever the number of its groups.
    event as (
        select region_code, organisation_code, year, 'flagged' as kind
        from {{ ref("mart_objectivity__sign") }}
        where flag in ('red', 'amber')
        union
        select region_code, organisation_code, year, 'listed' as kind
        from {{ at_organisation(ref("fct_federal_listing"), in_force_on("assessment", "fact.year")) }} as listing
        where is_listed
        union
        select region_code, organisation_code, year, 'observed' as kind
        from {{ at_organisation(ref("fct_observation"), in_force_on("assessment", "fact.year")) }} as observation
        where is_observed
    ),

    limits as (
        select region_code, year, {{ parameter("control", "history_years", "year") }} as history_years
        from (select distinct region_code, year from event where kind = 'flagged') as flagged_year
    )

select
    school.region_code,
    school.organisation_code,
    school.year,
    {%- for kind in ("flagged", "listed", "observed") %}
        count(*) filter (where event.kind = '{{ kind }}')::integer as years_{{ kind }} {{- "," if not loop.last }}
    {%- endfor %}
from event as school
inner join limits on school.region_code = limits.region_code and school.year = limits.year
inner join
    event
    on school.region_code = event.region_code
    and school.organisation_code = event.organisation_code
    and event.year > school.year - limits.history_years
    and event.year <= school.year
where school.kind = 'flagged'
group by school.region_code, school.organisation_code, school.year
