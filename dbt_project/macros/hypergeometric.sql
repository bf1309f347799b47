{#-
    P(X = k): `k` marked ones in a draw of `drawn` out of `total`, of which `marked` are marked; `ln_factorial` is that of
    ln_factorials.
-#}
{% macro hypergeometric(k, drawn, marked, total, ln_factorial) -%}
    case
        when {{ k }} > {{ marked }} or {{ drawn }} - {{ k }} > {{ total }} - {{ marked }}
        then 0
        else
            exp(
                {{ ln_factorial }} [{{ marked }} + 1]
                - {{ ln_factorial }} [{{ k }} + 1]
                - {{ ln_factorial }} [{{ marked }} - {{ k }} + 1]
                + {{ ln_factorial }} [{{ total }} - {{ marked }} + 1]
                - {{ ln_factorial }} [{{ drawn }} - {{ k }} + 1]
                - {{ ln_factorial }} [{{ total }} - {{ marked }} - {{ drawn }} + {{ k }} + 1]
                - {{ ln_factorial }} [{{ total }} + 1]
                + {{ ln_factorial }} [{{ drawn }} + 1]
                + {{ ln_factorial }} [{{ total }} - {{ drawn }} + 1]
            )
    end
{%- endmacro %}


{#- One row, `ln_factorial`: an array of double precision with ln i! at i + 1, up to i = `largest`. -#}
{% macro ln_factorials(largest) -%}
    select array_agg(ln_value order by k) as ln_factorial
    from
        (
            select k, sum(ln(greatest(k, 1)::double precision)) over (order by k) as ln_value
            from generate_series(0, {{ largest }}) as k
        ) as summed
{%- endmacro %}
