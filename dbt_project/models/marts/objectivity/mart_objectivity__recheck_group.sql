with
    -- Without a flag there is no mechanism to say which works to look at: all of them.
    placed as (
        select
            recheck.region_code,
            recheck.year,
            recheck.grade,
            recheck.subject_code,
            recheck.organisation_code,
            looked_at.*,
            coalesce(sign.flag, 'unknown') as flag,
            sign.mechanism,
            action.action,
            greatest(population.works, looked_at.works) as group_works,
            {{ parameter("control", "plan_acceptable", "recheck.year") }} / 100 as acceptable,
            {{ parameter("control", "plan_accuse_risk", "recheck.year") }} / 100 as accuse_limit,
            {{ parameter("control", "recheck_works_min", "recheck.year") }} as works_min,
            {{ parameter("control", "plan_works_max", "recheck.year") }} as works_max
        from {{ ref("int_recheck__group") }} as recheck
        left join
            {{ ref("mart_objectivity__sign") }} as sign
            on recheck.region_code = sign.region_code
            and recheck.organisation_code = sign.organisation_code
            and recheck.year = sign.year
            and recheck.grade = sign.grade
            and recheck.subject_code = sign.subject_code
        left join
            {{ ref("control_action") }} as action
            on sign.flag in ('red', 'amber')
            and sign.mechanism = action.mechanism
            and {{ valid_in("action", "recheck.year") }}
        cross join
            lateral(
                values
                    ('all', recheck.works, recheck.raised, recheck.lowered, recheck.objective, recheck.sum_difference),
                    (
                        'boundary',
                        recheck.boundary_works,
                        recheck.boundary_raised,
                        recheck.boundary_lowered,
                        recheck.boundary_objective,
                        recheck.boundary_sum_difference
                    )
            ) as looked_at(population, works, raised, lowered, objective, sum_difference)
        left join
            {{ ref("int_recheck__population") }} as population
            on recheck.region_code = population.region_code
            and recheck.organisation_code = population.organisation_code
            and recheck.year = population.year
            and recheck.grade = population.grade
            and recheck.subject_code = population.subject_code
            and looked_at.population = population.population
        where looked_at.population = coalesce(action.population, 'all') and looked_at.works > 0
    ),

    logarithm as ({{ ln_factorials("(select max(group_works) from placed)") }}),

    tested as (
        select
            placed.*,
            (
                select
                    round(
                        sum(
                            {{
                                hypergeometric(
                                    "k",
                                    "placed.works",
                                    "floor(placed.group_works * placed.acceptable)::integer",
                                    "placed.group_works",
                                    "logarithm.ln_factorial",
                                )
                            }}
                        )::numeric,
                        9
                    )
                from generate_series(placed.raised, placed.works) as k
            ) as p
        from placed
        cross join logarithm
    )

select
    tested.region_code,
    tested.year,
    tested.grade,
    tested.subject_code,
    tested.organisation_code,
    tested.flag,
    tested.mechanism,
    tested.action,
    tested.population,
    tested.group_works,
    tested.works,
    plan.works_to_remark,
    tested.raised,
    tested.lowered,
    tested.objective,
    round(100.0 * tested.objective / tested.works, 6)::numeric(18, 6) as objective_share,
    round(tested.sum_difference::numeric / tested.works, 6)::numeric(18, 6) as mean_difference,
    tested.p::double precision as p,
    case
        when tested.works < least(tested.works_min, tested.group_works)
        then 'insufficient'
        when tested.p <= tested.accuse_limit
        then 'raised'
        when tested.works >= plan.works_to_remark
        then 'objective'
        else 'undecided'
    end as recheck_outcome
from tested
left join
    {{ ref("mart_objectivity__recheck_plan") }} as plan
    on tested.region_code = plan.region_code
    and tested.year = plan.year
    and least(tested.group_works, tested.works_max) = plan.works
