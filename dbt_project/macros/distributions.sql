{#-
    Tails of distributions in plain SQL: PostgreSQL has erf only from 16 and lgamma only from 17. Each is compared with
    scipy in tests/test_signs.py. Arguments are columns of type double precision.
-#}
{#- Horner's scheme: coefficients[0] + x·(coefficients[1] + x·(…)). -#}
{% macro polynomial(x, coefficients) -%}
    {%- if coefficients | length == 1 -%} {{ coefficients[0] }}
    {%- else -%} ({{ coefficients[0] }} + {{ x }} * {{ polynomial(x, coefficients[1:]) }})
    {%- endif -%}
{%- endmacro %}


{#-
    P(Z > z) of the standard normal. Chebyshev fit of erfc (Press et al., Numerical Recipes, erfcc): relative error
    below 1.2e-7 everywhere, so the far tail is as good as the centre. Beyond |z| = 37 the tail of 37: exp underflows.
-#}
{% macro normal_tail(z) -%}
    {%- set u = "(least(abs(" ~ z ~ "), 37) / sqrt(2::double precision))" -%}
    {%- set t = "(1 / (1 + " ~ u ~ " / 2))" -%}
    {%- set coefficients = [
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    ] -%}
    (
        case when {{ z }} < 0 then 1 else 0 end
        + case when {{ z }} < 0 then -1 else 1 end
        * {{ t }}
        / 2
        * exp({{ polynomial(t, coefficients) }} - {{ u }} * {{ u }})
    )
{%- endmacro %}


{#- z with P(Z > z) = p, 0 < p < 1. Wichura's AS 241, PPND7: about seven digits for p of 1e-300 as of 0.5. -#}
{% macro normal_quantile(p) -%}
    {%- set q = "(0.5 - " ~ p ~ ")" -%}
    {%- set central = "(0.180625 - " ~ q ~ " * " ~ q ~ ")" -%}
    {%- set root = "sqrt(-ln(least(" ~ p ~ ", 1 - " ~ p ~ ")))" -%}
    {%- set middle, far = "(" ~ root ~ " - 1.6)", "(" ~ root ~ " - 5)" -%}
    case
        when abs({{ q }}) <= 0.425
        then
            {{ q }}
            * {{ polynomial(central, [3.3871327179, 50.434271938, 159.29113202, 59.109374720]) }}
            / {{ polynomial(central, [1, 17.895169469, 78.757757664, 67.187563600]) }}
        when {{ root }} <= 5
        then
            sign({{ q }})
            * {{ polynomial(middle, [1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103]) }}
            / {{ polynomial(middle, [1, 0.73700164250, 0.12021132975]) }}
        else
            sign({{ q }})
            * {{ polynomial(far, [6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997]) }}
            / {{ polynomial(far, [1, 0.24197894225, 0.012258202635]) }}
    end
{%- endmacro %}


{#-
    P(T > t) of Student's t with 12 degrees of freedom. With x = 12 / (12 + t²) and sin θ = t / √(12 + t²) the closed form
    for an even number is ½ − ½ sin θ Σ_{k<6} c_k xᵏ, c_k = (2k − 1)!! / (2k)!!. It cancels in the far tail, where the rest
    of the same series, ½ sin θ Σ_{k≥6} c_k xᵏ, is taken instead: relative error below 1e-6 from t = 5 on.
-#}
{% macro student_12_tail(t) -%}
    {%- set x = "(12 / (12 + " ~ t ~ " * " ~ t ~ "))" -%}
    {%- set half_sine = "(" ~ t ~ " / sqrt(12 + " ~ t ~ " * " ~ t ~ ") / 2)" -%}
    {%- set c = [1.0] -%}
    {%- for k in range(1, 18) -%} {%- do c.append(c[-1] * (2 * k - 1) / (2 * k)) -%} {%- endfor -%}
    case
        when {{ t }} <= 5
        then 0.5 - {{ half_sine }} * {{ polynomial(x, c[:6]) }}
        else {{ half_sine }} * power({{ x }}, 6) * {{ polynomial(x, c[6:]) }}
    end
{%- endmacro %}


{#-
    Rows of `relation` with its columns and `mid_p`: P(K > k) + ½ P(K = k) of the negative binomial with mean `lambda` and
    variance lambda·(1 + phi·lambda) (Poisson at phi = 0). `key` identifies a row; k, lambda, phi are columns; a mean of
    zero has P(K = 0) = 1. From pmf(0) upwards by the ratio of neighbours, lambda·(1 + phi·(j − 1)) / (j·(1 + phi·lambda)),
    as sums of logarithms. Above the mean the tail itself is summed, as far as it is worth 1e-6 of the answer, below
    it the rest of one: nothing cancels where p is small. Not below 1e-300.
-#}
{% macro negative_binomial_mid_p(relation, key) -%}
    with
        reach as (
            select
                {{ key }},
                k,
                greatest(lambda, 1e-9)::double precision as lambda,
                phi::double precision as phi,
                k + case
                    when k > lambda then ceil(16 * (1 + phi * lambda) + 8 * sqrt(lambda) + 8)::integer else 0
                end as last_j
            from {{ relation }}
            where k is not null and lambda is not null
        ),
        chance as (
            select
                {{ key }},
                k,
                lambda,
                j,
                case when phi * lambda > 1e-9 then - ln(1 + phi * lambda) / phi else - lambda end + sum(
                    case when j > 0 then ln(lambda * (1 + phi * (j - 1)) / (j * (1 + phi * lambda))) else 0 end
                ) over (partition by {{ key }} order by j rows unbounded preceding) as ln_p
            from reach
            cross join lateral generate_series(0, last_j) as j
        ),
        summed as (
            select
                {{ key }},
                k > lambda as is_above,
                sum(case when j = k then 0.5 else 1 end * exp(greatest(ln_p, -690)) order by j) filter (
                    where j >= k or k <= lambda
                ) as part
            from chance
            group by {{ key }}, k > lambda
        )
    select relation.*, case when is_above then part else 1 - part end as mid_p
    from {{ relation }} as relation
    left join summed using ({{ key }})
{%- endmacro %}


{#- Benjamini and Hochberg (1995) inside `family`: the smallest false discovery rate at which the row is still called. -#}
{% macro benjamini_hochberg(p, family) -%}
    round(
        least(
            min({{ p }} * family_size / rank_in_family) over (
                partition by {{ family }} order by {{ p }} desc rows between unbounded preceding and current row
            ),
            1
        ),
        12
    )
{%- endmacro %}
