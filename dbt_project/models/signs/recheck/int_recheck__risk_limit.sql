{%- set limits = "acceptable, unacceptable, accuse_limit, miss_limit, works_min, works_max, remarked_max" -%}
with
    worked as (
        select
            region_code,
            year,
            {{ parameter("control", "plan_acceptable", "year") }} / 100 as acceptable,
            {{ parameter("control", "plan_unacceptable", "year") }} / 100 as unacceptable,
            {{ parameter("control", "plan_accuse_risk", "year") }} / 100 as accuse_limit,
            {{ parameter("control", "plan_miss_risk", "year") }} / 100 as miss_limit,
            {{ parameter("control", "recheck_works_min", "year") }} as works_min,
            {{ parameter("control", "plan_works_max", "year") }}::integer as works_max,
            {{ parameter("control", "plan_remarked_max", "year") }}::integer as remarked_max
        from
            (
                select distinct region_code, year from {{ ref("int_work__region_scale") }} where procedure_code = 'vpr'
            ) as work_year
    )

select region_code, year, dense_rank() over (order by {{ limits }})::integer as set_no, {{ limits }}
from worked
