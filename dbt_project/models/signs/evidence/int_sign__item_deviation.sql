{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    expectation as (
        select distinct region_code, test_id, variant, total, item_no, expected_score, score_variance
        from {{ ref("int_sign__item_curve") }}
        where {{ only_new_tests() }}
    ),

    -- One row for variant and total, its items by number in an array: a participant looks once, not item by item.
    packed as (
        select
            cell.region_code,
            cell.test_id,
            cell.variant,
            cell.total,
            array_agg(coalesce((1000000 * expectation.expected_score)::integer, 0) order by item.item_no) as expected,
            array_agg(coalesce((1000000 * expectation.score_variance)::integer, 0) order by item.item_no) as variance
        from (select distinct region_code, test_id, variant, total from expectation) as cell
        cross join generate_series(1, {{ item_numbers() | length }}) as item(item_no)
        left join expectation using (region_code, test_id, variant, total, item_no)
        group by cell.region_code, cell.test_id, cell.variant, cell.total
    ),

    participant as ({{ unpacked_participants() }}),

    summed as (
        select
            participant.region_code,
            participant.test_id,
            participant.group_no
            {%- for number in item_numbers() %}
                ,
                count(participant.scores[{{ number }}]) as n_{{ number }},
                sum(
                    1000000 * participant.scores[{{ number }}] - packed.expected[{{ number }}]
                ) as deviation_{{ number }},
                sum(
                    case when participant.scores[{{ number }}] is not null then packed.variance[{{ number }}] end
                ) as variance_{{ number }}
            {%- endfor %}
        from participant
        inner join packed using (region_code, test_id, variant, total)
        group by participant.region_code, participant.test_id, participant.group_no
    )

select
    summed.region_code,
    summed.test_id,
    summed.group_no,
    item.item_no,
    item.n::integer as n,
    item.deviation / 1000000::numeric as deviation,
    item.variance / 1000000::numeric as variance
from summed
cross join
    lateral(
        values
            {%- for number in item_numbers() %}
                (
                    {{ number }}::smallint,
                    summed.n_{{ number }},
                    summed.deviation_{{ number }},
                    summed.variance_{{ number }}
                )
                {%- if not loop.last %}, {%- endif %}
            {%- endfor %}
    ) as item(item_no, n, deviation, variance)
where item.n > 0
