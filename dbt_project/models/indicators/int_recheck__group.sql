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

    tolerated as (
        select *, {{ parameter("control_parameter", "recheck_tolerance", "year") }} as tolerance
        from (select distinct year from work) as rechecked
    ),

    counted as (
        select
            work.region_code,
            work.year,
            work.grade,
            work.subject_code,
            work.organisation_code,
            count(*)::integer as works,
            count(*) filter (where work.difference > tolerated.tolerance)::integer as raised,
            count(*) filter (where work.difference < - tolerated.tolerance)::integer as lowered,
            count(*) filter (where abs(work.difference) <= tolerated.tolerance)::integer as objective,
            sum(work.difference)::integer as sum_difference
        from work
        inner join tolerated on work.year = tolerated.year
        group by work.region_code, work.year, work.grade, work.subject_code, work.organisation_code
    )

select
    region_code,
    year,
    grade,
    subject_code,
    organisation_code,
    works,
    raised,
    lowered,
    objective,
    sum_difference,
    case
        when works < {{ parameter("control_parameter", "recheck_works_min", "year") }}
        then 'insufficient'
        when 100.0 * objective >= {{ parameter("control_parameter", "recheck_objective_min", "year") }} * works
        then 'objective'
        when raised > lowered
        then 'raised'
        else 'imprecise'
    end as outcome
from counted
