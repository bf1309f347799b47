-- Made by `make generate` from rsoko/contracts/sources/yearly_mark.yml
select * from {{ ref("stg_yearly_mark__mark") }} where {{ only_new_slices("yearly_mark") }}
