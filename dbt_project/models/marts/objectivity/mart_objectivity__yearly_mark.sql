{%- set signs = {"lowered": "n", "lowered_strongly": "n"} -%}
with
    counted as (
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
            region_code,
            year,
            {{ parameter("control", "participants_min", "year") }} as participants_min,
            {{ parameter("control", "yearly_lowered_limit", "year") }} as lowered_limit,
            {{ parameter("control", "yearly_strongly_limit", "year") }} as strongly_limit,
            {{ parameter("control", "sign_p", "year") }} as p_limit
        from (select distinct region_code, year from counted) as examined
    ),

    compared as ({{ against_region("counted", "region_code, year, procedure_code, subject_code", signs) }})

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
    {%- for sign in signs %}
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
from compared
inner join limits using (region_code, year)
