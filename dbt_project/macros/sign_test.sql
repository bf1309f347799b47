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
