-- Grants by the operator: only the owner of the database may call it, no role that the server has or becomes.
-- Locks nothing.

create function glovebox.grant_credits(
    p_user_id uuid, p_amount_microcredits bigint, p_idempotency_key text,
    out applied boolean, out same_amount boolean, out available_microcredits bigint, out held_microcredits bigint
)
language plpgsql security definer set search_path = '' as $$
declare
    entry_key text := 'grant:' || p_idempotency_key;
begin
    perform glovebox.open_account(p_user_id);

    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, idempotency_key)
    values (p_user_id, 'grant', p_amount_microcredits, p_amount_microcredits, 0, entry_key)
    on conflict on constraint credit_entries_key_once do nothing;
    applied := found;

    select e.amount_microcredits = p_amount_microcredits into same_amount
    from public.credit_entries e where e.user_id = p_user_id and e.idempotency_key = entry_key;
    select a.available_microcredits, a.held_microcredits into available_microcredits, held_microcredits
    from public.credit_accounts a where a.user_id = p_user_id;
end
$$;

revoke all on function glovebox.grant_credits(uuid, bigint, text) from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.grant_credits(uuid, bigint, text) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
