with
    organisation as (
        select region_code, year, organisation_code, count(*) as markers, count(*) filter (where is_marked) as marks
        from {{ ref("int_objectivity__marker") }}
        group by region_code, year, organisation_code
    )

select
    organisation.region_code,
    organisation.year,
    organisation.organisation_code,
    organisation.markers::integer as markers,
    organisation.marks::integer as marks,
    coalesce(previous.marks, 0)::integer as previous_marks,
    case
        when organisation.marks = 0
        then 'none'
        when
            organisation.marks >= {{ parameter("leader", "repeated_marks", "organisation.year") }} or previous.marks > 0
        then 'repeated'
        else 'single'
    end as state_code
from organisation
left join
    organisation as previous
    on organisation.region_code = previous.region_code
    and organisation.organisation_code = previous.organisation_code
    and organisation.year = previous.year + 1
