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
            year,
            {{ parameter("control_parameter", "participants_min", "year") }} as participants_min,
            {{ parameter("control_parameter", "yearly_lowered_limit", "year") }} as lowered_limit,
            {{ parameter("control_parameter", "yearly_strongly_limit", "year") }} as strongly_limit,
            {{ parameter("control_parameter", "sign_p", "year") }} as p_limit
        from (select distinct year from compared) as examined
    ),

    region as (
        select
            region_code,
            year,
            procedure_code,
            subject_code,
            sum(lowered)::numeric / sum(n) as lowered_share,
            sum(lowered_strongly)::numeric / sum(n) as lowered_strongly_share
        from compared
        group by region_code, year, procedure_code, subject_code
    ),

    placed as (
        select
            compared.*,
            limits.participants_min,
            limits.lowered_limit,
            limits.strongly_limit,
            limits.p_limit,
            100.0 * compared.lowered / compared.n as lowered_share,
            100.0 * compared.lowered_strongly / compared.n as lowered_strongly_share,
            100 * region.lowered_share as region_lowered_share,
            100 * region.lowered_strongly_share as region_lowered_strongly_share,
            {{ binomial_tail("compared.lowered", "compared.n", "region.lowered_share") }} as lowered_p,
            {{ binomial_tail("compared.lowered_strongly", "compared.n", "region.lowered_strongly_share") }}
            as lowered_strongly_p
        from compared
        inner join limits on compared.year = limits.year
        inner join
            region
            on compared.region_code = region.region_code
            and compared.year = region.year
            and compared.procedure_code = region.procedure_code
            and compared.subject_code = region.subject_code
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
    {%- for sign in ("lowered", "lowered_strongly") %}
        round({{ sign }}_share, 6)::numeric(18, 6) as {{ sign }}_share,
        round(region_{{ sign }}_share, 6)::numeric(18, 6) as region_{{ sign }}_share,
        round({{ sign }}_p::numeric, 9)::numeric(18, 9) as {{ sign }}_p,
    {%- endfor %}
    -- Where a strict exam lowers the whole region, nobody is asked to explain the region.
    case
        when n < participants_min
        then 'insufficient'
        when
            (lowered_share >= lowered_limit and lowered_p <= p_limit)
            or (lowered_strongly_share >= strongly_limit and lowered_strongly_p <= p_limit)
        then 'amber'
        else 'none'
    end as flag
from placed
