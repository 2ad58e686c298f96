-- API keys. The last two run as glovebox_login itself, the others as glovebox_user. No query reads a hash.

-- name: insert_api_key
insert into public.api_keys (id, user_id, name, key_hash, prefix, last4, expires_at)
values (%(id)s, %(user_id)s, %(name)s, %(key_hash)s, %(prefix)s, %(last4)s,
    now() + make_interval(days => %(expires_in_days)s))
returning id, name, prefix, last4, created_at, expires_at, last_used_at, revoked_at;

-- name: list_api_keys
select id, name, prefix, last4, created_at, expires_at, last_used_at, revoked_at
from public.api_keys
where id < %(before)s
order by id desc
limit %(rows_max)s;

-- name: revoke_api_key
update public.api_keys
set revoked_at = coalesce(revoked_at, now())
where id = %(id)s
returning id;

-- name: find_api_key
select id, user_id, expires_in_s from glovebox.find_api_key(%(key_hash)s);

-- name: touch_api_keys
select glovebox.touch_api_keys(%(ids)s);
