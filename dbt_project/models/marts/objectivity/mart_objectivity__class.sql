{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

{%- set class_key = "region_code, test_id, group_no, class_label" -%}
{%- set detectors = ("sim_dup", "sim_pairs") -%}
with
    result as (
        select
            seat.region_code,
            seat.test_id,
            seat.group_no,
            seat.organisation_code,
            test.procedure_code,
            test.year,
            test.grade,
            test.subject_code,
            {{ class_at("result", "seat") }} as class_label,
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
        where seat.unit_kind = 'organisation'
    ),

    class as (
        select
            {{ class_key }},
            organisation_code,
            procedure_code,
            year,
            grade,
            subject_code,
            count(*) filter (where is_counted)::integer as n,
            count(*) filter (where is_absent)::integer as absent,
            round(avg(primary_score) filter (where is_counted), 6)::numeric(18, 6) as mean_score,
            count(*) filter (where is_counted and is_at)::integer as at_boundary,
            count(*) filter (where is_counted and is_below)::integer as below_boundary,
            count(is_agreed) filter (where is_counted)::integer as journal_compared,
            count(*) filter (where is_counted and is_agreed)::integer as journal_agreed
        from result
        group by {{ class_key }}, organisation_code, procedure_code, year, grade, subject_code, n_min
        having count(*) filter (where is_counted) >= n_min
    )

    {%- for code in detectors -%}
        , {{ code }} as (select * from {{ ref("int_sign__class_pairs") }} where detector_code = '{{ code }}')
    {%- endfor %}

select
    class.region_code,
    class.organisation_code,
    class.procedure_code,
    class.year,
    class.grade,
    class.subject_code,
    class.class_label,
    class.n,
    class.absent,
    class.mean_score,
    class.at_boundary,
    class.below_boundary,
    class.journal_compared,
    class.journal_agreed
    {%- for code in detectors %}
        ,
        coalesce({{ code }}.pairs, 0)::integer as {{ code }}_pairs,
        coalesce({{ code }}.k, 0) as {{ code }}_k,
        coalesce({{ code }}.lambda, 0)::numeric(18, 6) as {{ code }}_lambda,
        {{ code }}.mid_p::double precision as {{ code }}_p
    {%- endfor %}
from class
{%- for code in detectors %} left join {{ code }} using ({{ class_key }}) {%- endfor %}
