-- Who may read what is sealed: the server, one secret of an agent that lives; and the owner, to seal it anew. And how a
-- user's secret is removed.
-- Locks agents for a moment.

create function glovebox.find_secret(p_user_id uuid, p_agent_id uuid, p_name text)
returns table (name text, hosts text[], key_id text, nonce bytea, ciphertext bytea)
language sql stable security definer set search_path = '' as $$
    select s.name, s.hosts, s.key_id, s.nonce, s.ciphertext
    from public.agent_secrets s
    join public.agents a on a.user_id = s.user_id and a.id = s.agent_id and a.status = 'active'
    where s.user_id = p_user_id and s.agent_id = p_agent_id and s.name = p_name
$$;

create function glovebox.remove_secret(p_agent_id uuid, p_name text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
    delete from public.agent_secrets s
    where s.user_id = glovebox.caller_id() and s.agent_id = p_agent_id and s.name = p_name;
    return found;
end
$$;

-- Secrets that another key than this one opens, behind the last one of the page before.
create function glovebox.secrets_to_reseal(
    p_key_id text, p_user_id uuid, p_agent_id uuid, p_name text, p_limit integer
)
returns table (user_id uuid, agent_id uuid, name text, hosts text[], key_id text, nonce bytea, ciphertext bytea)
language sql stable security definer set search_path = '' as $$
    select s.user_id, s.agent_id, s.name, s.hosts, s.key_id, s.nonce, s.ciphertext
    from public.agent_secrets s
    where s.key_id <> p_key_id and (s.user_id, s.agent_id, s.name) > (p_user_id, p_agent_id, p_name)
    order by s.user_id, s.agent_id, s.name
    limit p_limit
$$;

-- False where the secret was changed or removed meanwhile. Its owner's `updated_at` stays: its value did not change.
create function glovebox.reseal_secret(
    p_user_id uuid, p_agent_id uuid, p_name text, p_old_nonce bytea, p_key_id text, p_nonce bytea, p_ciphertext bytea
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
    update public.agent_secrets s
    set key_id = p_key_id, nonce = p_nonce, ciphertext = p_ciphertext
    where s.user_id = p_user_id and s.agent_id = p_agent_id and s.name = p_name and s.nonce = p_old_nonce;
    return found;
end
$$;

revoke all on function glovebox.find_secret(uuid, uuid, text), glovebox.remove_secret(uuid, text),
    glovebox.secrets_to_reseal(text, uuid, uuid, text, integer), glovebox.reseal_secret(uuid, uuid, text, bytea, text, bytea, bytea)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.remove_secret(uuid, text) to glovebox_user;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.find_secret(uuid, uuid, text) owner to glovebox_ledger;
alter function glovebox.remove_secret(uuid, text) owner to glovebox_ledger;
alter function glovebox.secrets_to_reseal(text, uuid, uuid, text, integer) owner to glovebox_ledger;
alter function glovebox.reseal_secret(uuid, uuid, text, bytea, text, bytea, bytea) owner to glovebox_ledger;
alter function glovebox.drop_secrets_of_deleted() owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;

create trigger agents_deleted_lose_secrets after update of status on public.agents
    for each row when (new.status = 'deleted') execute function glovebox.drop_secrets_of_deleted();
