-- The role that the server logs in as. Plain PostgreSQL: as superuser. Supabase: as `postgres`, in the SQL editor or by
-- psql. May be run again at any time. It sets no password, so that none is ever logged: psql's \password does it.
--
-- A plain PostgreSQL >= 15, from nothing:
--   psql -U postgres -f 10_login.sql -f 20_owner.sql
--   createdb -U postgres -O glovebox_owner glovebox
--   psql -U postgres -d glovebox -f 30_auth_shim.sql -f 40_vector.sql
--   psql -U postgres -c '\password glovebox_owner' -c '\password glovebox_login'
--   GLOVEBOX_MIGRATE_DATABASE_URL=postgresql://glovebox_owner:...@host/glovebox glovebox db migrate
-- A Supabase project:
--   psql "$GLOVEBOX_MIGRATE_DATABASE_URL" -f 10_login.sql -c '\password glovebox_login'
--   glovebox db migrate

do $$
begin
    if to_regrole('glovebox_login') is null then
        create role glovebox_login login noinherit;
    end if;
end
$$;

alter role glovebox_login login noinherit;
-- Bounds that no forgotten line of code can lift, and that a pooler in transaction mode passes on.
alter role glovebox_login set statement_timeout = '10s';
alter role glovebox_login set lock_timeout = '5s';
alter role glovebox_login set idle_in_transaction_session_timeout = '15s';
-- Every query of the server is short: compiling one costs more than running it.
alter role glovebox_login set jit = off;
alter role glovebox_login set timezone = 'UTC';
