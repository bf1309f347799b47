{%- set attempts = {"first": "first_", "final": ""} -%}
with
    result as (
        select
            result.*,
            codes.organisation_code,
            organisation_year.municipality_code,
            scale.threshold_value,
            {%- for attempt, column in attempts.items() %}
                case
                    scale.threshold_scale
                    when 'test_score'
                    then result.{{ column }}test_score
                    when 'mark'
                    then result.{{ column }}mark
                end as {{ attempt }}_judged_value,
            {%- endfor %}
            -- The finest scale that both attempts have tells which of them is higher.
            coalesce(
                result.test_score - result.first_test_score,
                result.mark - result.first_mark,
                result.primary_score - result.first_primary_score
            ) as change
        from {{ ref("int_gia__result") }} as result
        inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("result", "codes") }}
        left join
            {{ ref("int_organisation__year") }} as organisation_year
            on codes.region_code = organisation_year.region_code
            and codes.organisation_code = organisation_year.organisation_code
            and result.year = organisation_year.year
        left join
            {{ ref("int_work__region_scale") }} as scale
            on result.region_code = scale.region_code
            and result.procedure_code = scale.procedure_code
            and result.year = scale.year
            and result.grade = scale.grade
            and result.subject_code = scale.subject_code
    )

select
    result.region_code,
    object.object_level,
    object.object_id,
    result.procedure_code,
    result.subject_code,
    result.year,
    count(*)::integer as participants,
    count(*) filter (where result.participation = 'present')::integer as n,
    count(*) filter (where result.participation <> 'present')::integer as without_result,
    count(*) filter (where result.exam_date > result.first_exam_date and result.participation = 'present')::integer
    as retaken,
    count(*) filter (where result.change > 0)::integer as raised,
    count(*) filter (where result.change < 0)::integer as lowered
    {%- for attempt, column in attempts.items() %}
        ,
        {%- for score in ("primary_score", "mark", "test_score") %}
            round(avg(result.{{ column }}{{ score }}), 6)::numeric(18, 6) as {{ attempt }}_mean_{{ score }},
        {%- endfor %}
        count(result.{{ attempt }}_judged_value) filter (where result.threshold_value is not null)::integer
        as {{ attempt }}_judged,
        count(*) filter (where result.{{ attempt }}_judged_value >= result.threshold_value)::integer
        as {{ attempt }}_passed
    {%- endfor %}
from result
cross join
    lateral(
        values
            ('organisation', result.organisation_code),
            ('municipality', result.municipality_code),
            ('region', result.region_code::text)
    ) as object(object_level, object_id)
where object.object_id is not null
group by
    result.region_code, object.object_level, object.object_id, result.procedure_code, result.subject_code, result.year
