-- Holds of generations: taken and closed by glovebox_ledger, as those of runs are.
-- Locks nothing.

-- What a generation costs at the prices of its begin, never more than what was held for it. Each begun microcredit counts.
create function glovebox.generation_price(
    p_prices jsonb, p_input_tokens bigint, p_output_tokens bigint, p_cache_read_tokens bigint,
    p_cache_write_tokens bigint, p_max_microcredits bigint
) returns bigint
language sql immutable set search_path = '' as $$
    -- numeric, so that no number of tokens can leave bigint and keep a generation from being finished
    select least(
        ceil((
            (p_prices ->> 'input_microcredits_per_million')::numeric * p_input_tokens
            + (p_prices ->> 'output_microcredits_per_million')::numeric * p_output_tokens
            + (p_prices ->> 'cache_read_microcredits_per_million')::numeric * p_cache_read_tokens
            + (p_prices ->> 'cache_write_microcredits_per_million')::numeric * p_cache_write_tokens
        ) / 1000000),
        p_max_microcredits
    )::bigint
$$;

create function glovebox.hold_generation(p_generation_id uuid, p_amount_microcredits bigint) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, generation_id,
        idempotency_key)
    values (glovebox.caller_id(), 'hold', p_amount_microcredits, -p_amount_microcredits, p_amount_microcredits,
        p_generation_id, 'hold:generation:' || p_generation_id);
end
$$;

-- Close a generation's hold: settle it at the charge, or release it whole where the charge is null.
create function glovebox.close_generation(
    p_user_id uuid, p_generation_id uuid, p_charge_microcredits bigint, p_pricing jsonb
) returns void
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.credit_entries
        (user_id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, generation_id,
        hold_id, pricing, idempotency_key)
    select h.user_id, case when p_charge_microcredits is null then 'release' else 'settle' end::glovebox.entry_kind,
        coalesce(p_charge_microcredits, h.amount_microcredits),
        h.amount_microcredits - coalesce(p_charge_microcredits, 0), -h.amount_microcredits, h.generation_id, h.id,
        case when p_charge_microcredits is not null then p_pricing end,
        case when p_charge_microcredits is null then 'release:' else 'settle:' end || 'generation:' || p_generation_id
    from public.credit_entries h
    where h.user_id = p_user_id and h.idempotency_key = 'hold:generation:' || p_generation_id and h.kind = 'hold';
    if not found then
        raise exception 'generation has no hold to close'
            using errcode = 'foreign_key_violation', constraint = 'credit_entries_closes_its_hold';
    end if;
end
$$;

create function glovebox.close_own_generation(p_generation_id uuid, p_charge_microcredits bigint, p_pricing jsonb)
returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform glovebox.close_generation(glovebox.caller_id(), p_generation_id, p_charge_microcredits, p_pricing);
end
$$;

revoke all on function
    glovebox.generation_price(jsonb, bigint, bigint, bigint, bigint, bigint),
    glovebox.hold_generation(uuid, bigint),
    glovebox.close_generation(uuid, uuid, bigint, jsonb),
    glovebox.close_own_generation(uuid, bigint, jsonb)
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.hold_generation(uuid, bigint) owner to glovebox_ledger;
alter function glovebox.close_generation(uuid, uuid, bigint, jsonb) owner to glovebox_ledger;
alter function glovebox.close_own_generation(uuid, bigint, jsonb) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
grant execute on function
    glovebox.generation_price(jsonb, bigint, bigint, bigint, bigint, bigint),
    glovebox.hold_generation(uuid, bigint),
    glovebox.close_own_generation(uuid, bigint, jsonb)
    to glovebox_user;
