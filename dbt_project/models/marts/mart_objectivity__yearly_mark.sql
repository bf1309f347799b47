with
    compared as (
        select
            region_code,
            year,
            procedure_code,
            subject_code,
            organisation_code,
            count(*)::integer as n,
            count(*) filter (where mark < yearly_mark)::integer as lowered,
            count(*) filter (where mark = yearly_mark)::integer as confirmed,
            count(*) filter (where mark > yearly_mark)::integer as raised,
            count(*) filter (where mark <= yearly_mark - 2)::integer as lowered_strongly
        from {{ ref("int_gia__yearly_mark") }}
        group by region_code, year, procedure_code, subject_code, organisation_code
    ),

    limits as (
        select
            *,
            {{ parameter("control_parameter", "participants_min", "year") }} as participants_min,
            {{ parameter("control_parameter", "yearly_lowered_limit", "year") }} as lowered_limit,
            {{ parameter("control_parameter", "yearly_strongly_limit", "year") }} as strongly_limit,
            {{ parameter("control_parameter", "sign_z", "year") }} as z
        from (select distinct year from compared) as examined
    ),

    placed as (
        select
            compared.*,
            limits.participants_min,
            limits.lowered_limit,
            limits.strongly_limit,
            100.0 * compared.lowered / compared.n as lowered_share,
            100.0 * compared.lowered_strongly / compared.n as strongly_share,
            100 * {{ wilson_bound("-", "compared.lowered", "compared.n", "limits.z") }} as lowered_lower,
            100 * {{ wilson_bound("-", "compared.lowered_strongly", "compared.n", "limits.z") }} as strongly_lower,
            100.0 * sum(compared.lowered) over work / sum(compared.n) over work as region_lowered_share,
            100.0 * sum(compared.lowered_strongly) over work / sum(compared.n) over work as region_strongly_share
        from compared
        inner join limits on compared.year = limits.year
        window
            work as (partition by compared.region_code, compared.year, compared.procedure_code, compared.subject_code)
    )

select
    region_code,
    year,
    procedure_code,
    subject_code,
    organisation_code,
    n,
    lowered,
    confirmed,
    raised,
    lowered_strongly,
    round(lowered_share, 6)::numeric(18, 6) as lowered_share,
    round(lowered_lower, 6)::numeric(18, 6) as lowered_lower_bound,
    round(region_lowered_share, 6)::numeric(18, 6) as region_lowered_share,
    round(strongly_share, 6)::numeric(18, 6) as lowered_strongly_share,
    round(strongly_lower, 6)::numeric(18, 6) as lowered_strongly_lower_bound,
    round(region_strongly_share, 6)::numeric(18, 6) as region_lowered_strongly_share,
    -- Where the whole region is marked down by a strict exam, nobody is asked to explain the region.
    case
        when n < participants_min
        then 'insufficient'
        when
            (lowered_share >= lowered_limit and lowered_lower > region_lowered_share)
            or (strongly_share >= strongly_limit and strongly_lower > region_strongly_share)
        then 'amber'
        else 'none'
    end as flag
from placed
