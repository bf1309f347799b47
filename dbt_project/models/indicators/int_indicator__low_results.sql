with
    organisation as (select * from {{ ref("int_low_results__organisation") }}),

    followed as (
        select
            organisation.region_code,
            organisation.year,
            organisation.organisation_code,
            organisation.procedures,
            organisation.is_low_results,
            case
                when organisation.is_low_results then 'low' when previous.is_low_results then 'left_low' else 'not_low'
            end as state_code
        from organisation
        left join
            organisation as previous
            on organisation.region_code = previous.region_code
            and organisation.organisation_code = previous.organisation_code
            and organisation.year = previous.year + 1
    )

select
    region_code,
    year,
    organisation_code,
    'low_results' as indicator_code,
    is_low_results::integer::numeric(18, 6) as numerator,
    1::numeric(18, 6) as denominator,
    procedures as n
from followed
union all
select
    followed.region_code,
    followed.year,
    followed.organisation_code,
    state.indicator_code,
    state.score::numeric(18, 6) as numerator,
    1::numeric(18, 6) as denominator,
    followed.procedures as n
from followed
inner join
    {{ ref("leader_state") }} as state
    on state.indicator_code = 'leader_not_low_results'
    and followed.state_code = state.state_code
    and {{ valid_in("state", "followed.year") }}
