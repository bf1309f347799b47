with
    cut as (
        select test.region_code, test.test_id, cut.mark, cut.min_score, near.score::smallint as score, near.weight
        from {{ ref("int_sign__test") }} as test
        cross join
            lateral(values (3, test.min_score_3), (4, test.min_score_4), (5, test.min_score_5)) as cut(mark, min_score)
        cross join
            lateral(
                values
                    (cut.min_score - 2, test.boundary_weight_below_2),
                    (cut.min_score - 1, test.boundary_weight_below_1),
                    (cut.min_score, test.boundary_weight_at),
                    (cut.min_score + 1, test.boundary_weight_above_1)
            ) as near(score, weight)
        where cut.min_score is not null
    ),

    score as (
        select
            counted.region_code,
            counted.test_id,
            groups.level_band,
            counted.primary_score,
            sum(counted.participants) as participants
        from {{ ref("int_sign__score_count") }} as counted
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        where counted.participation = 'present' and counted.primary_score is not null
        group by counted.region_code, counted.test_id, groups.level_band, counted.primary_score
    )

select
    cut.region_code,
    cut.test_id,
    score.level_band,
    cut.mark::smallint as mark,
    cut.min_score,
    sum(score.participants)::integer as participants,
    coalesce(sum(score.participants) filter (where cut.score = cut.min_score), 0)::integer as participants_at,
    coalesce(sum(score.participants) filter (where cut.score = cut.min_score - 1), 0)::integer as participants_below,
    round(sum(score.participants * cut.weight) / sum(score.participants), 9) as mean_weight,
    round(
        sum(score.participants * cut.weight * cut.weight) / sum(score.participants)
        - (sum(score.participants * cut.weight) / sum(score.participants))
        * (sum(score.participants * cut.weight) / sum(score.participants)),
        9
    ) as weight_variance
from cut
inner join
    score on cut.region_code = score.region_code and cut.test_id = score.test_id and cut.score = score.primary_score
group by cut.region_code, cut.test_id, score.level_band, cut.mark, cut.min_score
