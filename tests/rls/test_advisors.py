"""What Supabase's database advisors look for: nothing in our schema, and each check finds what is planted there.

Source: Supabase, "Database advisors" (lints 0001 to 0029); those about load and bloat need a database in use.
"""

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.database import Cluster, Database, database_from

# name: (what finds it, what would make it find something)
LINTS = {
    "0001_unindexed_foreign_keys": (
        "select conname from pg_constraint k where k.contype = 'f' and k.connamespace in OURS and not exists ("
        " select from pg_index i where i.indrelid = k.conrelid"
        " and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(k.conkey)] = k.conkey)",
        "create table public.planted (id uuid primary key, run_id uuid references public.runs (id))",
    ),
    "0002_auth_users_exposed": (
        "select v.oid::regclass from pg_class v join pg_depend d on d.refclassid = 'pg_class'::regclass"
        " join pg_rewrite r on r.oid = d.objid and r.ev_class = v.oid"
        " join pg_class t on t.oid = d.refobjid where v.relkind in ('v', 'm') and t.relname = 'users'"
        " and t.relnamespace = 'auth'::regnamespace and v.relnamespace = 'public'::regnamespace",
        "create table if not exists auth.users (id uuid); create view public.planted as select id from auth.users",
    ),
    "0003_auth_rls_initplan": (
        "select policyname from pg_policies where schemaname = 'public'"
        " and regexp_replace(coalesce(qual, '') || coalesce(with_check, ''),"
        r" '\( SELECT auth\.(uid|jwt|role)\(\)', '', 'gi') ~* 'auth\.(uid|jwt|role)\(\)|current_setting\('",
        "create policy planted on public.runs for delete to authenticated using (user_id = auth.uid())",
    ),
    "0004_no_primary_key": (
        "select relname from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r' and not exists ("
        " select from pg_index i where i.indrelid = c.oid and i.indisprimary)",
        "create table public.planted (id uuid)",
    ),
    "0006_multiple_permissive_policies": (
        "select tablename, role, verb from pg_policies p, unnest(p.roles) role,"
        " unnest(case when p.cmd = 'ALL' then array['SELECT', 'INSERT', 'UPDATE', 'DELETE'] else array[p.cmd] end) verb"
        " where schemaname = 'public' and permissive = 'PERMISSIVE' group by 1, 2, 3 having count(*) > 1",
        "create policy planted on public.runs for select to authenticated using (user_id = (select auth.uid()))",
    ),
    "0007_policy_exists_rls_disabled": (
        "select c.relname from pg_class c join pg_policy p on p.polrelid = c.oid where not c.relrowsecurity",
        "alter table public.runs disable row level security",
    ),
    "0008_rls_enabled_no_policy": (
        "select relname from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r'"
        " and relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)",
        "create table public.planted (id uuid primary key); alter table public.planted enable row level security",
    ),
    "0009_duplicate_index": (
        "select indrelid::regclass from pg_index i join pg_class c on c.oid = i.indrelid"
        " where c.relnamespace in OURS group by indrelid, indkey::text, indclass::text,"
        " pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid) having count(*) > 1",
        "create index planted on public.runs (id)",
    ),
    "0010_security_definer_view": (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'"
        " and not coalesce(reloptions @> array['security_invoker=true'], false)",
        "create view public.planted as select id from public.runs",
    ),
    "0011_function_search_path_mutable": (
        "select p.proname from pg_proc p where p.pronamespace in OURS and not exists ("
        " select from unnest(coalesce(p.proconfig, '{}')) c where c like 'search_path=%')",
        "create function public.planted() returns integer language sql as 'select 1'",
    ),
    "0013_rls_disabled_in_public": (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        " and not relrowsecurity",
        "create table public.planted (id uuid primary key)",
    ),
    "0014_extension_in_public": (
        "select extname from pg_extension where extnamespace = 'public'::regnamespace",
        "drop extension if exists vector cascade; create extension vector with schema public",
    ),
    "0015_rls_references_user_metadata": (
        "select policyname from pg_policies where coalesce(qual, '') || coalesce(with_check, '') ~ 'user_metadata'",
        "create policy planted on public.runs for delete to authenticated"
        " using (((select auth.jwt()) -> 'user_metadata' ->> 'admin') = 'yes')",
    ),
    "0016_materialized_view_in_api": (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'm'",
        "create materialized view public.planted as select 1 as one",
    ),
    "0017_foreign_table_in_api": (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'f'",
        "create foreign data wrapper planted; create server planted foreign data wrapper planted;"
        " create foreign table public.planted (id integer) server planted",
    ),
    "0018_unsupported_reg_types": (
        "select attrelid::regclass from pg_attribute a join pg_class c on c.oid = a.attrelid"
        " where relnamespace in OURS and relkind = 'r' and atttypid in ('regproc'::regtype,"
        " 'regprocedure'::regtype, 'regoper'::regtype, 'regoperator'::regtype,"
        " 'regnamespace'::regtype, 'regcollation'::regtype, 'regconfig'::regtype)",
        "create table public.planted (id uuid primary key, f regproc)",
    ),
    "0024_rls_policy_always_true": (
        "select policyname from pg_policies where schemaname = 'public' and cmd <> 'SELECT'"
        " and roles && array['anon', 'authenticated', 'public']::name[] and 'true' in (qual, with_check)",
        "create policy planted on public.runs for delete to authenticated using (true)",
    ),
    "0026_select_without_a_condition": (
        "select policyname from pg_policies where schemaname = 'public' and roles && array['anon', 'public']::name[]",
        "create policy planted on public.prices for select to anon using (true)",
    ),
    "0028_0029_function_open_to_users": (
        "select p.oid::regprocedure from pg_proc p, unnest(array['anon', 'authenticated']) role"
        " where p.pronamespace in OURS and has_function_privilege(role, p.oid, 'execute')",
        "create function public.planted() returns integer language sql security definer as 'select 1'",
    ),
    "table_open_to_anon": (
        "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')"
        " and (has_table_privilege('anon', c.oid, 'select, insert, update, delete, truncate, references, trigger')"
        " or has_any_column_privilege('anon', c.oid, 'select, insert, update, references'))",
        "grant select on public.prices to anon",
    ),
    "policy_without_an_index_under_it": (
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not exists ("
        " select from pg_index i where i.indrelid = c.oid and i.indkey[0] = a.attnum and i.indpred is null)",
        "create table public.planted (id uuid primary key, user_id uuid)",
    ),
}


@pytest.fixture(scope="module")
def advised(cluster: Cluster, template: str) -> Iterator[Database]:
    with database_from(cluster, template) as made:
        yield made


@pytest.mark.parametrize("lint", LINTS)
def test_advisor_finds_nothing_in_the_schema_and_what_is_planted_there(advised: Database, lint: str) -> None:
    find, plant = LINTS[lint]
    find = find.replace("OURS", "('public'::regnamespace, 'glovebox'::regnamespace)")
    with psycopg.connect(advised.superuser_url) as conn:
        assert conn.execute(find.encode()).fetchall() == []

        conn.execute(plant.encode())

        assert conn.execute(find.encode()).fetchall() != []
        conn.rollback()
