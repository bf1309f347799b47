{{ config(indexes=[{"columns": ["region_code", "municipality_code", "year"]}]) }}

with
    placed as (
        select
            calibrated.region_code,
            organisation_year.municipality_code,
            test.year,
            calibrated.detector_code,
            groups.organisation_code,
            least(
                greatest(calibrated.z, {{ parameter("objectivity_parameter", "pool_z_min", "test.year") }}),
                {{ parameter("objectivity_parameter", "pool_z_max", "test.year") }}
            ) as z
        from {{ ref("int_sign__calibrated") }} as calibrated
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join
            {{ ref("int_organisation__year") }} as organisation_year
            on groups.region_code = organisation_year.region_code
            and groups.organisation_code = organisation_year.organisation_code
            and test.year = organisation_year.year
        where
            test.procedure_code = 'vpr'
            and test.unit_kind = 'organisation'
            and organisation_year.municipality_code is not null
            and calibrated.detector_code
            in ({% for detector in sign_detectors() -%}'{{ detector }}'{{ ", " if not loop.last }} {%- endfor %})
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
        select
            region_code,
            year,
            detector_code,
            count(*)::integer as municipalities,
            (percentile_cont(0.5) within group (order by s))::numeric as median,
            (percentile_cont(0.84) within group (order by s) - percentile_cont(0.16) within group (order by s))::numeric
            / 2 as half_width
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
        when spread.municipalities >= {{ parameter("objectivity_parameter", "calibration_groups_min", "summed.year") }}
        then round((summed.s - spread.median) / nullif(spread.half_width, 0), 6)
    end::numeric(18, 6) as z
from summed
inner join spread using (region_code, year, detector_code)
