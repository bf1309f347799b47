{{
    config(
        post_hook="{{ record_core_totals('leader', {'rows': 'count(*)'}) }}",
    )
}}

with
    tenure as (select * from {{ ref("stg_leader__tenure") }}),

    ordered as (
        select
            *,
            lead(started_on) over (
                partition by region_code, organisation_code order by started_on, ended_on nulls last, person_hash
            ) as next_started_on
        from tenure
    )

select
    region_code,
    organisation_code,
    person_hash,
    position,
    started_on as valid_from,
    -- One leader in office per date: a spell ends, at the latest, the day before the next one starts.
    least(coalesce(ended_on, date '9999-12-31'), next_started_on - 1) as valid_to,
    ended_on,
    coalesce(coalesce(ended_on, date '9999-12-31') >= next_started_on, false) as is_cut_by_successor,
    load_id,
    slice_id,
    sheet,
    row_no
from ordered
