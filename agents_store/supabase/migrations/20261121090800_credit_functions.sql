-- Everything that moves credits. All run as glovebox_ledger; what the server may call acts for the caller alone.
-- Locks nothing.

-- Makes an account with its grant when the user is first seen. However many see the user at once, one grant results.
create function glovebox.open_account(p_user_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.credit_accounts (user_id) values (p_user_id)
    on conflict on constraint credit_accounts_pkey do nothing;
    if not found then
        return;
    end if;
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, idempotency_key)
    select p_user_id, 'grant', p.amount_microcredits, p.amount_microcredits, 0, 'first_grant'
    from public.prices p where p.name = 'first_grant' and p.amount_microcredits > 0;
end
$$;

create function glovebox.ensure_account() returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform glovebox.open_account(glovebox.caller_id());
end
$$;

create function glovebox.hold_credits(p_run_id uuid, p_amount_microcredits bigint) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, run_id,
        idempotency_key)
    values (glovebox.caller_id(), 'hold', p_amount_microcredits, -p_amount_microcredits, p_amount_microcredits,
        p_run_id, 'hold:' || p_run_id);
end
$$;

-- Close a run's hold: settle it at the charge, or release it whole where the charge is null.
create function glovebox.close_hold(p_user_id uuid, p_run_id uuid, p_charge_microcredits bigint) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, run_id, hold_id,
        idempotency_key)
    select h.user_id, case when p_charge_microcredits is null then 'release' else 'settle' end::glovebox.entry_kind,
        coalesce(p_charge_microcredits, h.amount_microcredits),
        h.amount_microcredits - coalesce(p_charge_microcredits, 0), -h.amount_microcredits, h.run_id, h.id,
        case when p_charge_microcredits is null then 'release:' else 'settle:' end || p_run_id
    from public.credit_entries h
    where h.user_id = p_user_id and h.idempotency_key = 'hold:' || p_run_id and h.kind = 'hold';
    if not found then
        raise exception 'run has no hold to close'
            using errcode = 'foreign_key_violation', constraint = 'credit_entries_closes_its_hold';
    end if;
end
$$;

create function glovebox.close_own_hold(p_run_id uuid, p_charge_microcredits bigint) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform glovebox.close_hold(glovebox.caller_id(), p_run_id, p_charge_microcredits);
end
$$;

revoke all on function glovebox.open_account(uuid), glovebox.ensure_account(), glovebox.hold_credits(uuid, bigint),
    glovebox.close_hold(uuid, uuid, bigint), glovebox.close_own_hold(uuid, bigint)
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.open_account(uuid) owner to glovebox_ledger;
alter function glovebox.ensure_account() owner to glovebox_ledger;
alter function glovebox.hold_credits(uuid, bigint) owner to glovebox_ledger;
alter function glovebox.close_hold(uuid, uuid, bigint) owner to glovebox_ledger;
alter function glovebox.close_own_hold(uuid, bigint) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
grant execute on function glovebox.ensure_account(), glovebox.hold_credits(uuid, bigint),
    glovebox.close_own_hold(uuid, bigint) to glovebox_user;
