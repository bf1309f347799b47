-- Made by `make generate` from rsoko/contracts/sources/medal.yml
select * from {{ ref("stg_medal__medal") }} where {{ only_new_slices("medal") }}
