select
    region_code,
    code_system,
    source_organisation_code as code,
    -- What kind of organisation sends such data, where no register says it.
    case
        when bool_or(source in ('vpr', 'gia')) then 'school' when bool_or(source = 'preschool') then 'preschool'
    end as organisation_kind
from {{ ref("stg_meta__current_slice") }}
where code_system is not null
group by region_code, code_system, source_organisation_code
