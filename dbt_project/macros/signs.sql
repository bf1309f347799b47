{#- Parameters of the detectors that act inside one test: columns of int_sign__test. -#}
{% macro test_parameters() -%}
    {{-
        return(
            [
                "n_min",
                "not_taught_share",
                "outlier_ratio",
                "share_min",
                "share_max",
                "boundary_weight_below_2",
                "boundary_weight_below_1",
                "boundary_weight_at",
                "boundary_weight_above_1",
                "full_score_share",
                "excess_cap_sd",
                "excess_cap_add",
                "pair_smoothing",
                "pair_variance_min",
                "pair_z",
                "pair_class_share",
                "attend_z_max",
                "attend_small_share",
                "attend_schools_min",
                "attend_share_min",
                "attend_noise",
                "context_weight_between",
                "context_weight_within",
                "context_outlier_sd",
                "fit_variance_min",
            ]
        )
    -}}
{%- endmacro %}


{#-
    Condition that leaves, in an incremental run, only tests that this model does not hold yet. A test's id changes with
    everything it is computed from, so a corrected test is a new one.
-#}
{% macro only_new_tests(test_id="test_id") -%}
    {%- set tests = ref("int_sign__test") -%}
    {%- if is_incremental() -%}
        {{ test_id }} = any(
            array(
                select test.test_id
                from {{ tests }} as test
                where not exists (select 1 from {{ this }} as held where held.test_id = test.test_id)
            )
        )
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}


{#- Strategy `by_test`: tests that are no longer current leave, new ones come. -#}
{% macro get_incremental_by_test_sql(arg_dict) -%}
    delete from {{ arg_dict["target_relation"] }}
    where test_id not in (select test_id from {{ ref("int_sign__test") }})
    ;
    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}


{#- Between-school variance of an item beyond chance, from deviations D and their variances V of schools: ω of the
    formulas, max(0, Σ(D² − V) / ΣV²) over schools with D² < ratio·V. -#}
{% macro excess_variance(deviation, variance, ratio) -%}
    {%- set honest = deviation ~ " * " ~ deviation ~ " < " ~ ratio ~ " * " ~ variance -%}
    coalesce(
        greatest(
            sum({{ deviation }} * {{ deviation }} - {{ variance }}) filter (where {{ honest }})
            / nullif(sum({{ variance }} * {{ variance }}) filter (where {{ honest }}), 0),
            0
        ),
        0
    )
{%- endmacro %}


{#- Over-dispersion φ of counts k about their means λ: max(0, Σ[(min(k, λ + a√λ + b) − λ)² − λ] / Σλ²). -#}
{% macro over_dispersion(k, mean, cap_sd, cap_add) -%}
    {%- set capped = (
        "(least("
        ~ k
        ~ ", "
        ~ mean
        ~ " + "
        ~ cap_sd
        ~ " * sqrt("
        ~ mean
        ~ ") + "
        ~ cap_add
        ~ ") - "
        ~ mean
        ~ ")"
    ) -%}
    coalesce(greatest(sum({{ capped }} * {{ capped }} - {{ mean }}) / nullif(sum({{ mean }} * {{ mean }}), 0), 0), 0)
{%- endmacro %}


{#-
    Rows of `relation` with `resid` and `z`: the residual of r on context group and social index, test by test, in units of
    √(τ² + v). Least squares weighted by 1 / (between + within / n) with a constant for each context group and one slope
    of the social index: deviations from the groups' means give the slope, an unknown index stands at its group's mean.
    Left out of the fit: r farther from its context group's median than `context_outlier_sd` robust deviations, (q84 − q16)/2
    of all such distances in the test. τ² = max(0, mean(resid² − v)) over the kept.
    `covariate`: a further column of the regression, a school's own and never unknown. `relation` has region_code, test_id, group_no,
    n, r, v; context comes from int_sign__group.
-#}
{% macro residual_on_context(relation, covariate="0") -%}
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
        ),
        marked as (
            select known.*, abs(known.r - centre.median) <= known.context_outlier_sd * spread.robust_sd as is_kept
            from known
            inner join centre using (region_code, test_id, context_group)
            inner join spread using (region_code, test_id)
        ),
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


{#-
    Numbers 1 … of the items that the works of this warehouse have. Asked of the ledger, because each number costs every
    participant something; the contract's fifty where it holds no work yet.
-#}
{% macro item_numbers() -%}
    {%- set ledger = adapter.get_relation(target.dbname, "meta", "load_item") if execute -%}
    {%- if ledger -%}
        {%- set longest = run_query(
            "select max(item_no) from meta.load_item inner join meta.load using (load_id)"
            " where load.source in ('vpr', 'gia')"
        ).columns[0][0] -%}
    {%- endif -%}
    {{- return(range(1, [(longest or 50) | int, 10] | max + 1) | list) -}}
{%- endmacro %}


{#- Flag of a row of int_sign__verdict by its own q and p alone. -#}
{% macro flag_of_group() -%}
    case
        when not is_sufficient
        then 'insufficient'
        when q <= {{ parameter("objectivity_parameter", "red_q", "year") }}
        then 'red'
        when p <= {{ parameter("objectivity_parameter", "amber_p", "year") }}
        then 'amber'
        else 'none'
    end
{%- endmacro %}


{#- Signs that stand beside the flag and never make it. -#}
{% macro signs_beside() -%} {{- return(["level", "journal_gap", "growth"]) -}} {%- endmacro %}


{#- Columns of int_sign__verdict that a mart of signs publishes: z, p and n of the detectors, pairs seen and expected. -#}
{% macro sign_columns(detectors=none) -%}
    {%- set columns = [] -%}
    {%- for detector in detectors or sign_detectors() -%}
        {%- do columns.extend([detector ~ "_z", detector ~ "_p", detector ~ "_n"]) -%}
    {%- endfor -%}
    {{- return(columns + ["sim_dup_k", "sim_dup_lambda", "sim_pairs_k", "sim_pairs_lambda"]) -}}
{%- endmacro %}


{#- The eight detectors of the flag, in the order of the formulas. -#}
{% macro sign_detectors() -%}
    {{- return(["profile", "misfit", "expgap", "boundary", "jagree", "sim_dup", "sim_pairs", "attend"]) -}}
{%- endmacro %}


{#- Condition: a result (or a count of results) belongs to the group of this row of int_sign__seat. -#}
{% macro at_seat(result, seat) -%}
    {{ result }}.region_code = {{ seat }}.region_code
    and {{ result }}.slice_id = {{ seat }}.slice_id
    and {{ result }}.load_id = {{ seat }}.load_id
    and (
        {{ seat }}.unit_kind = 'organisation'
        or ({{ result }}.station_code = {{ seat }}.station_code and {{ result }}.room_code = {{ seat }}.room_code)
    )
{%- endmacro %}


{#- Those who wrote side by side inside a group: the class, at an exam the room; all of a group that is a room itself. -#}
{% macro class_at(result, seat) -%}
    case
        when {{ seat }}.unit_kind = 'room'
        then ''
        else coalesce({{ result }}.station_code || '/' || {{ result }}.room_code, {{ result }}.class_label, '')
    end
{%- endmacro %}


{#- Signs of ВПР by organisation as sums over groups take them: z within pool_z_min … pool_z_max. -#}
{% macro signs_to_sum() -%}
    select
        calibrated.region_code,
        groups.organisation_code,
        test.year,
        test.subject_code,
        calibrated.detector_code,
        least(
            greatest(calibrated.z, {{ parameter("objectivity_parameter", "pool_z_min", "test.year") }}),
            {{ parameter("objectivity_parameter", "pool_z_max", "test.year") }}
        ) as z
    from {{ ref("int_sign__calibrated") }} as calibrated
    inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
    inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
    where
        test.procedure_code = 'vpr'
        and test.unit_kind = 'organisation'
        and calibrated.detector_code
        in ({% for detector in sign_detectors() -%}'{{ detector }}'{{ ", " if not loop.last }} {%- endfor %})
{%- endmacro %}


{#- Columns `median` and `half_width` of the aggregated rows: (q84 − q16) / 2, one standard deviation of a normal law. -#}
{% macro median_and_half_width(value) -%}
    (percentile_cont(0.5) within group (order by {{ value }}))::numeric as median,
    (
        percentile_cont(0.84) within group (order by {{ value }})
        - percentile_cont(0.16) within group (order by {{ value }})
    )::numeric
    / 2 as half_width
{%- endmacro %}


{#-
    Cauchy combination (Liu, Xie 2020) of the p of the aggregated rows, of `count` detectors in all: those that are missing
    have p = ½ and add nothing. ½ − atan(T)/π is atan2(1, T)/π, and tan((½ − p)π) is cot(πp), without cancelling where p is small.
-#}
{% macro cauchy_p(p, count, year) -%}
    (
        atan2(
            1,
            sum(
                round(
                    (
                        1 / tan(
                            pi() * least(
                                greatest({{ p }}, {{ parameter("objectivity_parameter", "p_min", year) }}),
                                {{ parameter("objectivity_parameter", "p_max", year) }}
                            )
                        )
                    )::numeric,
                    6
                )
            )::double precision
            / {{ count }}
        )
        / pi()
    )::numeric
{%- endmacro %}


{#-
    Participants of new tests, their scores concatenated with nothing: a short array is stored packed and would be unpacked
    anew at every subscript. The fence keeps the planner from moving the concatenation there.
-#}
{% macro unpacked_participants() -%}
    select region_code, test_id, group_no, variant, total, has_all_items, scores || array[]::smallint[] as scores
    from {{ ref("int_sign__participant") }}
    where {{ only_new_tests() }}
    offset 0
{%- endmacro %}
