with
    score as (
        select region_code, test_id, group_no, primary_score, sum(participants) as participants
        from {{ ref("int_sign__score_count") }}
        where participation = 'present' and primary_score is not null
        group by region_code, test_id, group_no, primary_score
    ),

    summed as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            groups.n,
            sum(score.participants) as near_boundary,
            sum(
                score.participants * (
                    case
                        score.primary_score - expected.min_score
                        when -2
                        then test.boundary_weight_below_2
                        when -1
                        then test.boundary_weight_below_1
                        when 0
                        then test.boundary_weight_at
                        else test.boundary_weight_above_1
                    end
                    - expected.mean_weight
                )
            ) as excess,
            sum(score.participants * expected.weight_variance) as variance
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join score using (region_code, test_id, group_no)
        inner join
            {{ ref("int_sign__boundary_null") }} as expected
            on groups.region_code = expected.region_code
            and groups.test_id = expected.test_id
            and groups.level_band = expected.level_band
            and score.primary_score between expected.min_score - 2 and expected.min_score + 1
        where groups.n >= test.n_min
        group by groups.region_code, groups.test_id, groups.group_no, groups.n
    )

select
    region_code,
    test_id,
    group_no,
    n,
    near_boundary::integer as near_boundary,
    round(excess, 6) as excess,
    round(excess / sqrt(variance), 6) as z
from summed
where variance > 0
