-- The plain role that owns the database, migrates it and grants credit. Plain PostgreSQL only, as superuser; on Supabase
-- `postgres` is that role. CREATEROLE, because the migrations make the roles that the server becomes.
-- May be run again at any time. It sets no password: psql's \password does it.

do $$
begin
    if to_regrole('glovebox_owner') is null then
        create role glovebox_owner login createrole;
    end if;
end
$$;

alter role glovebox_owner login createrole nosuperuser nobypassrls;
