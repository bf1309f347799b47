-- One leader in office per organisation and date.
with
    spell as (
        select
            region_code,
            organisation_code,
            valid_from,
            lag(valid_to) over (partition by region_code, organisation_code order by valid_from) as previous_valid_to
        from {{ ref("dim_leader_tenure") }}
        where valid_from <= valid_to
    )

select *
from spell
where previous_valid_to >= valid_from
