with
    -- Of commissions that marked one work again the highest decides.
    work as (
        select distinct
            on (region_code, year, grade, subject_code, organisation_code, participant_code)
            region_code,
            year,
            grade,
            subject_code,
            organisation_code,
            school_score,
            school_score - recheck_score as difference
        from {{ ref("fct_recheck") }}
        order by
            region_code,
            year,
            grade,
            subject_code,
            organisation_code,
            participant_code,
            array_position(array['federal', 'regional', 'municipal'], rechecked_by)
    ),

    limits as (
        select year, {{ parameter("control_parameter", "recheck_tolerance", "year") }} as tolerance
        from (select distinct year from work) as rechecked
    )

select
    work.region_code,
    work.year,
    work.grade,
    work.subject_code,
    work.organisation_code,
    kind.population,
    count(*)::integer as works,
    count(*) filter (where work.difference > limits.tolerance)::integer as raised,
    count(*) filter (where work.difference < - limits.tolerance)::integer as lowered,
    count(*) filter (where abs(work.difference) <= limits.tolerance)::integer as objective,
    sum(work.difference)::integer as sum_difference
from work
inner join limits on work.year = limits.year
left join
    {{ ref("int_work__scale") }} as scale
    on scale.procedure_code = 'vpr'
    and work.year = scale.year
    and work.grade = scale.grade
    and work.subject_code = scale.subject_code
cross join
    lateral(values ('all', true), ('boundary', {{ at_boundary("work.school_score", "scale") }})) as kind(
        population, is_in
    )
where kind.is_in
group by work.region_code, work.year, work.grade, work.subject_code, work.organisation_code, kind.population
