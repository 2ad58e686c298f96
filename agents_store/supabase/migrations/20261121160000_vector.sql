-- pgvector, by which memory is searched by meaning, where the database has it and this role may make it: Supabase lets it,
-- a plain PostgreSQL wants its superuser (bootstrap/40_vector.sql). Everything else works without it.
-- Locks nothing.

do $$
begin
    if exists (select from pg_catalog.pg_extension where extname = 'vector')
        or not exists (select from pg_catalog.pg_available_extensions where name = 'vector')
    then
        return;
    end if;
    create schema if not exists extensions;
    create extension vector with schema extensions;
exception when insufficient_privilege then
    raise notice 'pgvector is not made: memory cannot be searched by meaning until a superuser makes it';
end
$$;
