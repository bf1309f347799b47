{{
    config(
        materialized="incremental",
        incremental_strategy="synchronise",
        unique_key=["region_code", "municipality_code"],
    )
}}

with
    spelling as (select * from {{ ref("int_municipality__spelling") }}),

    ate as (
        select region_code, municipality_code as msu_code, ate_code
        from {{ ref("stg_municipality__register") }}
        where register_code = 'msu'
    )

select
    spelling.region_code,
    spelling.municipality_code,
    coalesce(
        (
            array_agg(
                spelling.given_name order by spelling.is_federal_code desc, spelling.register_rank, spelling.given_name
            ) filter (where spelling.given_name is not null)
        )[1],
        spelling.municipality_code
    ) as municipality_name,
    min(spelling.given_code) filter (where not spelling.is_federal_code) as msu_code,
    min(ate.ate_code) as ate_code
from spelling
left join ate on spelling.region_code = ate.region_code and spelling.given_code = ate.msu_code
group by spelling.region_code, spelling.municipality_code
