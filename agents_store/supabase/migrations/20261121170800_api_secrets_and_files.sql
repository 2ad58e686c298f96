-- Calls of the Data API on secrets and files: those of a user run as glovebox_user, the last four as glovebox_ledger.
-- Bytes are hexadecimal digits. Locks nothing.

create function glovebox.api_put_secret(p json) returns text
language sql set search_path = '' as $$
    insert into public.agent_secrets as s (user_id, agent_id, name, hosts, key_id, nonce, ciphertext)
    select a.user_id, a.id, p ->> 'name', array(select json_array_elements_text(p -> 'hosts')), p ->> 'key_id',
        decode(p ->> 'nonce', 'hex'), decode(p ->> 'ciphertext', 'hex')
    from public.agents a
    where a.status = 'active' and a.id = (p ->> 'agent_id')::uuid
    on conflict on constraint agent_secrets_pkey do update
    -- Named again: what is excluded is read, and nobody here reads what is sealed.
    set hosts = array(select json_array_elements_text(p -> 'hosts')), key_id = p ->> 'key_id',
        nonce = decode(p ->> 'nonce', 'hex'), ciphertext = decode(p ->> 'ciphertext', 'hex'), updated_at = now()
    returning json_build_object('name', s.name, 'hosts', s.hosts, 'created_at', s.created_at,
        'updated_at', s.updated_at)::text
$$;

create function glovebox.api_delete_secret(p json) returns text
language sql set search_path = '' as $$
    select to_json(glovebox.remove_secret((p ->> 'agent_id')::uuid, p ->> 'name'))::text
$$;

create function glovebox.api_add_file(p json) returns text
language sql set search_path = '' as $$
    insert into public.run_files as f (user_id, run_id, name, media_type, size_bytes, sha256, storage_key)
    select r.user_id, r.id, p ->> 'name', p ->> 'media_type', (p ->> 'size_bytes')::bigint, p ->> 'sha256',
        p ->> 'storage_key'
    from public.runs r
    where r.id = (p ->> 'run_id')::uuid
    on conflict on constraint run_files_pkey do update
    set media_type = excluded.media_type, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
        storage_key = excluded.storage_key, created_at = now()
    returning json_build_object('name', f.name, 'media_type', f.media_type, 'size_bytes', f.size_bytes,
        'sha256', f.sha256, 'storage_key', f.storage_key, 'created_at', f.created_at)::text
$$;

create function glovebox.api_find_secret(p json) returns text
language sql stable set search_path = '' as $$
    select json_build_object('name', s.name, 'hosts', s.hosts, 'key_id', s.key_id, 'nonce', encode(s.nonce, 'hex'),
        'ciphertext', encode(s.ciphertext, 'hex'))::text
    from glovebox.find_secret((p ->> 'user_id')::uuid, (p ->> 'agent_id')::uuid, p ->> 'name') s
$$;

create function glovebox.api_reserve_file(p json) returns text
language sql set search_path = '' as $$
    select glovebox.reserve_file(p ->> 'storage_key')::text
$$;

create function glovebox.api_unneeded_files(p json) returns text
language sql stable set search_path = '' as $$
    select coalesce(json_agg(f), '[]')::text from glovebox.find_unneeded_files((p ->> 'rows_max')::integer) f
$$;

create function glovebox.api_forget_files(p json) returns text
language sql set search_path = '' as $$
    select glovebox.forget_files(array(select json_array_elements_text(p -> 'storage_keys')))::text
$$;

revoke all on function glovebox.api_put_secret(json), glovebox.api_delete_secret(json), glovebox.api_add_file(json),
    glovebox.api_find_secret(json), glovebox.api_reserve_file(json), glovebox.api_unneeded_files(json),
    glovebox.api_forget_files(json)
    from public, anon, authenticated, service_role;
grant execute on function glovebox.api_put_secret(json), glovebox.api_delete_secret(json), glovebox.api_add_file(json)
    to glovebox_user;
grant execute on function glovebox.api_find_secret(json), glovebox.api_reserve_file(json),
    glovebox.api_unneeded_files(json), glovebox.api_forget_files(json)
    to glovebox_ledger;
