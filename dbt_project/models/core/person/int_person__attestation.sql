select
    attestation.region_code,
    attestation.year,
    attestation.organisation_code,
    attestation.source_organisation_code,
    coalesce(known.person_hash, attestation.person_hash) as person_hash,
    attestation.person_hash as source_person_hash,
    attestation.person_role,
    attestation.position,
    attestation.category,
    attestation.decided_on,
    attestation.valid_until,
    attestation.test_percent,
    attestation.project_percent,
    attestation.has_management_education,
    attestation.trained_on,
    attestation.has_reserve,
    attestation.load_id,
    attestation.slice_id,
    attestation.sheet,
    attestation.row_no
from {{ at_organisation(ref("fct_attestation"), in_force_on("leader", "fact.year")) }} as attestation
left join
    {{ ref("int_person__known") }} as known
    on attestation.region_code = known.region_code
    and attestation.organisation_code = known.organisation_code
    and attestation.person_hash = known.person_name_hash
