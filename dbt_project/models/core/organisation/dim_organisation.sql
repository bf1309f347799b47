{{
    config(
        indexes=[{"columns": ["region_code", "organisation_code", "valid_from"], "unique": true}],
    )
}}

with
    entry as (
        select distinct region_code, register_code, source_organisation_code, organisation_code
        from {{ ref("int_organisation__entry") }}
    ),

    municipality as (
        select
            region_code,
            coalesce(given_code, '') as given_code,
            coalesce(given_name, '') as given_name,
            municipality_code
        from {{ ref("int_municipality__spelling") }}
    ),

    register as (
        select
            entry.organisation_code,
            register.region_code,
            register.register_code,
            register.source_organisation_code,
            coalesce(organisation_register.register_rank, 9) as register_rank,
            register.valid_from is not null or register.valid_to is not null as is_dated,
            bool_or(register.valid_from is not null or register.valid_to is not null) over (
                partition by register.region_code, entry.organisation_code
            ) as has_dated,
            coalesce(register.valid_from, date '1900-01-01') as row_from,
            coalesce(register.valid_to, date '9999-12-31') as row_to,
            register.organisation_name,
            register.full_name,
            nullif(register.organisation_kind, 'other') as organisation_kind,
            register.organisation_kind as stated_kind,
            municipality.municipality_code,
            register.settlement_kind,
            register.inn,
            register.ogrn
        from {{ ref("stg_organisation__register") }} as register
        inner join entry using (region_code, register_code, source_organisation_code)
        left join {{ ref("organisation_register") }} as organisation_register using (register_code)
        left join
            municipality
            on register.region_code = municipality.region_code
            and coalesce(register.municipality_code, '') = municipality.given_code
            and coalesce(register.municipality_name, '') = municipality.given_name
    ),

    -- Registers without dates tell what an organisation is like, not since when it exists, if another one does.
    change as (
        select region_code, organisation_code, row_from as changed_on
        from register
        where is_dated or not has_dated
        union
        select region_code, organisation_code, row_to + 1 as changed_on
        from register
        where is_dated and row_to < date '9999-12-31'
    ),

    period as (
        select
            region_code,
            organisation_code,
            changed_on as valid_from,
            coalesce(
                lead(changed_on) over (partition by region_code, organisation_code order by changed_on) - 1,
                date '9999-12-31'
            ) as valid_to
        from change
    ),

    seen as (
        select codes.region_code, codes.organisation_code, min(seen.organisation_kind) as organisation_kind
        from {{ ref("int_organisation__seen") }} as seen
        inner join
            {{ ref("dim_organisation_code") }} as codes
            on seen.region_code = codes.region_code
            and seen.code_system = codes.code_system
            and seen.code = codes.code
        group by codes.region_code, codes.organisation_code
    ),

    registered as (
        select
            period.region_code,
            period.organisation_code,
            period.valid_from,
            period.valid_to,
            {{ best_known("organisation_name") }} as organisation_name,
            {{ best_known("full_name") }} as full_name,
            {{ best_known("organisation_kind") }} as organisation_kind,
            {{ best_known("stated_kind") }} as stated_kind,
            {{ best_known("municipality_code") }} as municipality_code,
            {{ best_known("settlement_kind") }} as settlement_kind,
            {{ best_known("inn") }} as inn,
            {{ best_known("ogrn") }} as ogrn,
            string_agg(distinct register_code, ', ' order by register_code) as registers
        from period
        inner join
            register
            on period.region_code = register.region_code
            and period.organisation_code = register.organisation_code
            and period.valid_from between register.row_from and register.row_to
        group by period.region_code, period.organisation_code, period.valid_from, period.valid_to
        having bool_or(register.is_dated or not register.has_dated)
    ),

    -- An organisation no register knows may be named by the code it has here, too: `ris-1234`.
    unregistered as (
        select distinct
            on (region_code, organisation_code)
            region_code,
            organisation_code,
            organisation_kind,
            organisation_name,
            municipality_code,
            municipality_name
        from {{ ref("int_organisation__unregistered") }}
        order by
            region_code,
            organisation_code,
            organisation_kind nulls last,
            municipality_code nulls last,
            municipality_name nulls last,
            organisation_name nulls last
    )

select
    registered.region_code,
    registered.organisation_code,
    registered.valid_from,
    registered.valid_to,
    coalesce(registered.organisation_name, registered.full_name, registered.organisation_code) as organisation_name,
    registered.full_name,
    coalesce(registered.organisation_kind, seen.organisation_kind, registered.stated_kind) as organisation_kind,
    registered.municipality_code,
    registered.settlement_kind,
    registered.inn,
    registered.ogrn,
    registered.registers,
    false as is_provisional
from registered
left join seen on registered.region_code = seen.region_code and registered.organisation_code = seen.organisation_code
union all
select
    unregistered.region_code,
    unregistered.organisation_code,
    date '1900-01-01' as valid_from,
    date '9999-12-31' as valid_to,
    coalesce(unregistered.organisation_name, unregistered.organisation_code) as organisation_name,
    null as full_name,
    unregistered.organisation_kind,
    municipality.municipality_code,
    null as settlement_kind,
    null as inn,
    null as ogrn,
    null as registers,
    true as is_provisional
from unregistered
left join
    municipality
    on unregistered.region_code = municipality.region_code
    and coalesce(unregistered.municipality_code, '') = municipality.given_code
    and coalesce(unregistered.municipality_name, '') = municipality.given_name
