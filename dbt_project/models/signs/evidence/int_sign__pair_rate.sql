with
    class as (
        select *, (sum(similar_pairs) over same_class)::numeric / sum(pairs) over same_class as class_share
        from {{ ref("int_sign__pair_count") }}
        window same_class as (partition by region_code, test_id, group_no, class_label)
    ),

    work as (
        select
            test.region_code,
            test.test_id,
            test.pair_smoothing,
            percentile_disc(1 - test.pair_class_share::double precision) within group (
                order by judged.class_share
            ) as highest_share
        from (select distinct region_code, test_id, group_no, class_label, class_share from class) as judged
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        group by test.region_code, test.test_id, test.pair_smoothing, test.pair_class_share
    )

select
    class.region_code,
    class.test_id,
    class.score_tenth,
    sum(class.pairs)::bigint as pairs,
    sum(class.similar_pairs)::bigint as similar_pairs,
    round((sum(class.similar_pairs) + work.pair_smoothing) / (sum(class.pairs) + work.pair_smoothing), 12) as rate
from class
inner join work using (region_code, test_id)
where class.class_share <= work.highest_share
group by class.region_code, class.test_id, class.score_tenth, work.pair_smoothing
