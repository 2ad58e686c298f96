"""The caller's balance and ledger."""
