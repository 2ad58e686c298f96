-- Idempotency keys. The functions become glovebox_user by themselves; `purge_keys` runs as glovebox_login.

-- name: claim_key
select status, run_id, http_status, headers, body
from glovebox.claim_key(
    p_claims => %(claims)s, p_key => %(key)s, p_request_hash => %(request_hash)s, p_run_id => %(run_id)s,
    p_server_id => %(server_id)s
);

-- name: keep_answer
select glovebox.keep_answer(
    p_claims => %(claims)s, p_key => %(key)s, p_run_id => %(run_id)s, p_server_id => %(server_id)s,
    p_status => %(status)s, p_headers => %(headers)s, p_body => %(body)s
);

-- name: free_key
select glovebox.free_key(
    p_claims => %(claims)s, p_key => %(key)s, p_run_id => %(run_id)s, p_server_id => %(server_id)s,
    p_in_doubt => %(in_doubt)s
);

-- name: purge_keys
select glovebox.purge_keys(%(keys_max)s);
