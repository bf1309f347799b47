{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

{%- set class_key = "region_code, test_id, group_no, class_label" -%}
with
    result as (
        select
            seat.region_code,
            seat.test_id,
            seat.group_no,
            coalesce(result.class_label, '') as class_label,
            result.participation = 'present' and result.primary_score is not null as is_counted,
            result.participation = 'absent' as is_absent,
            result.primary_score,
            result.primary_score in (test.min_score_3, test.min_score_4, test.min_score_5) as is_at,
            result.primary_score + 1 in (test.min_score_3, test.min_score_4, test.min_score_5) as is_below,
            result.journal_mark = {{ mark_of("result", "test") }} as is_agreed,
            test.n_min
        from {{ ref("fct_assessment_result") }} as result
        inner join {{ ref("int_sign__seat") }} as seat on {{ at_seat("result", "seat") }}
        inner join
            {{ ref("int_sign__test") }} as test on seat.region_code = test.region_code and seat.test_id = test.test_id
        where result.procedure_code = 'vpr'
    ),

    class as (
        select
            {{ class_key }},
            count(*) filter (where is_counted) as n,
            count(*) filter (where is_absent) as absent,
            avg(primary_score) filter (where is_counted) as mean_score,
            count(*) filter (where is_counted and is_at) as at_boundary,
            count(*) filter (where is_counted and is_below) as below_boundary,
            count(is_agreed) filter (where is_counted) as journal_compared,
            count(*) filter (where is_counted and is_agreed) as journal_agreed
        from result
        group by {{ class_key }}, n_min
        having count(*) filter (where is_counted) >= n_min
    ),

    sim_dup as (
        select
            string_class.region_code,
            string_class.test_id,
            string_class.group_no,
            string_class.class_label,
            school.phi,
            sum(string_class.pairs) as pairs,
            sum(string_class.equal_pairs)::integer as k,
            round(school.class_ratio * sum(string_class.pairs * rate.rate), 6) as lambda
        from {{ ref("int_sign__string_class") }} as string_class
        inner join {{ ref("int_sign__string_rate") }} as rate using (region_code, test_id, variant, total)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join {{ ref("int_sign__sim_dup") }} as school using (region_code, test_id, group_no)
        where test.procedure_code = 'vpr' and string_class.total <= test.full_score_share * test.max_score
        group by
            string_class.region_code,
            string_class.test_id,
            string_class.group_no,
            string_class.class_label,
            school.phi,
            school.class_ratio
    ),

    sim_pairs as (
        select
            pair_count.region_code,
            pair_count.test_id,
            pair_count.group_no,
            pair_count.class_label,
            school.phi,
            sum(pair_count.pairs) as pairs,
            sum(pair_count.similar_pairs)::integer as k,
            round(sum(pair_count.pairs * rate.rate), 6) as lambda
        from {{ ref("int_sign__pair_count") }} as pair_count
        inner join {{ ref("int_sign__pair_rate") }} as rate using (region_code, test_id, score_tenth)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join {{ ref("int_sign__sim_pairs") }} as school using (region_code, test_id, group_no)
        where test.procedure_code = 'vpr'
        group by pair_count.region_code, pair_count.test_id, pair_count.group_no, pair_count.class_label, school.phi
    ),

    {%- for code in ("sim_dup", "sim_pairs") %}
        {{ code }}_judged as ({{ negative_binomial_mid_p(code, class_key) }}) {%- if not loop.last %}, {%- endif %}
    {%- endfor %}

select
    class.region_code,
    groups.organisation_code,
    test.year,
    test.grade,
    test.subject_code,
    class.class_label,
    class.n::integer as n,
    class.absent::integer as absent,
    round(class.mean_score, 6)::numeric(18, 6) as mean_score,
    class.at_boundary::integer as at_boundary,
    class.below_boundary::integer as below_boundary,
    class.journal_compared::integer as journal_compared,
    class.journal_agreed::integer as journal_agreed
    {%- for code in ("sim_dup", "sim_pairs") %}
        ,
        coalesce({{ code }}.pairs, 0)::integer as {{ code }}_pairs,
        coalesce({{ code }}.k, 0) as {{ code }}_k,
        coalesce({{ code }}.lambda, 0)::numeric(18, 6) as {{ code }}_lambda,
        {{ code }}.mid_p::double precision as {{ code }}_p
    {%- endfor %}
from class
inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
left join sim_dup_judged as sim_dup using ({{ class_key }})
left join sim_pairs_judged as sim_pairs using ({{ class_key }})
