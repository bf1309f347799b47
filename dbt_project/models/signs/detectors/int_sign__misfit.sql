{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    curve as (select * from {{ ref("int_sign__item_curve") }} where {{ only_new_tests() }}),

    item as (select * from {{ ref("int_sign__item") }} where {{ only_new_tests() }}),

    expectation as (
        select distinct region_code, test_id, variant, total, item_no, expected_ln_p, ln_p_variance from curve
    ),

    packed_variance as (
        select
            cell.region_code,
            cell.test_id,
            cell.variant,
            cell.total,
            array_agg(
                coalesce((1000000 * expectation.ln_p_variance)::bigint, 0) order by numbered.item_no
            ) as variances,
            sum((1000000 * expectation.ln_p_variance)::bigint)::bigint as variance
        from (select distinct region_code, test_id, variant, total from expectation) as cell
        cross join generate_series(1, {{ item_numbers() | length }}) as numbered(item_no)
        left join
            expectation
            on cell.region_code = expectation.region_code
            and cell.test_id = expectation.test_id
            and cell.variant = expectation.variant
            and cell.total = expectation.total
            and numbered.item_no = expectation.item_no
        group by cell.region_code, cell.test_id, cell.variant, cell.total
    ),

    -- ln P less its expectation, at answer_offset + score + 1.
    packed as (
        select
            cell.region_code,
            cell.test_id,
            cell.variant,
            cell.total,
            cell.variances,
            cell.variance,
            array_agg(
                coalesce((1000000 * (curve.ln_p - curve.expected_ln_p))::integer, 0) order by item.item_no, score.score
            ) as surprise
        from packed_variance as cell
        inner join item using (region_code, test_id)
        cross join lateral generate_series(0, item.max_score) as score(score)
        left join
            curve
            on cell.region_code = curve.region_code
            and cell.test_id = curve.test_id
            and cell.variant = curve.variant
            and cell.total = curve.total
            and item.item_no = curve.item_no
            and score.score = curve.score
        group by cell.region_code, cell.test_id, cell.variant, cell.total, cell.variances, cell.variance
    ),

    work as (
        select
            test.region_code,
            test.test_id,
            test.n_min,
            test.fit_variance_min,
            array_agg(coalesce(item.answer_offset, 0) order by numbered.item_no) as answer_offsets
        from {{ ref("int_sign__test") }} as test
        cross join generate_series(1, {{ item_numbers() | length }}) as numbered(item_no)
        left join
            item
            on test.region_code = item.region_code
            and test.test_id = item.test_id
            and numbered.item_no = item.item_no
        where {{ only_new_tests("test.test_id") }}
        group by test.region_code, test.test_id, test.n_min, test.fit_variance_min
    ),

    participant as ({{ unpacked_participants() }}),

    fit as (
        select
            participant.region_code,
            participant.test_id,
            participant.group_no,
            work.n_min,
            work.fit_variance_min,
            {%- for number in item_numbers() %}
                coalesce(
                    packed.surprise[1 + work.answer_offsets[{{ number }}] + participant.scores[{{ number }}]], 0
                ){{ " +" if not loop.last }}
            {%- endfor %} as surprise,
            case
                when participant.has_all_items
                then packed.variance
                else
                    {%- for number in item_numbers() %}
                        case
                            when participant.scores[{{ number }}] is not null then packed.variances[{{ number }}] else 0
                        end
                        {{- " +" if not loop.last }}
                    {%- endfor %}
            end as variance
        from participant
        inner join packed using (region_code, test_id, variant, total)
        inner join work using (region_code, test_id)
    )

select
    region_code,
    test_id,
    group_no,
    count(*)::integer as n,
    -- lz in millionths, whole: a sum that does not depend on the order of participants.
    round(
        - sum(round(1000::double precision * surprise / sqrt(variance::double precision))::bigint)
        / (1000000::numeric * count(*)),
        6
    ) as z
from fit
where variance > 1000000 * fit_variance_min
group by region_code, test_id, group_no, n_min
having count(*) >= n_min
