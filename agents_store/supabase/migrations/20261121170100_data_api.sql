-- What a server without a connection of its own reaches through Supabase's Data API: three functions, for the secret key
-- alone, each with the rights of one role of ours. They carry out a named call, `glovebox.api_*`, that this role may execute.
-- Locks nothing.

-- For this transaction only. Both forms, because `auth.uid()` of older projects reads the one, of newer ones the other.
create function glovebox.claim(p_user_id uuid) returns void
language sql set search_path = '' as $$
    select set_config('request.jwt.claims', json_build_object('sub', p_user_id, 'role', 'authenticated')::text, true),
        set_config('request.jwt.claim.sub', p_user_id::text, true)
$$;

-- Carry out a named call. Arguments and answer are JSON as text, so that no gateway in between rewrites a number or a string;
-- and what the schema refuses is an answer, too, because gateways do not pass on which constraint it was:
--   {"value": ...}  or  {"refused": {"sqlstate", "constraint"}}, where nothing was changed
create function glovebox.carry_out(p_call text, p_arguments text) returns text
language plpgsql set search_path = '' as $$
declare
    answer text;
    violated text;
begin
    execute format('select glovebox.%I($1)', 'api_' || p_call) into answer using p_arguments::json;
    return '{"value": ' || coalesce(nullif(answer, ''), 'null') || '}'; -- what returns void gives the empty text
exception when integrity_constraint_violation or data_exception or object_in_use or object_not_in_prerequisite_state
    or feature_not_supported
then
    get stacked diagnostics violated = constraint_name;
    return json_build_object('refused', json_build_object('sqlstate', sqlstate, 'constraint', violated))::text;
end
$$;

create function public.gbx_as_user(p_user_id uuid, p_call text, p_arguments text) returns text
language plpgsql security definer set search_path = '' as $$
begin
    perform glovebox.claim(p_user_id);
    return glovebox.carry_out(p_call, p_arguments);
end
$$;

-- For the glove calls of a dry run: a role that cannot write.
create function public.gbx_as_dry(p_user_id uuid, p_call text, p_arguments text) returns text
language plpgsql security definer set search_path = '' as $$
begin
    perform glovebox.claim(p_user_id);
    return glovebox.carry_out(p_call, p_arguments);
end
$$;

-- For what a server does for nobody: leases, reaping, retention, keys looked up by their hash.
create function public.gbx_as_server(p_call text, p_arguments text) returns text
language plpgsql security definer set search_path = '' as $$
begin
    return glovebox.carry_out(p_call, p_arguments);
end
$$;

-- By itself, because it may take longer than the Data API gives a statement: it takes this setting over.
create function public.gbx_erase_account(p_user_id uuid) returns text
language plpgsql security definer set search_path = '' set statement_timeout = '120s' as $$
begin
    perform glovebox.claim(p_user_id);
    return glovebox.carry_out('erase_account', '{}');
end
$$;

create function glovebox.api_erase_account(p json) returns text
language plpgsql set search_path = '' as $$
begin
    perform glovebox.erase_account();
    return null;
end
$$;

revoke all on function glovebox.claim(uuid), glovebox.carry_out(text, text), glovebox.api_erase_account(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.claim(uuid) to glovebox_user, glovebox_dry;
grant execute on function glovebox.carry_out(text, text) to glovebox_user, glovebox_dry, glovebox_ledger;
grant execute on function glovebox.api_erase_account(json) to glovebox_user;
revoke all on function public.gbx_as_user(uuid, text, text), public.gbx_as_dry(uuid, text, text),
    public.gbx_as_server(text, text), public.gbx_erase_account(uuid)
    from public, anon, authenticated, service_role;
grant execute on function public.gbx_as_user(uuid, text, text), public.gbx_as_dry(uuid, text, text),
    public.gbx_as_server(text, text), public.gbx_erase_account(uuid) to service_role;

-- To give a function to a role one must be a member of it, and the role must be able to have one there.
grant glovebox_user, glovebox_dry to current_user;
grant create on schema public to glovebox_user, glovebox_dry, glovebox_ledger;
alter function public.gbx_as_user(uuid, text, text) owner to glovebox_user;
alter function public.gbx_erase_account(uuid) owner to glovebox_user;
alter function public.gbx_as_dry(uuid, text, text) owner to glovebox_dry;
alter function public.gbx_as_server(text, text) owner to glovebox_ledger;
revoke create on schema public from glovebox_user, glovebox_dry, glovebox_ledger;
revoke glovebox_user, glovebox_dry from current_user;
