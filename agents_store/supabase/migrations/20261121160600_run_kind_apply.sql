-- A kind of run that carries out what a dry run listed. In a file of its own: a new value can be used once it is committed.
-- Locks nothing.

alter type glovebox.run_kind add value 'apply';
