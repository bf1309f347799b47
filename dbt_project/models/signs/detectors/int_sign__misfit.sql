{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    participant as ({{ unpacked_participants() }}),

    -- Unpacked for the same reason.
    surprise as (
        select
            region_code,
            test_id,
            variant,
            total,
            surprises || array[]::integer[] as surprises,
            variances || array[]::bigint[] as variances,
            whole_variance
        from {{ ref("int_sign__surprise") }}
        where {{ only_new_tests() }}
        offset 0
    ),

    fit as (
        select
            participant.region_code,
            participant.test_id,
            participant.group_no,
            test.n_min,
            test.fit_variance_min,
            {%- for number in item_numbers() %}
                coalesce(
                    surprise.surprises[1 + work.answer_offsets[{{ number }}] + participant.scores[{{ number }}]], 0
                ){{ " +" if not loop.last }}
            {%- endfor %} as surprise,
            case
                when participant.has_all_items
                then surprise.whole_variance
                else
                    {%- for number in item_numbers() %}
                        case
                            when participant.scores[{{ number }}] is not null
                            then surprise.variances[{{ number }}]
                            else 0
                        end
                        {{- " +" if not loop.last }}
                    {%- endfor %}
            end as variance
        from participant
        inner join surprise using (region_code, test_id, variant, total)
        inner join {{ ref("int_sign__work_item") }} as work using (region_code, test_id)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
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
