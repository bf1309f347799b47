{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
        post_hook="analyze {{ this }}",
    )
}}

with
    class as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            coalesce(result.class_label, '') as class_label,
            count(*) as participants
            {%- for item in item_columns(item_numbers() | length) %}
                ,
                max(result.{{ item }}) as max_{{ loop.index }},
                count(*) filter (where result.{{ item }} in (-1, -2)) as missed_{{ loop.index }}
            {%- endfor %}
        from {{ ref("fct_assessment_result") }} as result
        inner join {{ ref("int_sign__slice") }} as slice using (region_code, slice_id, load_id)
        inner join
            {{ ref("int_sign__test") }} as test
            on slice.region_code = test.region_code
            and slice.year = test.year
            and slice.grade = test.grade
            and slice.subject_code = test.subject_code
        inner join
            {{ ref("int_sign__group") }} as groups
            on test.region_code = groups.region_code
            and test.test_id = groups.test_id
            and slice.organisation_code = groups.organisation_code
        where
            result.procedure_code = 'vpr'
            and result.participation = 'present'
            and result.primary_score is not null
            and {{ only_new_tests("test.test_id") }}
        group by groups.region_code, groups.test_id, groups.group_no, coalesce(result.class_label, '')
    )

select
    class.region_code,
    class.test_id,
    class.group_no,
    class.class_label,
    item.item_no,
    class.participants::integer as participants,
    greatest(item.max_score, 0)::smallint as max_score,
    item.missed::integer as missed
from class
cross join
    lateral(
        values
            {%- for item in item_columns(item_numbers() | length) %}
                ({{ loop.index }}::smallint, class.max_{{ loop.index }}, class.missed_{{ loop.index }})
                {%- if not loop.last %}, {%- endif %}
            {%- endfor %}
    ) as item(item_no, max_score, missed)
where item.max_score is not null
