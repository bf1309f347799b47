{#-
    P(X = k): `k` marked ones in a draw of `drawn` out of `total`, of which `marked` are marked. `ln_factorial` is an array
    of double precision with ln i! at i + 1.
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
