with
    limits as (select distinct set_no, works_min, accuse_limit, miss_limit from {{ ref("int_recheck__risk_limit") }}),

    -- The fewest works that keep both risks; of their critical numbers the smallest.
    plan as (
        select distinct on (set_no, risk.works) risk.*
        from {{ ref("int_recheck__draw_risk") }} as risk
        inner join limits using (set_no)
        where
            risk.remarked >= least(limits.works_min, risk.works)
            and round(risk.accuse_chance::numeric, 9) <= limits.accuse_limit
            and round(risk.miss_chance::numeric, 9) <= limits.miss_limit
        order by set_no, risk.works, risk.remarked, risk.raised
    )

select
    year_set.region_code,
    year_set.year,
    plan.works,
    plan.remarked as works_to_remark,
    plan.raised as raised_to_confirm,
    plan.acceptable_works,
    plan.unacceptable_works,
    round(100 * plan.accuse_chance::numeric, 6)::numeric(9, 6) as accuse_risk,
    round(100 * plan.miss_chance::numeric, 6)::numeric(9, 6) as miss_risk
from {{ ref("int_recheck__risk_limit") }} as year_set
inner join plan using (set_no)
