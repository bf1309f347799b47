-- Made by `make generate` from rsoko/contracts/sources/preschool.yml
select * from {{ ref("stg_preschool__level") }} where {{ only_new_slices("preschool") }}
