with
    -- A protocol without documents knows a participant by name; namesakes with different marks can't be told apart.
    participant as (
        select
            mark.region_code, mark.year, mark.subject_code, known.participant_key, min(mark.yearly_mark) as yearly_mark
        from {{ ref("fct_yearly_mark") }} as mark
        cross join lateral(values (mark.participant_hash), (mark.participant_name_hash)) as known(participant_key)
        group by mark.region_code, mark.year, mark.subject_code, known.participant_key
        having min(mark.yearly_mark) = max(mark.yearly_mark)
    ),

    -- Base and profile mathematics have one yearly mark.
    result as (
        select *, case when subject_code = 'MB' then 'MA' else subject_code end as taught_subject_code
        from {{ ref("int_gia__result") }}
        where mark is not null
    )

select
    result.region_code,
    result.year,
    result.procedure_code,
    result.subject_code,
    codes.organisation_code,
    result.participant_key,
    participant.yearly_mark,
    result.mark
from result
inner join
    participant
    on result.region_code = participant.region_code
    and result.year = participant.year
    and result.taught_subject_code = participant.subject_code
    and result.participant_key = participant.participant_key
inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("result", "codes") }}
