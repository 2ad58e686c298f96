-- Validates what the migration before left unvalidated. Reads credit_entries; blocks nobody who reads or writes it.

alter table public.credit_entries validate constraint credit_entries_fit_kind;
