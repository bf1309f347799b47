with
    counted as (
        select
            region_code,
            year,
            flag,
            action,
            count(*)::integer as rechecked_groups,
            count(*) filter (where recheck_outcome in ('raised', 'objective'))::integer as n,
            count(*) filter (where recheck_outcome = 'raised')::integer as raised_groups,
            count(*) filter (where recheck_outcome = 'objective')::integer as objective_groups,
            count(*) filter (where recheck_outcome = 'undecided')::integer as undecided_groups,
            sum(works)::integer as works,
            sum(raised)::integer as raised_works,
            sum(objective)::integer as objective_works,
            {{ parameter("control", "interval_z", "year") }} as z
        from {{ ref("mart_objectivity__recheck_group") }}
        group by region_code, year, flag, action
    )

select
    region_code,
    year,
    flag,
    action,
    rechecked_groups,
    n,
    raised_groups,
    objective_groups,
    undecided_groups,
    round(100.0 * raised_groups / nullif(n, 0), 6)::numeric(18, 6) as raised_share,
    round(100 * {{ wilson_bound("-", "raised_groups", "n", "z") }}, 6)::numeric(18, 6) as raised_lower_bound,
    round(100 * {{ wilson_bound("+", "raised_groups", "n", "z") }}, 6)::numeric(18, 6) as raised_upper_bound,
    works,
    raised_works,
    round(100.0 * raised_works / works, 6)::numeric(18, 6) as raised_works_share,
    objective_works,
    round(100.0 * objective_works / works, 6)::numeric(18, 6) as objective_works_share
from counted
