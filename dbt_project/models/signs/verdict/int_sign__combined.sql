{%- set family = "region_code, procedure_code, unit_kind, year" -%}
{{
    config(
        indexes=[{"columns": ["region_code", "test_id", "group_no"], "unique": true}],
    )
}}

with
    combined as (
        select
            calibrated.region_code,
            calibrated.test_id,
            calibrated.group_no,
            test.procedure_code,
            test.unit_kind,
            test.year,
            (array_agg(calibrated.detector_code order by calibrated.p, calibrated.detector_code))[1] as mechanism,
            {{ cauchy_p("calibrated.p", sign_detectors() | length, "test.year") }} as p
        from {{ ref("int_sign__calibrated") }} as calibrated
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where
            calibrated.detector_code
            in ({% for detector in sign_detectors() -%}'{{ detector }}'{{ ", " if not loop.last }} {%- endfor %})
        group by
            calibrated.region_code,
            calibrated.test_id,
            calibrated.group_no,
            test.procedure_code,
            test.unit_kind,
            test.year
    ),

    ranked as (
        select
            *,
            count(*) over (partition by {{ family }}) as family_size,
            rank() over (partition by {{ family }} order by p) as rank_in_family
        from combined
    )

select
    region_code,
    test_id,
    group_no,
    year,
    mechanism,
    p::double precision as p,
    {{ benjamini_hochberg("p", family) }}::double precision as q
from ranked
