-- Begin a generation in one statement: price, hold, insert. The server calls it as glovebox_login.
-- Locks nothing.

-- The hold is the worst case: every attempt as large as it may be, its input at the dearest of the three prices of input.
create function glovebox.begin_generation(
    p_claims text, p_generation_id uuid, p_kind glovebox.generation_kind, p_agent_name text, p_request text,
    p_model text, p_prompt_version integer, p_attempts_max integer, p_input_tokens_max bigint,
    p_output_tokens_max bigint, p_server_id uuid,
    out status text, out hold_microcredits bigint, out available_microcredits bigint
)
language plpgsql security invoker set search_path = '' as $$
declare
    priced jsonb;
    violated text;
begin
    -- For this transaction only. The claim of its own would overrule the claims, so it must be empty.
    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);

    select jsonb_build_object(
            'input_microcredits_per_million', m.input_microcredits_per_million,
            'output_microcredits_per_million', m.output_microcredits_per_million,
            'cache_read_microcredits_per_million', m.cache_read_microcredits_per_million,
            'cache_write_microcredits_per_million', m.cache_write_microcredits_per_million
        ),
        ceil(p_attempts_max::numeric * (
            greatest(m.input_microcredits_per_million, m.cache_read_microcredits_per_million,
                m.cache_write_microcredits_per_million)::numeric * p_input_tokens_max
            + m.output_microcredits_per_million::numeric * p_output_tokens_max
        ) / 1000000)
    into priced, hold_microcredits
    from public.models m where m.name = p_model;
    if not found then
        status := 'unknown_model';
        return;
    end if;

    perform glovebox.ensure_account();
    select a.available_microcredits into strict available_microcredits
    from public.credit_accounts a where a.user_id = glovebox.caller_id();
    if available_microcredits < hold_microcredits then
        status := 'insufficient';
        return;
    end if;

    begin
        insert into public.generations (id, user_id, kind, agent_name, request, model, prompt_version, prices,
            hold_microcredits, server_id)
        values (p_generation_id, glovebox.caller_id(), p_kind, p_agent_name, p_request, p_model, p_prompt_version,
            priced, begin_generation.hold_microcredits, p_server_id);
        if hold_microcredits > 0 then
            perform glovebox.hold_generation(p_generation_id, hold_microcredits);
        end if;
        status := 'begun';
    exception when check_violation then
        -- Others held it between the look above and the hold: the generation is undone.
        get stacked diagnostics violated = constraint_name;
        if violated <> 'credit_accounts_available_not_negative' then
            raise;
        end if;
        select a.available_microcredits into strict available_microcredits
        from public.credit_accounts a where a.user_id = glovebox.caller_id();
        status := 'insufficient';
    end;
end
$$;

revoke all on function glovebox.begin_generation(text, uuid, glovebox.generation_kind, text, text, text, integer,
        integer, bigint, bigint, uuid)
    from public, anon, authenticated, service_role;
