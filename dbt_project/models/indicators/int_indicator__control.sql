with
    measured as (
        select
            region_code,
            year,
            organisation_code,
            'yearly_lowered' as indicator_code,
            count(*) filter (where mark < yearly_mark) as numerator,
            count(*) as denominator
        from {{ ref("int_gia__yearly_mark") }}
        group by region_code, year, organisation_code
        union all
        select
            region_code,
            year,
            organisation_code,
            'yearly_lowered_strongly',
            count(*) filter (where mark <= yearly_mark - 2),
            count(*)
        from {{ ref("int_gia__yearly_mark") }}
        group by region_code, year, organisation_code
        union all
        select
            region_code,
            year,
            organisation_code,
            'medal_unconfirmed',
            count(*) filter (where not is_confirmed),
            count(is_confirmed)
        from {{ ref("int_medal__confirmation") }}
        group by region_code, year, organisation_code
        union all
        select
            region_code,
            year,
            organisation_code,
            'medal_unfounded',
            count(*) filter (where not is_confirmed and is_issued),
            count(is_confirmed) filter (where is_issued)
        from {{ ref("int_medal__confirmation") }}
        group by region_code, year, organisation_code
        union all
        select region_code, year, organisation_code, 'recheck_objective', sum(objective), sum(works)
        from {{ ref("int_recheck__group") }}
        group by region_code, year, organisation_code
    )

select
    region_code,
    year,
    organisation_code,
    indicator_code,
    numerator::numeric as numerator,
    denominator::numeric as denominator,
    denominator::integer as n
from measured
where denominator > 0
