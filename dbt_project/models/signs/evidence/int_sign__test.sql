{{
    config(
        indexes=[{"columns": ["region_code", "test_id"], "unique": true}],
    )
}}

{%- set work = "region_code, procedure_code, year, grade, subject_code" -%}
with
    content as (
        select
            {{ work }},
            string_agg(
                concat_ws(':', slice_id, load_id, organisation_code), ',' order by slice_id, load_id, organisation_code
            ) as slices
        from {{ ref("int_sign__slice") }}
        group by {{ work }}
    ),

    score as (
        select
            {{ work }},
            primary_score,
            max(max_score) as max_score,
            sum(participants) as participants,
            sum(participants) filter (where mark is not null) as marked,
            {%- for mark in (3, 4, 5) %}
                sum(participants) filter (where mark >= {{ mark }}) as marked_{{ mark }},
            {%- endfor %}
            sum(participants) * primary_score as sum_score,
            sum(participants) * primary_score * primary_score as sum_score_squared
        from {{ ref("int_result__score_count") }}
        where participation = 'present' and primary_score is not null
        group by {{ work }}, primary_score
    ),

    result as (
        select
            {{ work }},
            sum(participants)::integer as participants,
            max(max_score) as stated_max_score,
            max(primary_score) as highest_score,
            {%- for mark in (3, 4, 5) %}
                min(primary_score) filter (where 2 * marked_{{ mark }} > marked) as lowest_{{ mark }},
            {%- endfor %}
            sum(sum_score) / sum(participants) as mean_score,
            sqrt(
                sum(sum_score_squared) / sum(participants)
                - (sum(sum_score) / sum(participants)) * (sum(sum_score) / sum(participants))
            ) as sd_score
        from score
        group by {{ work }}
    ),

    kind as (
        select {{ work }}, string_agg(item_no::text, ',' order by item_no) as expert_items
        from {{ ref("dim_task") }}
        where item_kind = 'expert'
        group by {{ work }}
    ),

    -- The certificate of ЕГЭ is given by test score: its primary score is the least that reaches it.
    certificate as (
        select {{ work }}, min(counted.primary_score) as min_score_3
        from {{ ref("int_result__score_count") }} as counted
        inner join {{ ref("int_work__region_scale") }} as scale using ({{ work }})
        where scale.threshold_scale = 'test_score' and counted.test_score >= scale.threshold_value
        group by {{ work }}
    ),

    unit as (
        select {{ work }}, 'organisation' as unit_kind
        from result
        union all
        select distinct {{ work }}, 'room' as unit_kind
        from {{ ref("int_result__score_count") }}
        where station_code is not null and room_code is not null
    ),

    scaled as (
        select
            result.region_code,
            result.procedure_code,
            result.year,
            result.grade,
            result.subject_code,
            unit.unit_kind,
            result.participants,
            greatest(coalesce(result.stated_max_score, scale.max_score), result.highest_score)::smallint as max_score,
            {%- for mark in (3, 4, 5) %}
                coalesce(
                    result.lowest_{{ mark }},
                    {% if mark == 3 -%} certificate.min_score_3, {%- endif %}
                    scale.min_score_{{ mark }}
                )::smallint as min_score_{{ mark }},
            {%- endfor %}
            result.mean_score,
            result.sd_score,
            kind.expert_items,
            {%- for code in test_parameters() %}
                {{ parameter("objectivity", code, "result.year") }} as {{ code }},
            {%- endfor %}
            content.slices
        from result
        inner join content using ({{ work }})
        inner join unit using ({{ work }})
        left join kind using ({{ work }})
        left join certificate using ({{ work }})
        left join {{ ref("int_work__region_scale") }} as scale using ({{ work }})
    )

select
    region_code,
    -- 63 bits of SHA-256, as every id of the warehouse.
    ('x' || left(encode(sha256(convert_to(to_jsonb(scaled)::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
    & 9223372036854775807 as test_id,
    procedure_code,
    year,
    grade,
    subject_code,
    unit_kind,
    participants,
    max_score,
    min_score_3,
    min_score_4,
    min_score_5,
    round(mean_score, 9) as mean_score,
    round(sd_score, 9) as sd_score,
    expert_items,
    {{ test_parameters() | join(",\n    ") }}
from scaled
