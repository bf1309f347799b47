with
    counted as (
        select
            string_class.region_code,
            string_class.test_id,
            string_class.group_no,
            string_class.class_label,
            'sim_dup' as detector_code,
            sum(string_class.pairs)::bigint as pairs,
            sum(string_class.equal_pairs)::integer as k,
            round(school.class_ratio * sum(string_class.pairs * rate.rate), 6) as lambda,
            school.phi
        from {{ ref("int_sign__string_class") }} as string_class
        inner join {{ ref("int_sign__string_rate") }} as rate using (region_code, test_id, variant, total)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join {{ ref("int_sign__sim_dup") }} as school using (region_code, test_id, group_no)
        where test.unit_kind = 'organisation' and string_class.total <= test.full_score_share * test.max_score
        group by
            string_class.region_code,
            string_class.test_id,
            string_class.group_no,
            string_class.class_label,
            school.class_ratio,
            school.phi
        union all
        select
            pair_count.region_code,
            pair_count.test_id,
            pair_count.group_no,
            pair_count.class_label,
            'sim_pairs' as detector_code,
            sum(pair_count.pairs)::bigint as pairs,
            sum(pair_count.similar_pairs)::integer as k,
            round(sum(pair_count.pairs * rate.rate), 6) as lambda,
            school.phi
        from {{ ref("int_sign__pair_count") }} as pair_count
        inner join {{ ref("int_sign__pair_rate") }} as rate using (region_code, test_id, score_tenth)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join {{ ref("int_sign__sim_pairs") }} as school using (region_code, test_id, group_no)
        where test.unit_kind = 'organisation'
        group by pair_count.region_code, pair_count.test_id, pair_count.group_no, pair_count.class_label, school.phi
    )

select region_code, test_id, group_no, class_label, detector_code, pairs, k, lambda, phi, mid_p::numeric as mid_p
from ({{ negative_binomial_mid_p("counted", "region_code, test_id, group_no, class_label, detector_code") }}) as tail
