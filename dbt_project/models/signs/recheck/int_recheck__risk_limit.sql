{%- set limits = "acceptable, unacceptable, accuse_limit, miss_limit, works_min, works_max, remarked_max" -%}
with
    worked as (
        select
            year,
            {{ parameter("control_parameter", "plan_acceptable", "year") }} / 100 as acceptable,
            {{ parameter("control_parameter", "plan_unacceptable", "year") }} / 100 as unacceptable,
            {{ parameter("control_parameter", "plan_accuse_risk", "year") }} / 100 as accuse_limit,
            {{ parameter("control_parameter", "plan_miss_risk", "year") }} / 100 as miss_limit,
            {{ parameter("control_parameter", "recheck_works_min", "year") }} as works_min,
            {{ parameter("control_parameter", "plan_works_max", "year") }}::integer as works_max,
            {{ parameter("control_parameter", "plan_remarked_max", "year") }}::integer as remarked_max
        from (select distinct year from {{ ref("int_work__region_scale") }} where procedure_code = 'vpr') as work_year
    )

select year, dense_rank() over (order by {{ limits }})::integer as set_no, {{ limits }}
from worked
