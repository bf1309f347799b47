with
    seen as (select * from {{ ref("int_organisation__seen") }}),

    unregistered as (
        select seen.region_code, seen.code_system, seen.code, seen.organisation_kind
        from seen
        where
            not exists (
                select 1
                from {{ ref("int_organisation__entry") }} as entry
                where
                    entry.region_code = seen.region_code
                    and entry.code_system = seen.code_system
                    and entry.code = seen.code
            )
    ),

    slice as (
        select
            current_slice.region_code,
            current_slice.code_system,
            current_slice.source_organisation_code as code,
            current_slice.load_id,
            current_slice.slice_id
        from {{ ref("stg_meta__current_slice") }} as current_slice
        inner join
            unregistered
            on current_slice.region_code = unregistered.region_code
            and current_slice.code_system = unregistered.code_system
            and current_slice.source_organisation_code = unregistered.code
    ),

    -- The result files themselves say a little about a school that no register knows.
    told as (
        select
            slice.region_code,
            slice.code_system,
            slice.code,
            vpr.year,
            vpr.municipality_code,
            vpr.municipality_name,
            vpr.organisation_name
        from slice
        inner join
            {{ ref("stg_vpr__result") }} as vpr
            on slice.region_code = vpr.region_code
            and slice.load_id = vpr.load_id
            and slice.slice_id = vpr.slice_id
        where vpr.municipality_name is not null or vpr.organisation_name is not null
        union all
        select slice.region_code, slice.code_system, slice.code, gia.year, gia.municipality_code, null, null
        from slice
        inner join
            {{ ref("stg_gia__result") }} as gia
            on slice.region_code = gia.region_code
            and slice.load_id = gia.load_id
            and slice.slice_id = gia.slice_id
        where gia.municipality_code is not null
    ),

    latest as (
        select distinct on (region_code, code_system, code) *
        from told
        order by
            region_code,
            code_system,
            code,
            year desc,
            municipality_code nulls last,
            municipality_name nulls last,
            organisation_name nulls last
    )

select
    unregistered.region_code,
    unregistered.code_system,
    unregistered.code,
    {{ provisional_code("unregistered.code_system", "unregistered.code") }} as organisation_code,
    unregistered.organisation_kind,
    regexp_replace(latest.organisation_name, '\s*\(edu\d+\)$', '') as organisation_name,
    latest.municipality_code,
    latest.municipality_name
from unregistered
left join
    latest
    on unregistered.region_code = latest.region_code
    and unregistered.code_system = latest.code_system
    and unregistered.code = latest.code
