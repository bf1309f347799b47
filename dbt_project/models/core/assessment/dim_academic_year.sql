select
    year::smallint as academic_year,
    (year - 1) || '/' || right(year::text, 2) as title,
    make_date(year - 1, 9, 1) as starts_on,
    make_date(year, 8, 31) as ends_on
from generate_series(2011, 2050) as spring(year)
