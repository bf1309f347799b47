with
    measure as (select * from {{ ref("int_objectivity__explanation") }} where procedure_code = 'vpr'),

    sign as (select * from {{ ref("mart_objectivity__sign") }})

select
    measure.region_code,
    measure.year,
    measure.organisation_code,
    measure.grade,
    measure.subject_code,
    measure.reason_code,
    measure.public_comment,
    measure.decision,
    measure.decided_on,
    sign.flag,
    sign.mechanism,
    following.flag as next_flag,
    following.mechanism as next_mechanism,
    case
        when coalesce(following.flag, 'insufficient') = 'insufficient'
        then 'unknown'
        when following.flag in ('red', 'amber')
        then 'repeated'
        else 'gone'
    end as outcome
from measure
left join
    sign
    on measure.region_code = sign.region_code
    and measure.organisation_code = sign.organisation_code
    and measure.year = sign.year
    and measure.grade = sign.grade
    and measure.subject_code = sign.subject_code
left join
    sign as following
    on measure.region_code = following.region_code
    and measure.organisation_code = following.organisation_code
    and measure.year + 1 = following.year
    and measure.grade = following.grade
    and measure.subject_code = following.subject_code
