{%- for detector in sign_detectors() %}
    select region_code, test_id, group_no, '{{ detector }}' as detector_code, n, z
    from {{ ref("int_sign__" ~ detector) }}
    where z is not null
    union all
{%- endfor %}
select
    level_residual.region_code,
    level_residual.test_id,
    level_residual.group_no,
    'level' as detector_code,
    level_residual.n,
    round((level_residual.z + coalesce(journal_gap.z, level_residual.z)) / 2, 6) as z
from {{ ref("int_sign__level_residual") }} as level_residual
left join {{ ref("int_sign__journal_gap") }} as journal_gap using (region_code, test_id, group_no)
where level_residual.z is not null
union all
select region_code, test_id, group_no, 'journal_gap' as detector_code, n, z
from {{ ref("int_sign__journal_gap") }}
where z is not null
union all
select region_code, test_id, group_no, 'growth' as detector_code, n, z
from {{ ref("int_sign__growth") }}
where z is not null
