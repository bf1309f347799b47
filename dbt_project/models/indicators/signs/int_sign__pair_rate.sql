{{ config(post_hook="analyze {{ this }}") }}

with
    class as (
        select
            region_code,
            test_id,
            group_no,
            class_label,
            percent_rank() over (
                partition by region_code, test_id order by sum(similar_pairs)::numeric / sum(pairs), sum(pairs)
            ) as similarity_rank
        from {{ ref("int_sign__pair_count") }}
        group by region_code, test_id, group_no, class_label
    )

select
    counted.region_code,
    counted.test_id,
    counted.score_tenth,
    sum(counted.pairs)::bigint as pairs,
    sum(counted.similar_pairs)::bigint as similar_pairs,
    round((sum(counted.similar_pairs) + test.pair_smoothing) / (sum(counted.pairs) + test.pair_smoothing), 12) as rate
from {{ ref("int_sign__pair_count") }} as counted
inner join class using (region_code, test_id, group_no, class_label)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where class.similarity_rank <= 1 - test.pair_class_share
group by counted.region_code, counted.test_id, counted.score_tenth, test.pair_smoothing
