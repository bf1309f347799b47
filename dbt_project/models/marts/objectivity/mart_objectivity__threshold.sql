with
    placed as (
        select stat.*, organisation_year.municipality_code
        from {{ ref("int_result__work_stat") }} as stat
        left join
            {{ ref("int_organisation__year") }} as organisation_year
            on stat.region_code = organisation_year.region_code
            and stat.organisation_code = organisation_year.organisation_code
            and stat.year = organisation_year.year
        where stat.procedure_code in ('ege', 'oge') and stat.judged > 0
    ),

    leveled as (
        select
            placed.region_code,
            object.object_level,
            object.object_id,
            placed.procedure_code,
            placed.subject_code,
            placed.year,
            sum(placed.judged)::integer as n,
            sum(placed.passed)::integer as passed,
            100.0 * sum(placed.passed) / sum(placed.judged) as pass_share
        from placed
        cross join
            lateral(
                values
                    ('organisation', placed.organisation_code),
                    ('municipality', placed.municipality_code),
                    ('region', placed.region_code::text)
            ) as object(object_level, object_id)
        where object.object_id is not null
        group by
            placed.region_code,
            object.object_level,
            object.object_id,
            placed.procedure_code,
            placed.subject_code,
            placed.year
    ),

    followed as (
        select
            now.*,
            {{ parameter("control", "threshold_participants_min", "now.year") }} as participants_min,
            {{ parameter("control", "threshold_change", "now.year") }} as change_limit,
            {{ parameter("control", "threshold_z", "now.year") }} as z,
            last.n as previous_n,
            last.passed as previous_passed,
            now.pass_share - last.pass_share as change,
            now.passed - last.passed as passed_change,
            -- The least-squares slope of three consecutive years.
            case when last.n is not null then (now.pass_share - before_last.pass_share) / 2 end as slope
        from leveled as now
        left join
            leveled as last
            on now.region_code = last.region_code
            and now.object_level = last.object_level
            and now.object_id = last.object_id
            and now.procedure_code = last.procedure_code
            and now.subject_code = last.subject_code
            and now.year = last.year + 1
        left join
            leveled as before_last
            on now.region_code = before_last.region_code
            and now.object_level = before_last.object_level
            and now.object_id = before_last.object_id
            and now.procedure_code = before_last.procedure_code
            and now.subject_code = before_last.subject_code
            and now.year = before_last.year + 2
    ),

    tested as (
        select
            *,
            max(change) filter (where object_level = 'region') over (
                partition by region_code, procedure_code, subject_code, year
            ) as region_change,
            100 * sqrt(
                (passed + previous_passed)::numeric
                * (n + previous_n - passed - previous_passed)
                / (n + previous_n)
                / (n + previous_n)
                * (1.0 / n + 1.0 / previous_n)
            ) as change_error
        from followed
    )

select
    region_code,
    object_level,
    object_id,
    procedure_code,
    subject_code,
    year,
    n,
    passed,
    round(pass_share, 6)::numeric(18, 6) as pass_share,
    previous_n,
    previous_passed,
    passed_change,
    round(change, 6)::numeric(18, 6) as change,
    round(change_error, 6)::numeric(18, 6) as change_error,
    round(region_change, 6)::numeric(18, 6) as region_change,
    round(slope, 6)::numeric(18, 6) as slope,
    case
        when n < participants_min or coalesce(previous_n, 0) < participants_min
        then 'insufficient'
        when abs(change) >= change_limit and abs(change) > z * change_error
        then case when change < 0 then 'fell' else 'rose' end
        else 'steady'
    end as dynamics
from tested
