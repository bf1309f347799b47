{#-
    P(X ≥ k) of the binomial law with `n` trials and share `share` (0…1): exact, as a sum of its terms through logarithms.
    1 for k = 0 and for a share of 1; NULL for n = 0.
-#}
{% macro binomial_tail(k, n, share) -%}
    case
        when {{ n }} = 0
        then null
        when {{ k }} = 0 or {{ share }} >= 1
        then 1
        else
            (
                select
                    least(
                        sum(
                            exp(
                                greatest(
                                    term.ln_ways
                                    + term.j * ln({{ share }}::double precision)
                                    + ({{ n }} - term.j) * ln(1 - {{ share }}::double precision),
                                    -690
                                )
                            )
                        ),
                        1
                    )
                from
                    (
                        select j, sum(ln(({{ n }} - j + 1)::double precision / j)) over (order by j) as ln_ways
                        from generate_series(1, {{ n }}) as j
                    ) as term
                where term.j >= {{ k }}
            )
    end
{%- endmacro %}
