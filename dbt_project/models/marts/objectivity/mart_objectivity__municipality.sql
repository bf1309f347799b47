{{ config(indexes=[{"columns": ["region_code", "municipality_code", "year"]}]) }}

with
    placed as (
        select
            sign.region_code, organisation.municipality_code, sign.year, sign.detector_code, organisation_code, sign.z
        from ({{ signs_to_sum() }}) as sign
        inner join {{ ref("int_organisation__year") }} as organisation using (region_code, organisation_code, year)
        where organisation.municipality_code is not null
    ),

    summed as (
        select
            region_code,
            municipality_code,
            year,
            detector_code,
            count(*)::integer as groups,
            count(distinct organisation_code)::integer as organisations,
            sum(z) as sum_z,
            sum(z) / sqrt(count(*)::numeric) as s
        from placed
        group by region_code, municipality_code, year, detector_code
    ),

    spread as (
        select region_code, year, detector_code, count(*)::integer as municipalities, {{ median_and_half_width("s") }}
        from summed
        group by region_code, year, detector_code
    )

select
    summed.region_code,
    summed.municipality_code,
    summed.year,
    summed.detector_code,
    summed.organisations,
    summed.groups,
    round(summed.sum_z, 6)::numeric(18, 6) as sum_z,
    round(summed.sum_z / summed.groups, 6)::numeric(18, 6) as mean_z,
    spread.municipalities,
    case
        when spread.municipalities >= {{ parameter("objectivity", "calibration_groups_min", "summed.year") }}
        then round((summed.s - spread.median) / nullif(spread.half_width, 0), 6)
    end::numeric(18, 6) as z
from summed
inner join spread using (region_code, year, detector_code)
