-- Lets glovebox_ledger, whose functions purge and erase, remove what users own. Every table with a user_id needs this.
-- Locks each table for a moment.

-- The policies ask who acts, not who might: the owner of the database is a member of glovebox_ledger, and stays held
-- by forced row-level security until it becomes that role. The update right is for row locks only.
grant select, delete, update (updated_at) on public.agents to glovebox_ledger;
create policy agents_remove_by_ledger on public.agents for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');

grant select, delete on public.agent_versions, public.version_tiers, public.run_logs to glovebox_ledger;
create policy agent_versions_remove_by_ledger on public.agent_versions for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');
create policy version_tiers_remove_by_ledger on public.version_tiers for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');
create policy run_logs_remove_by_ledger on public.run_logs for all to glovebox_ledger
    using (current_user = 'glovebox_ledger') with check (current_user = 'glovebox_ledger');

grant delete on public.runs, public.credit_entries to glovebox_ledger;
create policy runs_remove_by_ledger on public.runs for delete to glovebox_ledger
    using (current_user = 'glovebox_ledger');
create policy credit_entries_remove_by_ledger on public.credit_entries for delete to glovebox_ledger
    using (current_user = 'glovebox_ledger');

-- Its policy is there, for all.
grant delete on public.credit_accounts to glovebox_ledger;
