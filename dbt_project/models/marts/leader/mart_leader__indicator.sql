with
    score as (select * from {{ ref("int_leader__score") }}),

    -- Sums inside the direction, then over the directions that have any indicator at all.
    in_direction as (
        select
            *,
            sum(indicator_weight) over direction as applicable_weight,
            sum(indicator_weight) filter (where is_available) over direction as available_weight
        from score
        window direction as (partition by region_code, year, organisation_code, person_hash, direction_no)
    ),

    share as (
        select
            *,
            direction_weight * indicator_weight / applicable_weight as nominal,
            case when is_available then direction_weight * indicator_weight / available_weight else 0 end as effective
        from in_direction
    ),

    indicator as (
        select
            region_code,
            year,
            organisation_code,
            person_hash,
            scorecard_code,
            indicator_code,
            value,
            numerator,
            denominator,
            n,
            score,
            is_available,
            string_agg(direction_no::text, ' ' order by direction_no) as directions,
            sum(nominal) as nominal,
            sum(effective) as effective
        from share
        group by
            region_code,
            year,
            organisation_code,
            person_hash,
            scorecard_code,
            indicator_code,
            value,
            numerator,
            denominator,
            n,
            score,
            is_available
    )

select
    indicator.region_code,
    indicator.year,
    indicator.organisation_code,
    indicator.person_hash,
    indicator.scorecard_code,
    scorecard.title,
    indicator.directions,
    indicator.indicator_code,
    indicator.value,
    indicator.n,
    indicator.numerator,
    indicator.denominator,
    indicator.score,
    round(indicator.nominal / sum(indicator.nominal) over leader, 6)::numeric(7, 6) as weight,
    round(indicator.effective / nullif(sum(indicator.effective) over leader, 0), 6)::numeric(7, 6) as weight_in_total,
    indicator.is_available
from indicator
inner join
    {{ ref("leader_scorecard") }} as scorecard
    on indicator.scorecard_code = scorecard.scorecard_code
    and {{ valid_in("scorecard", "indicator.year", "leader") }}
window
    leader as (partition by indicator.region_code, indicator.year, indicator.organisation_code, indicator.person_hash)
