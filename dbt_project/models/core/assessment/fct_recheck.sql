-- Made by `make generate` from rsoko/contracts/sources/recheck.yml
select * from {{ ref("stg_recheck__recheck") }} where {{ only_new_slices("recheck") }}
