{#-
    Bound of Wilson's interval of a share `k` of `n`, 0…1: `side` is "-" or "+", `z` the quantile (1.96 for 95 %). NULL when
    n = 0. Unlike k/n ± z·s it stays inside 0…1 and holds its level when n is small or k is 0 or n.
-#}
{% macro wilson_bound(side, k, n, z) -%}
    (
        (
            {{ k }}
            + {{ z }}
            * {{ z }}
            / 2.0 {{ side }} {{ z }}
            * sqrt({{ k }}::numeric * ({{ n }} - {{ k }}) / nullif({{ n }}, 0) + {{ z }} * {{ z }} / 4.0)
        )
        / ({{ n }} + {{ z }} * {{ z }})
    )
{%- endmacro %}
