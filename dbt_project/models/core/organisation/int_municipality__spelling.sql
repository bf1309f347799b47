with
    -- Codes «reg22_m066» of ФИС ОКО name a municipality of the country; РЦОИ numbers hold inside a region only.
    given as (
        select region_code, municipality_code, municipality_name, 1::smallint as register_rank
        from {{ ref("stg_municipality__register") }}
        where register_code = 'msu'
        union all
        select region_code, municipality_code, municipality_name, 2::smallint as register_rank
        from {{ ref("stg_organisation__register") }}
        union all
        select region_code, municipality_code, municipality_name, 3::smallint as register_rank
        from {{ ref("int_organisation__unregistered") }}
    ),

    spelling as (
        select
            region_code,
            municipality_code as given_code,
            municipality_name as given_name,
            {{ municipality_key("municipality_name") }} as name_key,
            coalesce(municipality_code like 'reg%', false) as is_federal_code,
            min(register_rank) as register_rank
        from given
        where municipality_code is not null or municipality_name is not null
        group by region_code, municipality_code, municipality_name
    ),

    key_of_code as (
        select region_code, given_code, min(name_key) as name_key
        from spelling
        where name_key is not null
        group by region_code, given_code
    ),

    code_of_key as (
        select
            region_code,
            name_key,
            coalesce(min(given_code) filter (where is_federal_code), min(given_code)) as municipality_code
        from spelling
        where name_key is not null
        group by region_code, name_key
    ),

    keyed as (
        select spelling.*, coalesce(spelling.name_key, key_of_code.name_key) as found_key
        from spelling
        left join
            key_of_code
            on spelling.region_code = key_of_code.region_code
            and spelling.given_code = key_of_code.given_code
    )

select
    keyed.region_code,
    keyed.given_code,
    keyed.given_name,
    case
        when keyed.is_federal_code
        then keyed.given_code
        else coalesce(code_of_key.municipality_code, keyed.given_code, keyed.found_key)
    end as municipality_code,
    keyed.register_rank,
    keyed.is_federal_code
from keyed
left join code_of_key on keyed.region_code = code_of_key.region_code and keyed.found_key = code_of_key.name_key
