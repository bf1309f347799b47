"""What is made from marts and the ledger for people to look at: dossiers, the gate's page, dictionary, templates."""
