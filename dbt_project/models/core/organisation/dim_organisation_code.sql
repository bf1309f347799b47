{{
    config(
        indexes=[{"columns": ["region_code", "code_system", "code", "valid_from"], "unique": true}],
    )
}}

with
    register as (
        select
            region_code,
            register_code,
            source_organisation_code,
            coalesce(valid_from, date '1900-01-01') as valid_from,
            coalesce(valid_to, date '9999-12-31') as valid_to
        from {{ ref("stg_organisation__register") }}
    ),

    claim as (
        select
            entry.region_code,
            entry.code_system,
            entry.code,
            entry.organisation_code,
            min(register.valid_from) as claimed_from,
            min(coalesce(organisation_register.register_rank, 9)) as register_rank,
            count(*) as entries
        from {{ ref("int_organisation__entry") }} as entry
        inner join register using (region_code, register_code, source_organisation_code)
        left join {{ ref("organisation_register") }} as organisation_register using (register_code)
        group by entry.region_code, entry.code_system, entry.code, entry.organisation_code
    ),

    -- Two organisations that claim a code from the same day: the better register decides, then the number of entries.
    owner as (
        select distinct
            on (region_code, code_system, code, claimed_from)
            region_code,
            code_system,
            code,
            organisation_code,
            claimed_from
        from claim
        order by region_code, code_system, code, claimed_from, register_rank, entries desc, organisation_code
    ),

    -- A code says who is meant outside the register's dates too, so periods have no gaps and no ends.
    period as (
        select
            *,
            lag(claimed_from) over code_history is null as is_first,
            lead(claimed_from) over code_history as next_from
        from owner
        window code_history as (partition by region_code, code_system, code order by claimed_from)
    )

select
    region_code,
    code_system,
    code,
    case when is_first then date '1900-01-01' else claimed_from end as valid_from,
    coalesce(next_from - 1, date '9999-12-31') as valid_to,
    organisation_code,
    false as is_provisional
from period
union all
select
    region_code,
    code_system,
    code,
    date '1900-01-01' as valid_from,
    date '9999-12-31' as valid_to,
    organisation_code,
    true as is_provisional
from {{ ref("int_organisation__unregistered") }}
