with
    expected as (
        select
            absence.region_code,
            absence.test_id,
            absence.group_no,
            absence.absent as k,
            round(absence.enrolled * usual.absent_share, 9) as lambda
        from {{ ref("int_sign__absence") }} as absence
        inner join {{ ref("int_sign__usual_absence") }} as usual using (region_code, test_id)
    ),

    work as (
        select
            expected.region_code,
            expected.test_id,
            test.attend_z_max,
            round(
                {{ over_dispersion("expected.k", "expected.lambda", "test.excess_cap_sd", "test.excess_cap_add") }}, 9
            ) as phi
        from expected
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        group by expected.region_code, expected.test_id, test.attend_z_max
    ),

    judged as (
        select expected.*, work.phi, work.attend_z_max from expected inner join work using (region_code, test_id)
    )

select
    region_code,
    test_id,
    group_no,
    k as absent,
    lambda as expected_absent,
    phi,
    least(round(({{ normal_quantile("greatest(mid_p, 1e-15)") }})::numeric, 6), attend_z_max) as count_z
from ({{ negative_binomial_mid_p("judged", "region_code, test_id, group_no") }}) as tail
