select
    given.region_code,
    given.test_id,
    given.item_no,
    count(*)::integer as groups,
    round({{ excess_variance("given.deviation", "given.variance", "test.outlier_ratio") }}, 12) as omega
from {{ ref("int_sign__item_deviation") }} as given
inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where groups.n >= test.n_min and given.variance > 0
group by given.region_code, given.test_id, given.item_no
