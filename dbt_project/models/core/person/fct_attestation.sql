-- Made by `make generate` from rsoko/contracts/sources/attestation.yml
select * from {{ ref("stg_attestation__person") }} where {{ only_new_slices("attestation") }}
