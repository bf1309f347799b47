"""Landing zone, ledger, and the way of a delivery from received to published."""
