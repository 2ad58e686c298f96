-- Secrets of agents. `find_secret` runs as glovebox_login, the last two as the owner, the others as glovebox_user, which
-- reads nothing sealed: that is why the update names each value again.

-- name: put_secret
insert into public.agent_secrets as s (user_id, agent_id, name, hosts, key_id, nonce, ciphertext)
select a.user_id, a.id, %(name)s, %(hosts)s::text[], %(key_id)s, %(nonce)s, %(ciphertext)s
from public.agents a
where a.status = 'active' and a.id = %(agent_id)s
on conflict on constraint agent_secrets_pkey do update
set hosts = %(hosts)s::text[], key_id = %(key_id)s, nonce = %(nonce)s, ciphertext = %(ciphertext)s, updated_at = now()
returning s.name, s.hosts, s.created_at, s.updated_at;

-- name: list_secrets
select name, hosts, created_at, updated_at
from public.agent_secrets
where agent_id = %(agent_id)s
order by name;

-- name: delete_secret
select glovebox.remove_secret(p_agent_id => %(agent_id)s, p_name => %(name)s) as removed;

-- name: find_secret
select name, hosts, key_id, nonce, ciphertext from glovebox.find_secret(%(user_id)s, %(agent_id)s, %(name)s);

-- name: secrets_to_reseal
select user_id, agent_id, name, hosts, key_id, nonce, ciphertext
from glovebox.secrets_to_reseal(%(key_id)s, %(user_id)s, %(agent_id)s, %(name)s, %(rows_max)s);

-- name: reseal_secret
select glovebox.reseal_secret(%(user_id)s, %(agent_id)s, %(name)s, %(old_nonce)s, %(key_id)s, %(nonce)s, %(ciphertext)s);
