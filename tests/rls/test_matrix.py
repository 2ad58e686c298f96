"""Role x verb x table x owner: what each may reach, and beside every denial the same statement permitted."""

import pytest

from agents_store.postgres.connection import claims_of
from tests.rls.conftest import ALICE, BOB, Reach, Sessions
from tests.rls.statements import NEVER, RIGHTS, SHARED, TABLES, VERBS, statement

CLAIMS = {"owner": claims_of(ALICE), "stranger": claims_of(BOB), "anonymous": None}
REFUSED = "42501"


@pytest.fixture(scope="module")
def ids(seeded: Sessions) -> dict[str, object]:
    return seeded.ids()


def expected(role: str, table: str, verb: str, who: str) -> Reach:
    """Hidden rows are no rows; a forbidden insert is an error; a right that the role lacks is an error for all."""
    if verb[0] not in RIGHTS[role].get(table, ""):
        return Reach(sqlstate=REFUSED)
    mine = who == "owner" or (table in SHARED and who == "stranger")
    if not mine and verb == "insert":
        return Reach(sqlstate=REFUSED)
    return Reach(rows=1 if mine else 0)


@pytest.mark.parametrize("who", CLAIMS)
@pytest.mark.parametrize("role", RIGHTS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("table", TABLES)
def test_role_reaches_its_own_users_rows_and_no_others(
    seeded: Sessions, ids: dict[str, object], table: str, verb: str, role: str, who: str
) -> None:
    reached = seeded.reach(role, CLAIMS[who], statement(table, verb), **ids)

    wanted = expected(role, table, verb, who)
    assert reached.sqlstate == wanted.sqlstate
    assert bool(reached.rows) == bool(wanted.rows)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("table", TABLES)
def test_same_statement_reaches_its_rows_for_the_superuser(
    seeded: Sessions, ids: dict[str, object], table: str, verb: str
) -> None:
    """What proves the denials above: the statement is well-formed, and its rows are there."""
    reached = seeded.reach("superuser", None, statement(table, verb), **ids)

    if (table, verb) in NEVER:
        assert reached.constraint == NEVER[table, verb]
    else:
        assert reached.sqlstate is None
        assert reached.rows >= 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("table", TABLES)
def test_anon_may_do_nothing(seeded: Sessions, ids: dict[str, object], alice: str, table: str, verb: str) -> None:
    for claims in (None, alice):
        assert seeded.reach("anon", claims, statement(table, verb), **ids).sqlstate == REFUSED


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("table", TABLES)
def test_forgotten_set_role_sees_nothing(
    seeded: Sessions, ids: dict[str, object], alice: str, table: str, verb: str
) -> None:
    assert seeded.reach(None, alice, statement(table, verb), **ids).sqlstate == REFUSED


@pytest.mark.parametrize(
    "claims",
    [
        None,
        "",
        "garbage",
        "[]",
        "null",
        "{}",
        '{"role": "service_role"}',
        '{"role": "service_role", "sub": ""}',
        '{"sub": null}',
        '{"sub": "x"}',
        '{"sub": 1}',
        '{"sub": ["a11ce000-0000-4000-8000-000000000000"]}',
        '{"SUB": "a11ce000-0000-4000-8000-000000000000"}',
        '{"user_id": "a11ce000-0000-4000-8000-000000000000"}',
    ],
)
@pytest.mark.parametrize("role", RIGHTS)
@pytest.mark.parametrize("table", TABLES)
def test_claims_that_name_nobody_reach_and_write_nothing(
    seeded: Sessions, ids: dict[str, object], table: str, role: str, claims: str | None
) -> None:
    for verb in VERBS:
        assert seeded.reach(role, claims, statement(table, verb), **ids).rows <= 0


@pytest.mark.parametrize("role", ["authenticated", "glovebox_user", "glovebox_dry"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "attempt",
    [
        "truncate public.{}",
        "lock table public.{} in access exclusive mode",
        "alter table public.{} disable row level security",
        "create policy mine on public.{} using (true)",
        "create rule mine as on insert to public.{} do instead nothing",
    ],
)
def test_nobody_gets_around_the_rows(seeded: Sessions, alice: str, table: str, role: str, attempt: str) -> None:
    assert seeded.reach(role, alice, attempt.format(table)).sqlstate == REFUSED
    assert seeded.reach("superuser", alice, attempt.format(table)).sqlstate in (None, "0A000", "23001")


def test_foreign_keys_do_not_tell_foreign_rows_from_unknown_ones(seeded: Sessions, ids: dict[str, object]) -> None:
    probe = "insert into public.run_logs (user_id, run_id, seq, at_ms, message) values (%(bob)s, %(run)s, 9, 0, '')"
    foreign = seeded.reach("glovebox_user", CLAIMS["stranger"], probe, bob=BOB, run=ids["run_id"])
    unknown = seeded.reach("glovebox_user", CLAIMS["stranger"], probe, bob=BOB, run=BOB)

    assert foreign == unknown == Reach(sqlstate="23503", constraint="run_logs_of_run")


def test_unique_keys_do_not_tell_that_a_foreign_row_exists(seeded: Sessions, ids: dict[str, object]) -> None:
    add = "insert into public.agents (id, user_id, agent_name) values (gen_random_uuid(), %(user)s, %(name)s)"

    assert seeded.reach("glovebox_user", CLAIMS["stranger"], add, user=ALICE, name="hello").sqlstate == REFUSED
    assert seeded.reach("glovebox_user", CLAIMS["stranger"], add, user=BOB, name="mine").rows == 1
    assert (
        seeded.reach("glovebox_user", CLAIMS["owner"], add, user=ALICE, name="hello").constraint == "agents_name_once"
    )


@pytest.mark.parametrize("role", ["glovebox_user", "glovebox_dry"])
def test_server_cannot_become_what_it_must_not(seeded: Sessions, alice: str, role: str) -> None:
    for other in ("glovebox_ledger", "glovebox_owner", "postgres", "service_role", "authenticated", "anon"):
        assert seeded.reach(None, alice, f"set local role {other}").sqlstate == REFUSED
    assert seeded.reach(None, alice, f"set local role {role}").sqlstate is None


def test_rows_cannot_be_given_away(seeded: Sessions, ids: dict[str, object], alice: str) -> None:
    give = "update public.agents set user_id = %(bob)s where id = %(agent_id)s"

    assert seeded.reach("glovebox_user", alice, give, bob=BOB, agent_id=ids["agent_id"]).sqlstate == REFUSED


@pytest.mark.parametrize("table", ["agents", "runs", "credit_entries"])
def test_matrix_would_notice_missing_row_level_security(weakened: Sessions, bob: str, table: str) -> None:
    """The control: the same statements on a database that was made weak."""
    read = statement(table, "select")
    strong = weakened.reach("authenticated", bob, read, owner=ALICE)
    assert strong == Reach(rows=0)

    weakened.weaken(f"alter table public.{table} disable row level security")

    assert weakened.reach("authenticated", bob, read, owner=ALICE).rows >= 1


def test_even_the_owner_is_held_by_forced_row_level_security(weakened: Sessions) -> None:
    read = statement("agents", "select")
    assert weakened.reach("owner", None, read, owner=ALICE) == Reach(rows=0)

    weakened.weaken("alter table public.agents no force row level security")

    assert weakened.reach("owner", None, read, owner=ALICE).rows >= 1


@pytest.mark.parametrize("role", RIGHTS)
def test_nobody_reads_the_hash_of_a_key_not_even_their_own(seeded: Sessions, alice: str, role: str) -> None:
    for columns in ("key_hash", "*", "count(key_hash)"):
        assert seeded.reach(role, alice, f"select {columns} from public.api_keys").sqlstate == REFUSED  # noqa: S608
        assert seeded.reach("superuser", None, f"select {columns} from public.api_keys").rows >= 1  # noqa: S608
    by_hash = "select id from public.api_keys where key_hash = sha256('guess'::bytea)"
    assert seeded.reach(role, alice, by_hash).sqlstate == REFUSED


def test_nobody_but_the_server_finds_keys_notes_uses_or_takes_dry_runs(seeded: Sessions, alice: str) -> None:
    calls = (
        "select glovebox.find_api_key(sha256('guess'::bytea))",
        "select glovebox.touch_api_keys(array[]::uuid[])",
        "select glovebox.take_dry_run(gen_random_uuid(), 1)",
    )
    for call in calls:
        for role in ("anon", *RIGHTS):
            assert seeded.reach(role, alice, call).sqlstate == REFUSED
        assert seeded.reach(None, None, call).sqlstate is None


def test_key_is_changed_in_nothing_but_its_revocation(seeded: Sessions, alice: str) -> None:
    changes = (
        "key_hash = sha256('mine'::bytea)",
        "user_id = gen_random_uuid()",
        "expires_at = null",
        "last_used_at = now()",
        "created_at = now()",
    )
    for change in changes:
        assert seeded.reach("glovebox_user", alice, f"update public.api_keys set {change}").sqlstate == REFUSED  # noqa: S608
    assert seeded.reach("glovebox_user", alice, "update public.api_keys set revoked_at = now()").rows == 1


@pytest.mark.parametrize("role", RIGHTS)
def test_nobody_reads_what_is_sealed_not_even_their_own(seeded: Sessions, alice: str, role: str) -> None:
    for columns in ("ciphertext", "nonce", "key_id", "*", "count(ciphertext)"):
        assert seeded.reach(role, alice, f"select {columns} from public.agent_secrets").sqlstate == REFUSED  # noqa: S608
        assert seeded.reach("superuser", None, f"select {columns} from public.agent_secrets").rows >= 1  # noqa: S608
    by_value = "select name from public.agent_secrets where ciphertext = '\\x00'"
    assert seeded.reach(role, alice, by_value).sqlstate == REFUSED


def test_nobody_but_the_server_opens_secrets_reserves_or_forgets_files(
    seeded: Sessions, ids: dict[str, object], alice: str
) -> None:
    calls = (
        "select glovebox.find_secret(%(owner)s, %(agent_id)s, 'TOKEN')",
        "select glovebox.reserve_file('x')",
        "select glovebox.find_unneeded_files(1)",
        "select glovebox.forget_files(array[]::text[])",
    )
    for call in calls:
        for role in ("anon", *RIGHTS):
            assert seeded.reach(role, alice, call, **ids).sqlstate == REFUSED
        assert seeded.reach(None, None, call, **ids).sqlstate is None


def test_nobody_but_the_owner_seals_anew(seeded: Sessions, ids: dict[str, object], alice: str) -> None:
    nothing = "'00000000-0000-0000-0000-000000000000'"
    calls = (
        f"select glovebox.secrets_to_reseal('x', {nothing}, {nothing}, '', 1)",
        "select glovebox.reseal_secret(%(owner)s, %(agent_id)s, 'TOKEN', '\\x00', 'x', '\\x00', '\\x00')",
    )
    for call in calls:
        for role in ("anon", *RIGHTS, None):
            assert seeded.reach(role, alice, call, **ids).sqlstate == REFUSED
        assert seeded.reach("owner", None, call, **ids).sqlstate is None


def test_forgetting_and_removing_act_for_the_caller_alone(
    seeded: Sessions, ids: dict[str, object], alice: str, bob: str
) -> None:
    for call in ("glovebox.forget_memory(%(agent_id)s, 'k')", "glovebox.remove_secret(%(agent_id)s, 'TOKEN')"):
        once = f"select 1 where {call}"
        for role in ("anon", "authenticated", "glovebox_dry"):
            assert seeded.reach(role, alice, once, **ids).sqlstate == REFUSED
        assert seeded.reach("glovebox_user", bob, once, **ids) == Reach(rows=0)
        assert seeded.reach("glovebox_user", alice, once, **ids) == Reach(rows=1)


def test_memory_is_searched_among_the_callers_own_entries(
    seeded: Sessions, ids: dict[str, object], alice: str, bob: str
) -> None:
    search = "select * from glovebox.search_memory(%(agent_id)s, 'm', array_fill(1::real, array[256]), '{}', 10)"
    for role in ("glovebox_user", "glovebox_dry"):
        assert seeded.reach(role, bob, search, **ids) == Reach(rows=0)
        assert seeded.reach(role, alice, search, **ids) == Reach(rows=1)
    assert seeded.reach("authenticated", alice, search, **ids).sqlstate == REFUSED
