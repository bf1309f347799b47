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


{#-
    Rows of `counted` beside their region. Every sign of `signs` is a column that counts what is asked about, out of the
    column named as its total; `work` are the columns that say within what organisations are compared. Gives the share of
    the row and of the region, %, and the probability of as many or more at the region's share.
-#}
{% macro against_region(counted, work, signs) -%}
    select
        {{ counted }}.*
        {%- for sign, total in signs.items() %}
            ,
            100.0 * {{ counted }}.{{ sign }} / nullif({{ counted }}.{{ total }}, 0) as {{ sign }}_share,
            100 * region.{{ sign }}_share as region_{{ sign }}_share,
            {{ binomial_tail(counted ~ "." ~ sign, counted ~ "." ~ total, "region." ~ sign ~ "_share") }}
            as {{ sign }}_p
        {%- endfor %}
    from {{ counted }}
    inner join
        (
            select
                {{ work }}
                {%- for sign, total in signs.items() %}
                    , sum({{ sign }})::numeric / nullif(sum({{ total }}), 0) as {{ sign }}_share
                {%- endfor %}
            from {{ counted }}
            group by {{ work }}
        ) as region using ({{ work }})
{%- endmacro %}
