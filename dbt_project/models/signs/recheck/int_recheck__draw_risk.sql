with
    population as (
        select
            set_no,
            works,
            remarked_max,
            floor(works * acceptable)::integer as acceptable_works,
            greatest(ceil(works * unacceptable), floor(works * acceptable) + 1)::integer as unacceptable_works
        from
            (
                select distinct set_no, acceptable, unacceptable, works_max, remarked_max
                from {{ ref("int_recheck__risk_limit") }}
            ) as risk_set
        cross join lateral generate_series(1, works_max) as works
    ),

    logarithm as ({{ ln_factorials("(select max(works_max) from " ~ ref("int_recheck__risk_limit") ~ ")") }}),

    -- Materialised, lest the sort below carries the array of logarithms with every row.
    chance as materialized(
        select
            population.*,
            remarked,
            raised,
            {{ hypergeometric("raised", "remarked", "acceptable_works", "works", "ln_factorial") }}
            as chance_of_acceptable,
            {{ hypergeometric("raised", "remarked", "unacceptable_works", "works", "ln_factorial") }}
            as chance_of_unacceptable
        from population
        cross join logarithm
        cross join
            lateral(
                select generate_series(1, least(works, remarked_max))
                union
                select works
            ) as draw(remarked)
        cross join lateral generate_series(0, least(remarked, unacceptable_works)) as raised
    )

select
    set_no,
    works,
    remarked,
    raised,
    acceptable_works,
    unacceptable_works,
    sum(chance_of_acceptable) over (draw order by raised desc) as accuse_chance,
    coalesce(
        sum(chance_of_unacceptable) over (draw order by raised rows between unbounded preceding and 1 preceding), 0
    ) as miss_chance
from chance
window draw as (partition by set_no, works, remarked)
