with
    leader as (
        select
            in_office.region_code,
            in_office.year,
            in_office.organisation_code,
            in_office.person_hash,
            organisation.organisation_kind
        from {{ ref("int_leader__in_office") }} as in_office
        inner join
            {{ ref("int_organisation__year") }} as organisation
            on in_office.region_code = organisation.region_code
            and in_office.organisation_code = organisation.organisation_code
            and in_office.year = organisation.year
    ),

    measured as (
        select
            leader.region_code,
            leader.year,
            leader.organisation_code,
            leader.person_hash,
            direction.direction_no,
            card.scorecard_code,
            card.indicator_code,
            card.lo,
            card.hi,
            card.is_reverse,
            direction.weight as direction_weight,
            card.weight as indicator_weight,
            indicator_value.numerator,
            indicator_value.denominator,
            indicator_value.n,
            indicator_value.value
        from leader
        inner join
            {{ ref("leader_scorecard") }} as card
            on card.applies_to in ('both', leader.organisation_kind)
            and {{ valid_in("card", "leader.year", "leader") }}
        inner join
            {{ ref("leader_scorecard_direction") }} as card_direction
            on card.scorecard_code = card_direction.scorecard_code
            and {{ valid_in("card_direction", "leader.year", "leader") }}
        inner join
            {{ ref("leader_direction") }} as direction
            on card_direction.direction_no = direction.direction_no
            and {{ valid_in("direction", "leader.year", "leader") }}
        left join
            {{ ref("fct_indicator_value") }} as indicator_value
            on leader.region_code = indicator_value.region_code
            and leader.year = indicator_value.year
            and indicator_value.object_level = 'organisation'
            and leader.organisation_code = indicator_value.object_id
            and card.indicator_code = indicator_value.indicator_code
    ),

    scored as (
        -- greatest() and least() pass over NULL: without the condition a missing value would score 0.
        select
            *,
            case when value is not null then least(1, greatest(0, round((value - lo) / (hi - lo), 6))) end as raw_score
        from measured
    )

select
    region_code,
    year,
    organisation_code,
    person_hash,
    direction_no,
    scorecard_code,
    indicator_code,
    numerator,
    denominator,
    n,
    value,
    (case when is_reverse then 1 - raw_score else raw_score end)::numeric(7, 6) as score,
    value is not null as is_available,
    direction_weight,
    indicator_weight
from scored
