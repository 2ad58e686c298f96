-- Who a key stands for, and when keys were last used. The server calls both as glovebox_login, before it acts for anybody.
-- Locks nothing.

create function glovebox.find_api_key(
    p_key_hash bytea, out id uuid, out user_id uuid, out expires_in_s double precision
) returns setof record
language sql stable security definer set search_path = '' as $$
    select k.id, k.user_id, extract(epoch from k.expires_at - clock_timestamp())::double precision
    from public.api_keys k
    where k.key_hash = p_key_hash and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > clock_timestamp())
$$;

-- Writes a row at most once a minute, whatever number of servers sees the key.
create function glovebox.touch_api_keys(p_ids uuid[]) returns void
language sql security definer set search_path = '' as $$
    update public.api_keys k set last_used_at = clock_timestamp()
    where k.id in (
        select u.id from public.api_keys u
        where u.id = any (p_ids)
            and (u.last_used_at is null or u.last_used_at < clock_timestamp() - interval '1 minute')
        -- In one order, so that two servers never wait for each other in a circle.
        order by u.id for no key update
    )
$$;

revoke all on function glovebox.find_api_key(bytea), glovebox.touch_api_keys(uuid[])
    from public, anon, authenticated, service_role;
grant create on schema glovebox to glovebox_ledger;
alter function glovebox.find_api_key(bytea) owner to glovebox_ledger;
alter function glovebox.touch_api_keys(uuid[]) owner to glovebox_ledger;
revoke create on schema glovebox from glovebox_ledger;
