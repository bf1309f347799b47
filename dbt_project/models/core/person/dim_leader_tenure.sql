{{
    config(
        post_hook="{{ record_core_totals('leader', {'rows': 'count(*)'}) }}",
    )
}}

with
    reported as (
        select
            region_code,
            organisation_code as source_organisation_code,
            person_hash,
            position,
            started_on,
            ended_on,
            load_id,
            slice_id,
            sheet,
            row_no
        from {{ ref("stg_leader__tenure") }}
    ),

    tenure as (
        select placed.*, coalesce(known.person_hash, placed.person_hash) as known_person_hash
        from {{ at_organisation("reported", "coalesce(fact.ended_on, date '9999-12-31')") }} as placed
        left join
            {{ ref("int_person__known") }} as known
            on placed.region_code = known.region_code
            and placed.organisation_code = known.organisation_code
            and placed.person_hash = known.person_name_hash
    ),

    ordered as (
        select
            *,
            lead(started_on) over (
                partition by region_code, organisation_code
                order by started_on, ended_on nulls last, known_person_hash, source_organisation_code
            ) as next_started_on
        from tenure
    )

select
    region_code,
    organisation_code,
    source_organisation_code,
    known_person_hash as person_hash,
    person_hash as source_person_hash,
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
