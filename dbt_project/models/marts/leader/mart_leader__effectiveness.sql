with
    direction as (select * from {{ ref("mart_leader__direction") }}),

    total as (
        select
            region_code,
            year,
            organisation_code,
            person_hash,
            round(
                100 * sum(direction_weight * score) / sum(direction_weight) filter (where score is not null), 4
            )::numeric(7, 4) as total,
            round(sum(direction_weight * weight_available) / sum(direction_weight), 4)::numeric(
                7, 6
            ) as weight_available
            {%- for number in range(1, 10) %}
                , max(score) filter (where direction_no = {{ number }}) as direction_{{ number }}
            {%- endfor %}
        from direction
        group by region_code, year, organisation_code, person_hash
    ),

    counted as (
        select
            region_code,
            year,
            organisation_code,
            person_hash,
            count(distinct scorecard_code) filter (where is_available) as n_indicators_available,
            count(distinct scorecard_code) as n_indicators_applicable
        from {{ ref("int_leader__score") }}
        group by region_code, year, organisation_code, person_hash
    ),

    described as (
        select
            total.*,
            in_office.position,
            in_office.valid_from as in_office_from,
            in_office.days_in_office,
            organisation.organisation_kind,
            organisation.municipality_code,
            counted.n_indicators_available,
            counted.n_indicators_applicable,
            total.weight_available >= {{ parameter("leader", "rank_weight_min", "total.year") }} as is_ranked
        from total
        inner join
            counted
            on total.region_code = counted.region_code
            and total.year = counted.year
            and total.organisation_code = counted.organisation_code
        inner join
            {{ ref("int_leader__in_office") }} as in_office
            on total.region_code = in_office.region_code
            and total.year = in_office.year
            and total.organisation_code = in_office.organisation_code
        inner join
            {{ ref("int_organisation__year") }} as organisation
            on total.region_code = organisation.region_code
            and total.year = organisation.year
            and total.organisation_code = organisation.organisation_code
    ),

    -- Schools and preschools have different cards, so each kind has its own ranking.
    ranking as (
        select
            region_code,
            year,
            organisation_code,
            rank() over (partition by region_code, year, organisation_kind order by total desc) as rank,
            count(*) over (partition by region_code, year, organisation_kind) as n_ranked
        from described
        where is_ranked and total is not null
    )

select
    described.region_code,
    described.year,
    described.organisation_code,
    described.person_hash,
    described.position,
    described.in_office_from,
    described.days_in_office::integer as days_in_office,
    described.organisation_kind,
    described.municipality_code,
    described.total,
    band.band_code,
    band.title as band,
    described.weight_available,
    described.n_indicators_available::integer as n_indicators_available,
    described.n_indicators_applicable::integer as n_indicators_applicable,
    ranking.rank::integer as rank,
    ranking.n_ranked::integer as n_ranked
    {%- for number in range(1, 10) %}, described.direction_{{ number }} {%- endfor %}
from described
left join
    ranking
    on described.region_code = ranking.region_code
    and described.year = ranking.year
    and described.organisation_code = ranking.organisation_code
left join
    lateral(
        select leader_band.band_code, leader_band.title
        from {{ ref("leader_band") }} as leader_band
        where leader_band.lower_bound <= described.total and {{ valid_in("leader_band", "described.year", "leader") }}
        order by leader_band.lower_bound desc
        limit 1
    ) as band
    on true
