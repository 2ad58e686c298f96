-- pgvector, by which memory is searched by meaning, where this PostgreSQL brings it. Run as superuser in Glovebox's database:
-- the extension lets nobody else make it. On Supabase the migrations do it. May be run again at any time.

do $$
begin
    if exists (select from pg_extension where extname = 'vector')
        or not exists (select from pg_available_extensions where name = 'vector')
    then
        return;
    end if;
    create schema if not exists extensions authorization glovebox_owner;
    create extension vector with schema extensions;
end
$$;
