"""Files: contracts, readers, the landing zone, the ledger and COPY. No domain rules and no SQL business logic."""
