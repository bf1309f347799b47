{#-
    Key under which spellings of one municipality meet: «г. Алейск» and «город Алейск», «Алейский район», «Алейский
    муниципальный район» and its successor «Алейский муниципальный округ».
-#}
{% macro municipality_key(name) -%}
    trim(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(translate(lower({{ name }}), 'ё«»"', 'е'), '^(г|гор)\.\s*', 'город '),
                        '(^|\s)р-н(\s|$)',
                        '\1район\2',
                        'g'
                    ),
                    'муниципальный округ',
                    'район'
                ),
                '(городской округ|муниципальн(ый|ое)|образование)',
                '',
                'g'
            ),
            '\s+',
            ' ',
            'g'
        )
    )
{%- endmacro %}
