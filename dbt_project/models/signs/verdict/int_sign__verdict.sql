{{
    config(
        indexes=[{"columns": ["region_code", "test_id", "group_no"], "unique": true}],
    )
}}

with
    detector as (
        select
            region_code,
            test_id,
            group_no
            {%- for detector in sign_detectors() + signs_beside() %}
                ,
                max(z) filter (where detector_code = '{{ detector }}') as {{ detector }}_z,
                max(p) filter (where detector_code = '{{ detector }}') as {{ detector }}_p,
                max(n) filter (where detector_code = '{{ detector }}') as {{ detector }}_n
            {%- endfor %}
        from {{ ref("int_sign__calibrated") }}
        group by region_code, test_id, group_no
    ),

    judged as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            test.procedure_code,
            test.unit_kind,
            test.year,
            test.grade,
            test.subject_code,
            groups.organisation_code,
            groups.exam_date,
            groups.station_code,
            groups.room_code,
            groups.n,
            groups.absent,
            groups.enrolled,
            groups.n >= test.n_min and combined.p is not null as is_sufficient,
            combined.p,
            combined.q,
            combined.mechanism
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        left join {{ ref("int_sign__combined") }} as combined using (region_code, test_id, group_no)
    )

select
    judged.region_code,
    judged.test_id,
    judged.group_no,
    judged.procedure_code,
    judged.unit_kind,
    judged.year,
    judged.grade,
    judged.subject_code,
    judged.organisation_code,
    judged.exam_date,
    judged.station_code,
    judged.room_code,
    judged.n,
    judged.absent,
    judged.enrolled,
    judged.is_sufficient,
    -- A group too small has no numbers at all, lest they be read.
    case when judged.is_sufficient then round(- log(judged.p::numeric), 4) end as score,
    case when judged.is_sufficient then judged.p end as p,
    case when judged.is_sufficient then judged.q end as q,
    case when judged.is_sufficient then judged.mechanism end as mechanism,
    {%- for code in sign_detectors() %}
        case when judged.is_sufficient then detector.{{ code }}_z end as {{ code }}_z,
        case when judged.is_sufficient then detector.{{ code }}_p end as {{ code }}_p,
        case when judged.is_sufficient then detector.{{ code }}_n end as {{ code }}_n,
    {%- endfor %}
    {%- for code in signs_beside() %}
        case when judged.is_sufficient then detector.{{ code }}_z end as {{ code }}_z,
    {%- endfor %}
    case when judged.is_sufficient then sim_dup.k end as sim_dup_k,
    case when judged.is_sufficient then sim_dup.lambda end as sim_dup_lambda,
    case when judged.is_sufficient then sim_pairs.k end as sim_pairs_k,
    case when judged.is_sufficient then sim_pairs.lambda end as sim_pairs_lambda
from judged
left join detector using (region_code, test_id, group_no)
left join {{ ref("int_sign__sim_dup") }} as sim_dup using (region_code, test_id, group_no)
left join {{ ref("int_sign__sim_pairs") }} as sim_pairs using (region_code, test_id, group_no)
