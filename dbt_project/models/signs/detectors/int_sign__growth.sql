with
    mean as (
        select
            test.region_code,
            test.test_id,
            test.procedure_code,
            test.year,
            test.grade,
            test.subject_code,
            groups.organisation_code,
            groups.group_no,
            level_residual.n,
            level_residual.r as y,
            level_residual.v
        from {{ ref("int_sign__level_residual") }} as level_residual
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
    ),

    spread as (
        select region_code, test_id, avg(y) as mu, greatest(avg(y * y) - avg(y) * avg(y) - avg(v), 0) as tau_squared
        from mean
        group by region_code, test_id
    ),

    -- λ = nτ² / (nτ² + σ²) = τ² / (τ² + v): v is the variance of the mean.
    shrunken as (
        select
            mean.*,
            spread.mu + spread.tau_squared / nullif(spread.tau_squared + mean.v, 0) * (mean.y - spread.mu) as y_hat
        from mean
        inner join spread using (region_code, test_id)
    ),

    cohort as (
        select
            later.region_code,
            later.test_id,
            later.group_no,
            later.n,
            later.y as r,
            later.v,
            earlier.y_hat,
            1 / (test.context_weight_between + test.context_weight_within / later.n) as weight
        from shrunken as later
        inner join
            shrunken as earlier
            on later.region_code = earlier.region_code
            and later.organisation_code = earlier.organisation_code
            and later.procedure_code = earlier.procedure_code
            and later.subject_code = earlier.subject_code
            and later.grade = earlier.grade + 1
            and later.year = earlier.year + 1
        inner join
            {{ ref("int_sign__test") }} as test on later.region_code = test.region_code and later.test_id = test.test_id
        where earlier.y_hat is not null
    ),

    centre as (
        select region_code, test_id, sum(weight * r) / sum(weight) as r, sum(weight * y_hat) / sum(weight) as y_hat
        from cohort
        group by region_code, test_id
    ),

    slope as (
        select
            cohort.region_code,
            cohort.test_id,
            centre.r,
            centre.y_hat,
            sum(cohort.weight * (cohort.y_hat - centre.y_hat) * (cohort.r - centre.r))
            / nullif(sum(cohort.weight * (cohort.y_hat - centre.y_hat) * (cohort.y_hat - centre.y_hat)), 0) as slope
        from cohort
        inner join centre using (region_code, test_id)
        group by cohort.region_code, cohort.test_id, centre.r, centre.y_hat
    ),

    residual as (
        select cohort.*, round(cohort.r - slope.r - coalesce(slope.slope, 0) * (cohort.y_hat - slope.y_hat), 9) as resid
        from cohort
        inner join slope using (region_code, test_id)
    ),

    between_schools as (
        select region_code, test_id, greatest(avg(resid * resid - v), 0) as tau_squared
        from residual
        group by region_code, test_id
    )

select
    residual.region_code,
    residual.test_id,
    residual.group_no,
    residual.n,
    residual.r,
    round(residual.y_hat, 9) as y_hat,
    residual.resid,
    round(residual.resid / sqrt(nullif(between_schools.tau_squared + residual.v, 0)), 6) as z
from residual
inner join between_schools using (region_code, test_id)
