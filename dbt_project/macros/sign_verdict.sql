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
                                greatest({{ p }}, {{ parameter("objectivity", "p_min", year) }}),
                                {{ parameter("objectivity", "p_max", year) }}
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


{#- Flag of a row of int_sign__verdict by its own q and p alone. -#}
{% macro flag_of_group() -%}
    case
        when not is_sufficient
        then 'insufficient'
        when q <= {{ parameter("objectivity", "red_q", "year") }}
        then 'red'
        when p <= {{ parameter("objectivity", "amber_p", "year") }}
        then 'amber'
        else 'none'
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
            greatest(calibrated.z, {{ parameter("objectivity", "pool_z_min", "test.year") }}),
            {{ parameter("objectivity", "pool_z_max", "test.year") }}
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
