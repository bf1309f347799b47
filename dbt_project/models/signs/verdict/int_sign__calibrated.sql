{{
    config(
        indexes=[{"columns": ["region_code", "test_id", "group_no"]}],
    )
}}

with
    judged as (
        select
            detector.region_code,
            detector.test_id,
            detector.group_no,
            detector.detector_code,
            detector.n,
            detector.z as raw_z,
            coalesce(round((detector.z - calibration.median) / calibration.half_width, 6), detector.z) as z
        from {{ ref("int_sign__detector") }} as detector
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        left join
            {{ ref("int_sign__calibration") }} as calibration
            on detector.region_code = calibration.region_code
            and test.procedure_code = calibration.procedure_code
            and test.unit_kind = calibration.unit_kind
            and test.year = calibration.year
            and detector.detector_code = calibration.detector_code
            and groups.size_band = calibration.size_band
    ),

    tail as (select *, z::double precision as x from judged)

select
    region_code,
    test_id,
    group_no,
    detector_code,
    n,
    raw_z,
    z,
    -- By way of numeric: fifteen digits, the further ones differ between machines.
    (
        case
            when detector_code in ('profile', 'misfit', 'expgap')
            then {{ student_12_tail("x") }}
            else {{ normal_tail("x") }}
        end
    )::numeric::double precision as p
from tail
