{#-
    Standard error of a mean from the number, the sum and the sum of squares: sample deviation (n − 1) over √n. NULL for
    n = 1. From integers in numerics, so it does not depend on the order of rows.
-#}
{% macro standard_error(n, total, total_squared) -%}
    sqrt(
        greatest({{ n }} * {{ total_squared }} - {{ total }} * {{ total }}, 0)
        / nullif({{ n }}::numeric * {{ n }} * ({{ n }} - 1), 0)
    )
{%- endmacro %}
