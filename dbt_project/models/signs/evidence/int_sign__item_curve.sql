{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    counted as (
        select
            participant.region_code,
            participant.test_id,
            participant.variant,
            participant.total,
            item.item_no::smallint as item_no,
            item.item_score,
            count(*) as participants
        from {{ ref("int_sign__participant") }} as participant
        cross join lateral unnest(participant.scores)
        with ordinality as item(item_score, item_no)
        where {{ only_new_tests("participant.test_id") }} and item.item_score is not null
        group by
            participant.region_code,
            participant.test_id,
            participant.variant,
            participant.total,
            item.item_no,
            item.item_score
    ),

    smoothed as (
        select
            counted.region_code,
            counted.test_id,
            counted.variant,
            (counted.total + shift.by)::smallint as total,
            counted.item_no,
            counted.item_score,
            sum(case when shift.by = 0 then counted.participants else 0 end)::integer as participants,
            sum(counted.participants * shift.weight)::bigint as weight
        from counted
        cross join (values (-1, 1), (0, 2), (1, 1)) as shift(by, weight)
        group by
            counted.region_code,
            counted.test_id,
            counted.variant,
            counted.total + shift.by,
            counted.item_no,
            counted.item_score
    ),

    shared as (
        select
            *,
            sum(participants) over cell as cell_participants,
            weight / sum(weight) over cell as share,
            round(ln(weight / sum(weight) over cell), 6) as ln_p
        from smoothed
        window cell as (partition by region_code, test_id, variant, total, item_no)
    )

select
    region_code,
    test_id,
    variant,
    total,
    item_no,
    item_score,
    participants,
    round(share, 6) as share,
    ln_p,
    round(sum(item_score * share) over cell, 6) as expected_score,
    round(
        sum(item_score * item_score * share) over cell
        - (sum(item_score * share) over cell) * (sum(item_score * share) over cell),
        6
    ) as score_variance,
    round(sum(ln_p * share) over cell, 6) as expected_ln_p,
    round(
        sum(ln_p * ln_p * share) over cell - (sum(ln_p * share) over cell) * (sum(ln_p * share) over cell), 6
    ) as ln_p_variance
from shared
where cell_participants > 0
window cell as (partition by region_code, test_id, variant, total, item_no)
