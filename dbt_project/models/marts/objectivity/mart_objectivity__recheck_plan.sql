{%- set risks = "acceptable, unacceptable, accuse_limit, miss_limit, works_min, works_max, remarked_max" -%}
with
    year_risk as (
        select
            year,
            {{ parameter("control_parameter", "plan_acceptable", "year") }} / 100 as acceptable,
            {{ parameter("control_parameter", "plan_unacceptable", "year") }} / 100 as unacceptable,
            {{ parameter("control_parameter", "plan_accuse_risk", "year") }} / 100 as accuse_limit,
            {{ parameter("control_parameter", "plan_miss_risk", "year") }} / 100 as miss_limit,
            {{ parameter("control_parameter", "recheck_works_min", "year") }} as works_min,
            {{ parameter("control_parameter", "plan_works_max", "year") }}::integer as works_max,
            {{ parameter("control_parameter", "plan_remarked_max", "year") }}::integer as remarked_max
        from (select distinct year from {{ ref("int_work__region_scale") }} where procedure_code = 'vpr') as worked
    ),

    risk_set as (
        select {{ risks }}, row_number() over (order by {{ risks }}) as set_no from year_risk group by {{ risks }}
    ),

    population as (
        select
            set_no,
            works,
            remarked_max,
            floor(works * acceptable)::integer as few,
            greatest(ceil(works * unacceptable), floor(works * acceptable) + 1)::integer as many
        from risk_set
        cross join lateral generate_series(1, works_max) as works
    ),

    logarithm as (
        select array_agg(ln_value order by k) as ln_factorial
        from
            (
                select k, sum(ln(greatest(k, 1)::double precision)) over (order by k) as ln_value
                from generate_series(0, (select max(works_max) from risk_set)) as k
            ) as summed
    ),

    -- Materialised, lest the sort below carries the array of logarithms with every row.
    chance as materialized(
        select
            population.*,
            remarked,
            raised,
            {{ hypergeometric("raised", "remarked", "few", "works", "ln_factorial") }} as chance_of_few,
            {{ hypergeometric("raised", "remarked", "many", "works", "ln_factorial") }} as chance_of_many
        from population
        cross join logarithm
        cross join
            lateral(
                select generate_series(1, least(works, remarked_max))
                union
                select works
            ) as draw(remarked)
        cross join lateral generate_series(0, least(remarked, many)) as raised
    ),

    risk as (
        select
            *,
            sum(chance_of_few) over (draw order by raised desc) as accuse_risk,
            coalesce(
                sum(chance_of_many) over (draw order by raised rows between unbounded preceding and 1 preceding), 0
            ) as miss_risk
        from chance
        window draw as (partition by set_no, works, remarked)
    ),

    -- The fewest works that keep both risks; of their critical numbers the smallest.
    plan as (
        select distinct on (set_no, works) risk.*
        from risk
        inner join risk_set using (set_no)
        where
            remarked >= least(works_min, works)
            and round(accuse_risk::numeric, 9) <= accuse_limit
            and round(miss_risk::numeric, 9) <= miss_limit
        order by set_no, works, remarked, raised
    )

select
    year_risk.year,
    plan.works,
    plan.remarked as works_to_remark,
    plan.raised as raised_to_confirm,
    plan.few as acceptable_works,
    plan.many as unacceptable_works,
    round(100 * plan.accuse_risk::numeric, 6)::numeric(9, 6) as accuse_risk,
    round(100 * plan.miss_risk::numeric, 6)::numeric(9, 6) as miss_risk
from year_risk
inner join risk_set using ({{ risks }})
inner join plan using (set_no)
