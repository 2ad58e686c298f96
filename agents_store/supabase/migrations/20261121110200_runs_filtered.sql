-- What lists of runs are filtered by: what did not succeed, what still lives, what was dry. Partial, so that a live run
-- that succeeds, the most common one, is written into one of them only, and only at its begin.
-- Locks runs against writes while it reads the table three times.

create index runs_unsuccessful on public.runs (user_id, state, id) where state in ('failed', 'cancelled');
create index runs_unfinished on public.runs (user_id, id) where outcome is null;
create index runs_dry on public.runs (user_id, id) where test;
