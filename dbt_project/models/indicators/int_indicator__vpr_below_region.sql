with
    work as (
        select
            region_code,
            year,
            organisation_code,
            low,
            marked,
            sum(low) over region_work as region_low,
            sum(marked) over region_work as region_marked
        from {{ ref("int_result__work_stat") }}
        where procedure_code = 'vpr' and marked > 0
        window region_work as (partition by region_code, year, grade, subject_code)
    )

-- The school is compared with the region on the same works: it could not choose which ones it was given.
select
    region_code,
    year,
    organisation_code,
    'vpr_low_below_region' as indicator_code,
    sum(round(region_low::numeric * marked / region_marked, 6) - low)::numeric(18, 6) as numerator,
    sum(marked)::numeric(18, 6) as denominator,
    sum(marked)::integer as n
from work
group by region_code, year, organisation_code
