{#-
    Rows of `relation` with their context group, social index and weight in the fit, and `is_kept`: r lies within
    `context_outlier_sd` robust deviations, (q84 − q16)/2 of all such distances in the test, of its context group's median.
-#}
{% macro marked_in_context(relation, covariate) -%}
    with
        known as (
            select
                given.*,
                {{ covariate }} as covariate,
                groups.context_group,
                groups.social_index,
                1 / (test.context_weight_between + test.context_weight_within / given.n) as weight,
                test.context_outlier_sd
            from {{ relation }} as given
            inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
            inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        ),
        centre as (
            select
                region_code, test_id, context_group, percentile_cont(0.5) within group (order by r)::numeric as median
            from known
            group by region_code, test_id, context_group
        ),
        spread as (
            select
                known.region_code,
                known.test_id,
                (
                    percentile_cont(0.84) within group (order by known.r - centre.median)
                    - percentile_cont(0.16) within group (order by known.r - centre.median)
                )::numeric
                / 2 as robust_sd
            from known
            inner join centre using (region_code, test_id, context_group)
            group by known.region_code, known.test_id
        )
    select known.*, abs(known.r - centre.median) <= known.context_outlier_sd * spread.robust_sd as is_kept
    from known
    inner join centre using (region_code, test_id, context_group)
    inner join spread using (region_code, test_id)
{%- endmacro %}


{#-
    Rows of `relation` with `resid` and `z`: the residual of r on context group and social index, test by test, in units of
    √(τ² + v). Least squares weighted by 1 / (between + within / n) with a constant for each context group and one slope
    of the social index: deviations from the groups' means give the slope, an unknown index stands at its group's mean.
    The fit is that of the kept (marked_in_context), and so is τ² = max(0, mean(resid² − v)).
    `covariate`: a further column of the regression, a school's own and never unknown. `relation` has region_code, test_id, group_no,
    n, r, v; context comes from int_sign__group.
-#}
{% macro residual_on_context(relation, covariate="0") -%}
    with
        marked as ({{ marked_in_context(relation, covariate) }}),
        mean as (
            select
                region_code,
                test_id,
                context_group,
                sum(weight * r) / sum(weight) as r,
                coalesce(
                    sum(weight * social_index) / sum(weight) filter (where social_index is not null), 0
                ) as social_index,
                sum(weight * covariate) / sum(weight) as covariate
            from marked
            where is_kept
            group by region_code, test_id, context_group
        ),
        centred as (
            select
                marked.*,
                marked.r - mean.r as dr,
                coalesce(marked.social_index - mean.social_index, 0) as ds,
                marked.covariate - mean.covariate as dc
            from marked
            inner join mean using (region_code, test_id, context_group)
        ),
        product as (
            select
                region_code,
                test_id,
                sum(weight * ds * ds) filter (where is_kept) as ss,
                sum(weight * dc * dc) filter (where is_kept) as cc,
                sum(weight * ds * dc) filter (where is_kept) as sc,
                sum(weight * ds * dr) filter (where is_kept) as sr,
                sum(weight * dc * dr) filter (where is_kept) as cr
            from centred
            group by region_code, test_id
        ),
        -- Where one of the two says nothing of its own, the other stands alone.
        slope as (
            select
                region_code,
                test_id,
                coalesce(
                    case
                        when ss * cc > sc * sc then (sr * cc - cr * sc) / (ss * cc - sc * sc) else sr / nullif(ss, 0)
                    end,
                    0
                ) as social_slope,
                coalesce(
                    case
                        when ss * cc > sc * sc
                        then (cr * ss - sr * sc) / (ss * cc - sc * sc)
                        when ss = 0
                        then cr / nullif(cc, 0)
                    end,
                    0
                ) as covariate_slope
            from product
        ),
        residual as (
            select
                centred.*,
                round(centred.dr - slope.social_slope * centred.ds - slope.covariate_slope * centred.dc, 9) as resid
            from centred
            inner join slope using (region_code, test_id)
        ),
        between_schools as (
            select region_code, test_id, greatest(avg(resid * resid - v) filter (where is_kept), 0) as tau_squared
            from residual
            group by region_code, test_id
        )
    select
        residual.region_code,
        residual.test_id,
        residual.group_no,
        residual.n,
        residual.r,
        residual.v,
        residual.resid,
        round(residual.resid / sqrt(nullif(between_schools.tau_squared + residual.v, 0)), 6) as z
    from residual
    inner join between_schools using (region_code, test_id)
{%- endmacro %}
