-- Files of runs. The last three run as glovebox_login, the others as glovebox_user.

-- name: add_file
insert into public.run_files as f (user_id, run_id, name, media_type, size_bytes, sha256, storage_key)
select r.user_id, r.id, %(name)s, %(media_type)s, %(size_bytes)s, %(sha256)s, %(storage_key)s
from public.runs r
where r.id = %(run_id)s
on conflict on constraint run_files_pkey do update
set media_type = excluded.media_type, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
    storage_key = excluded.storage_key, created_at = now()
returning f.name, f.media_type, f.size_bytes, f.sha256, f.storage_key, f.created_at;

-- name: list_files
select name, media_type, size_bytes, sha256, storage_key, created_at
from public.run_files
where run_id = %(run_id)s
order by name;

-- name: get_file
select name, media_type, size_bytes, sha256, storage_key, created_at
from public.run_files
where run_id = %(run_id)s and name = %(name)s;

-- name: reserve_file
select glovebox.reserve_file(%(storage_key)s)::text;

-- name: find_unneeded_files
select coalesce(array_agg(f), '{}') from glovebox.find_unneeded_files(%(rows_max)s) f;

-- name: forget_files
select glovebox.forget_files(%(storage_keys)s)::text;
