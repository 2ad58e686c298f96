"""Every promise of the threat model as a check: what is asked, which tests ask it, and on what it is seen to fail."""

from dataclasses import dataclass

AREAS = {
    "R": "Restricted tier",
    "D": "Docker tier",
    "A": "Authentication and authorisation",
    "B": "Database",
    "L": "Credits",
    "Q": "Accepted work and faults",
    "H": "HTTP, streams, operation",
    "O": "The operator",
}
# Of these none may be missed.
PASS_MARK = frozenset(("R1", "R3", "R4", "D1", "D5", "D6", "A1", "A4", "B1", "B4", "L1", "L2", "L5", "Q1"))
NO_QUEUE = "there is no queue of jobs yet: a call is executed while its caller waits, or at once behind its answer;"

ESCAPE = "tests/escape/test_"
WALL = "tests/integration/sandbox/test_wall.py::test_"
DOCKER = "tests/integration/docker/test_"
STORE = "tests/integration/store/test_"
RLS = "tests/rls/test_"
SERVER = "tests/acceptance/test_"
GLOVES = "tests/integration/gloves/test_"


def _under(prefix: str, *names: str) -> tuple[str, ...]:
    """Tests that begin alike: `_under("a.py::test_", "x", "y")` is `a.py::test_x` and `a.py::test_y`."""
    return tuple(prefix + name for name in names)


@dataclass(frozen=True)
class Check:
    """One check. Tests are node ids without parameters.

    `at_full_size`: tests that have a long form only. `short_of`: what of the check is not shown by any.
    """

    id: str
    says: str
    expected: str
    tests: tuple[str, ...]
    control: str = ""
    controls: tuple[str, ...] = ()
    short_of: str = ""
    at_full_size: tuple[str, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.tests + self.at_full_size + self.controls

    @property
    def pass_mark(self) -> bool:
        return self.id in PASS_MARK


RESTRICTED_CHECKS = (
    Check(
        "R1",
        "Every hostile program of the corpus, behind policy and wall",
        "none gets what it wants; each ends as its file says; the zygote stays the same process",
        _under(
            ESCAPE + "corpus",
            ".py::test_program_stays_contained_as_it_says",
            ".py::test_zygote_outlives_the_whole_corpus_and_the_next_run_is_fine",
            ".py::test_check_agrees_with_the_run",
            "_control.py::test_corpus_is_large_numbered_and_names_its_techniques",
        ),
        "See R2.",
        (ESCAPE + "corpus_control.py::test_nearly_every_program_escapes_from_plain_python",),
    ),
    Check(
        "R2",
        "The same programs under plain `exec`",
        "at least 95 % of those that apply to plain CPython get out",
        (ESCAPE + "corpus_control.py::test_nearly_every_program_escapes_from_plain_python",),
        "It is the control of R1.",
        (ESCAPE + "corpus_control.py::test_nearly_every_program_escapes_from_plain_python",),
    ),
    Check(
        "R3",
        "Plain CPython with the language policy off, in the same worker: files, network, programs, signals, memory; "
        "then the whole corpus",
        "no canary is reached; the channel stays well formed; nothing outlives its run",
        (
            *_under(
                ESCAPE + "policy_off.py::test_",
                "no_act_gets_through_the_wall",
                "corpus_reaches_no_canary_without_the_policy",
                "nothing_outlives_its_run",
                "server_environment_is_nowhere_in_the_memory_of_a_run",
            ),
            *_under(
                WALL,
                "kernel_refuses_what_a_run_needs_not",
                "forged_frames_end_the_run_as_failed",
                "forged_results_are_checked_by_the_host",
                "no_descriptor_but_the_channel",
                "environment_holds_nothing_of_the_server",
            ),
        ),
        "As plain processes the same acts reach their canaries.",
        (
            *_under(
                ESCAPE + "policy_off.py::test_",
                "same_act_succeeds_without_the_wall",
                "same_search_finds_the_environment_of_a_plain_process",
            ),
            WALL + "the_same_acts_succeed_without_the_wall",
        ),
    ),
    Check(
        "R4",
        "Poison pairs, policed and as plain CPython; then shuffled pairs of ordinary programs on one worker",
        "every follow-up is clean; every answer equals that of a fresh worker",
        _under(
            ESCAPE + "state.py::test_",
            "policed_poison_is_gone_in_the_next_run",
            "poison_of_plain_python_is_gone_in_the_next_run",
            "there_are_enough_poison_pairs",
            "programs_answer_in_pairs_what_a_fresh_worker_answers",
        ),
        "Within one run each poison shows; the same tests assert it.",
        _under(
            ESCAPE + "state.py::test_",
            "policed_poison_is_gone_in_the_next_run",
            "poison_of_plain_python_is_gone_in_the_next_run",
        ),
    ),
    Check(
        "R5",
        "Six kinds of program that do not end: loop, C loop, big integer, sleep, swallowed exceptions, finally",
        "all end; overrun p99 ≤ 500 ms, at most 1 s; the slot is free ≤ 200 ms later",
        (ESCAPE + "ends.py::test_every_stubborn_program_ends_in_time_and_frees_its_slot",),
    ),
    Check(
        "R6",
        "Deaths of workers (crash, abort, exit, kill, memory, output) mixed with as many good runs",
        "right outcomes; every good run right; the zygote the same; the pool whole ≤ 1 s later",
        _under(
            ESCAPE + "ends.py::test_",
            "deaths_harm_no_good_run",
            "deaths_of_plain_python_harm_no_good_run",
            "pool_is_back_to_its_size_after_every_burst",
            "child_that_is_killed_from_outside_has_failed",
            "killed_zygote_loses_its_runs_and_is_started_again",
        ),
    ),
    Check(
        "R7",
        "Every system call from 0 to 462, tried from inside the worker with the policy off",
        "at most 60 numbers allowed; all others refused",
        (WALL + "every_system_call_but_the_listed_is_refused",),
        "In a plain process many of the same calls go through.",
        (WALL + "the_same_calls_go_through_without_the_wall",),
    ),
    Check(
        "R8",
        "Ordinary programs, as people and models write them, behind policy and wall",
        "each answers what it expects; of a public set at most 3 of 207 do not run, with line and reason",
        _under(
            ESCAPE + "ordinary_programs.py::test_",
            "program_answers_behind_the_wall_what_it_expects",
            "there_are_at_least_a_hundred_programs",
            "nearly_every_program_of_the_shared_set_runs",
        ),
        short_of="of the public sets HumanEval is whole, of MBPP 43 are at hand; QuixBugs is not",
    ),
    Check(
        "R9",
        "Random expressions and mutated programs into the compiler path, and sources made to hurt",
        "no crash, no hang beyond the bound of a check, always a clean refusal or none",
        _under(
            ESCAPE + "check_random.py::test_",
            "check_answers_every_random_source",
            "check_answers_a_source_that_is_made_to_hurt",
        ),
    ),
)
DOCKER_CHECKS = (
    Check(
        "D1",
        "Every abusive program in a container, under runc and under gVisor; a look by the next run of the same owner",
        "each ends as it may, within its limit + 1 s, and leaves nothing",
        (
            "tests/escape/docker/test_abuse.py::test_abuse_ends_as_it_may_and_leaves_nothing",
            "tests/escape/docker/test_abuse.py::test_no_program_ends_its_guest",
            DOCKER + "gvisor.py::test_each_end_has_its_outcome_and_the_next_run_is_fresh",
            "tests/unit/docker/test_stream.py::test_whatever_follows_good_words_ends_in_a_known_way",
            "tests/unit/sandbox/test_dialogue.py::test_any_frames_end_in_a_known_way",
            "tests/unit/sandbox/test_remote_wire.py::test_whatever_comes_instead_is_told_as_one_error",
        ),
        "The look finds what is left where it is meant to.",
        ("tests/escape/docker/test_abuse.py::test_look_finds_what_is_there",),
        at_full_size=("tests/escape/docker/test_abuse_gvisor.py::test_abuse_ends_as_it_may_under_gvisor_too",),
    ),
    Check(
        "D2",
        "A running container against the CIS Docker Benchmark 1.6.0, section 5",
        "nothing to warn of; not root; swap limit = memory limit; ≤ 128 processes; log bounded",
        _under(
            SERVER + "docker_hardening.py::test_",
            "security_modules_stay_on",
            "no_capability_and_no_privilege_is_left",
            "nothing_of_the_host_is_inside",
            "no_network_and_no_port",
            "memory_processes_and_processor_are_limited",
            "root_is_read_only_and_scratch_is_sized",
            "it_is_never_started_again_by_the_engine",
            "no_namespace_is_the_hosts",
            "ulimits_are_set_and_the_log_is_bounded",
            "user_is_not_root_and_health_can_be_asked_for",
        ),
    ),
    Check(
        "D3",
        "System calls that lead out of containers, under our seccomp profile",
        "all refused",
        (SERVER + "docker_hardening.py::test_system_calls_that_break_out_are_refused",),
        "Without a profile AF_VSOCK, io_uring, personality, modify_ldt, userfaultfd and unshare go through.",
        (SERVER + "docker_hardening.py::test_control_without_a_profile_they_get_through",),
    ),
    Check(
        "D4",
        "Ordinary programs in a container",
        "each comes to what it comes to under plain CPython and in the restricted tier",
        ("tests/integration/ladder/test_differences.py::test_docker_comes_to_what_restricted_comes_to",),
        short_of="of the public sets HumanEval is whole, of MBPP 43 are at hand; QuixBugs is not",
    ),
    Check(
        "D5",
        "Listeners on loopback, the bridge and an abstract socket, the engine's socket, files and links to them",
        "nothing answers a program; no canary is reached",
        (SERVER + "docker_canaries.py::test_no_program_reaches_a_listener_a_socket_or_a_file_outside",),
        "Without a wall the listeners are reached and the file is read.",
        (SERVER + "docker_canaries.py::test_control_without_a_wall_the_canaries_are_reached",),
    ),
    Check(
        "D6",
        "Secrets in the server's environment, arguments, `.env`, log, database, tokens, and in other users' runs; "
        "programs that search /proc, memory, objects and files",
        "none is found, by no program, in no answer, in no log",
        _under(
            SERVER + "docker_canaries.py::test_",
            "no_program_finds_a_secret_of_the_server_or_of_another_user",
            "no_run_finds_what_the_users_own_last_run_left",
        ),
        "Without a wall the same search finds the secret.",
        (SERVER + "docker_canaries.py::test_control_without_a_wall_the_secret_is_found",),
    ),
    Check(
        "D7",
        "Many mixed runs, abusive and good, in both tiers",
        "no container, mount, zombie, temporary file left; resident memory + ≤ 10 %; descriptors + ≤ 10",
        (
            DOCKER + "pool.py::test_nothing_of_many_mixed_runs_is_left",
            ESCAPE + "soak.py::test_hostile_runs_leave_nothing_in_the_server",
            WALL + "nothing_of_a_run_is_left",
        ),
    ),
    Check(
        "D8",
        "A server killed while containers execute runs; then its successor",
        "orphans gone ≤ 30 s after its start; each run in one final state; holds settled; strangers' containers stay",
        _under(
            SERVER + "",
            "docker_outages.py::test_successor_of_a_killed_server_destroys_its_containers_and_nothing_else",
            "killed_server.py::test_kill_in_the_middle_loses_and_doubles_nothing",
            "killed_server.py::test_no_sandbox_outlives_its_killed_server",
        ),
    ),
    Check(
        "D9",
        "The engine stopped for 30 s under load",
        "its tier alone is away, with a reason; restricted runs go on; normal ≤ 10 s after it is back",
        (SERVER + "docker_outages.py::test_engine_that_goes_away_takes_only_its_own_tier_along",),
    ),
    Check(
        "D10",
        "The image removed, replaced, or under a name that moved",
        "refused with what to do; pinned by digest; nothing is ever pulled",
        _under(
            SERVER + "docker_pin.py::test_",
            "a_digest_that_the_engine_has_not_is_refused",
            "an_image_that_was_removed_is_refused",
            "a_name_that_means_another_guest_now_is_refused",
            "a_digest_goes_on_meaning_what_it_meant_when_its_name_moves",
        ),
    ),
)
AUTHORISATION_CHECKS = (
    Check(
        "A1",
        "Every kind of hostile token and key at every protected route",
        "none accepted; one 401; nothing asked of the issuer; no row written",
        (
            *_under(
                SERVER + "hostile_callers.py::test_",
                "every_kind_of_hostile_token_is_refused_and_writes_nothing",
                "hostile_keys_are_refused_at_every_route_and_write_nothing",
            ),
            *_under(
                "tests/unit/auth/test_hostile_tokens.py::test_",
                "hostile_token_is_refused_where_a_good_one_is_taken",
                "malformed_token_never_reaches_python_jose",
                "hostile_token_asks_the_issuer_nothing",
            ),
        ),
        "Good tokens of every algorithm are taken by the same server.",
        (SERVER + "hostile_callers.py::test_good_tokens_are_taken",),
        at_full_size=(SERVER + "hostile_callers.py::test_every_kind_of_hostile_token_is_refused_at_every_route",),
    ),
    Check(
        "A2",
        "The issuer's keys: down, slow, broken, rotated, hostile",
        "good tokens go on; one fetch per cool-down; who needs no key waits for nothing",
        (
            *_under(
                "tests/integration/auth/test_remote_keys.py::test_",
                "flood_of_unknown_kids_makes_one_fetch_per_cool_down",
                "flood_of_hostile_tokens_never_asks_the_issuer",
                "rotated_key_is_fetched_on_first_sight_and_the_old_one_goes",
                "broken_issuer_leaves_the_keys_at_hand_in_use",
                "slow_issuer_costs_a_bounded_wait_and_only_those_who_need_it",
                "issuer_that_comes_back_is_found_after_the_cool_down",
                "redirect_is_not_followed",
            ),
            "tests/unit/auth/test_keys.py::test_hostile_document_is_refused_within_milliseconds",
            SERVER + "supabase_tokens.py::test_keys_are_rotated_under_load_without_a_failed_request",
        ),
    ),
    Check(
        "A3",
        "Tokens and keys in URLs, logs, errors, streams",
        "in none",
        (
            SERVER + "secrets_stay_inside.py::test_no_secret_no_path_and_no_sql_leaves",
            "tests/unit/auth/test_verifier.py::test_no_log_line_and_no_repr_holds_a_token",
        ),
        "The search finds what is planted.",
        (SERVER + "secrets_stay_inside.py::test_search_would_find_what_is_there",),
    ),
    Check(
        "A4",
        "Every route, for owner, own key, other user, anonymous, expired, wrong role, revoked; with own, foreign, "
        "unknown, malformed ids",
        "no empty cell; foreign = unknown, word for word; median times within 20 ms over 200 tries",
        _under(
            SERVER + "access_matrix.py::test_",
            "the_matrix_knows_every_route_and_no_others",
            "everybody_gets_what_is_theirs",
            "what_is_anothers_looks_like_what_is_not_there",
            "foreign_names_under_ones_own_path_are_unknown",
            "callers_nobody_proved_are_told_one_thing",
            "a_foreign_id_takes_as_long_as_an_unknown_one",
        ),
        "Each cell of denial stands beside the owner's success on the same route.",
        (SERVER + "access_matrix.py::test_everybody_gets_what_is_theirs",),
        at_full_size=(SERVER + "access_matrix.py::test_a_foreign_id_takes_as_long_as_an_unknown_one_over_200_tries",),
    ),
    Check(
        "A5",
        "Fields that no caller may set, in the body of every route that takes one",
        "refused (422), or mere inputs of the agent; nothing changed",
        (SERVER + "access_matrix.py::test_what_a_body_must_not_set_is_refused_or_ignored",),
    ),
    Check(
        "A6",
        "Seeded requests made from the OpenAPI document: wrong types, huge, Unicode, nested",
        "no 5xx that is not an agent's outcome; p99 ≤ 1 s",
        _under(
            SERVER + "",
            "fuzz.py::test_no_request_of_300_is_a_defect_of_ours",
        ),
        at_full_size=(SERVER + "fuzz.py::test_no_request_of_10_000_is_a_defect_of_ours",),
    ),
)
DATABASE_CHECKS = (
    Check(
        "B1",
        "Direct SQL: every table, verb and role, with the claims of the owner, another, nobody, garbage, service_role",
        "the owner's rows and no others; who is nobody sees and writes none",
        _under(
            RLS + "matrix.py::test_",
            "role_reaches_its_own_users_rows_and_no_others",
            "anon_may_do_nothing",
            "forgotten_set_role_sees_nothing",
            "claims_that_name_nobody_reach_and_write_nothing",
            "nobody_gets_around_the_rows",
            "foreign_keys_do_not_tell_foreign_rows_from_unknown_ones",
            "unique_keys_do_not_tell_that_a_foreign_row_exists",
            "rows_cannot_be_given_away",
        ),
        "See B5; the superuser reaches the rows with the same statements.",
        (RLS + "matrix.py::test_same_statement_reaches_its_rows_for_the_superuser",),
    ),
    Check(
        "B2",
        "Facts of the catalogue: roles, owners, forced row level security, views, functions, search_path, grants",
        "exactly what the design says",
        _under(
            RLS + "",
            "catalogue.py::test_every_table_enables_and_forces_row_level_security",
            "catalogue.py::test_roles_are_what_the_design_says",
            "catalogue.py::test_login_may_become_two_roles_and_has_the_rights_of_none",
            "catalogue.py::test_login_owns_nothing_and_has_no_right_on_any_table",
            "catalogue.py::test_tables_belong_to_the_plain_owner",
            "catalogue.py::test_nobody_outside_may_execute_any_of_our_functions",
            "catalogue.py::test_server_may_execute_exactly_these",
            "catalogue.py::test_every_function_pins_its_search_path",
            "catalogue.py::test_functions_with_more_rights_than_their_caller_belong_to_the_ledger",
            "catalogue.py::test_policies_ask_for_the_caller_in_one_way",
            "data_api.py::test_views_run_with_their_readers_rights",
        ),
    ),
    Check(
        "B3",
        "The advisor of Supabase (splinter) on the schema",
        "no finding",
        (RLS + "advisors.py::test_advisor_finds_nothing_in_the_schema_and_what_is_planted_there",),
        "The same test finds what it plants.",
        (RLS + "advisors.py::test_advisor_finds_nothing_in_the_schema_and_what_is_planted_there",),
    ),
    Check(
        "B4",
        "Requests of two users in turns over a pool of 1 and of 4, cancelled, timed out, failed in mid-transaction",
        "no foreign row; the settings empty at every checkout; no connection stuck in a transaction",
        _under(
            RLS + "pool.py::test_",
            "nothing_of_a_user_stays_on_a_connection",
            "cancelled_calls_leave_no_transaction_and_mix_no_users",
            "connection_of_a_cancelled_task_is_never_given_out_again",
            "connection_left_in_a_pipeline_is_never_given_out_again",
        ),
        "See B5.",
        (RLS + "pool.py::test_leak_would_be_noticed",),
    ),
    Check(
        "B5",
        "B1 without row level security, B4 with settings of the session",
        "both fail",
        (
            RLS + "matrix.py::test_matrix_would_notice_missing_row_level_security",
            RLS + "pool.py::test_leak_would_be_noticed",
        ),
        "It is the control of B1 and B4.",
        (RLS + "pool.py::test_leak_would_be_noticed",),
    ),
)
CREDIT_CHECKS = (
    Check(
        "L1",
        "Random histories of 50 operations against a small reference model",
        "equal after every step; balance = sum of entries; never negative; each hold ends once; no entry changes",
        (
            *_under(
                STORE + "ledger_model.py::test_",
                "random_histories_agree_with_the_model",
            ),
            STORE + "run_states_model.py::test_runs_and_credits_agree_with_the_reference_after_every_step",
        ),
        "The model notices a balance that does not follow its entries; so does the audit.",
        (
            STORE + "run_states_model.py::test_model_notices_a_balance_that_does_not_follow_its_entries",
            STORE + "ledger.py::test_audit_finds_books_that_do_not_agree",
        ),
        at_full_size=(STORE + "ledger_model.py::test_ten_thousand_random_histories_agree_with_the_model",),
    ),
    Check(
        "L2",
        "A balance for 10 holds, 200 begins at once; over HTTP, a thousand calls at once",
        "exactly 10 begin, 190 get 402; never negative; sums agree after settling",
        (
            STORE + "ledger.py::test_of_200_begins_at_once_exactly_those_that_can_be_paid_begin",
            SERVER + "one_path.py::test_a_thousand_calls_at_once_leave_the_books_straight",
            SERVER + "one_path.py::test_no_more_runs_begin_than_the_balance_and_the_places_allow",
        ),
        "With a look before the hold instead of one statement more than 10 begin.",
        (STORE + "ledger.py::test_look_before_the_hold_lets_too_many_begin",),
        at_full_size=(STORE + "ledger.py::test_of_200_begins_at_once_exactly_ten_begin_in_each_of_50_races",),
    ),
    Check(
        "L3",
        "Tampering with the books: update, delete, negative, too large, fractions, forged entries",
        "refused by the database itself",
        _under(
            STORE + "ledger.py::test_",
            "database_itself_refuses_to_change_the_books",
            "database_itself_refuses_a_forged_entry",
            "grant_out_of_range_changes_nothing",
            "fractions_of_a_microcredit_do_not_exist",
            "server_cannot_grant",
            "hold_is_closed_once_whatever_the_key",
        ),
    ),
    Check(
        "L4",
        "One idempotency key 100 times at once; later; other body; too long; killed server; a day later; other user",
        "one run, one charge, the same answer; another body 422; keys are each user's own",
        (
            *_under(
                SERVER + "idempotency.py::test_",
                "one_key_a_hundred_times_at_once_is_one_run_and_one_charge",
                "a_repeat_gets_the_first_answer_byte_for_byte",
                "another_request_with_the_same_key_is_refused",
                "keys_are_each_users_own",
                "a_key_has_1_to_255_visible_characters",
                "a_server_killed_in_the_middle_of_a_request_leaves_one_run_for_its_key",
            ),
            STORE + "idempotency.py::test_a_day_later_a_key_is_new",
        ),
    ),
    Check(
        "L5",
        "A server killed at each named point of a run's life",
        "nothing lost or doubled; no hold open 30 s later; each run in one final state",
        _under(
            SERVER + "kill_points.py::test_",
            "a_kill_loses_and_doubles_nothing",
        ),
        at_full_size=(SERVER + "kill_points.py::test_no_point_is_safe_by_luck",),
    ),
    Check(
        "L6",
        "The sum over the whole database after D7, D8, L5 and Q1",
        "grants - charges - holds = balances, to the last microcredit",
        (
            *_under(
                SERVER + "",
                "killed_server.py::test_kill_in_the_middle_loses_and_doubles_nothing",
                "kill_points.py::test_a_kill_loses_and_doubles_nothing",
            ),
            "tests/integration/store/test_dump.py::test_dump_under_load_restores_to_books_that_agree",
        ),
        "An audit of books that do not agree says so.",
        (STORE + "ledger.py::test_audit_finds_books_that_do_not_agree",),
        at_full_size=(SERVER + "once_in_effect.py::test_every_call_is_done_once_through_restarts_and_kills",),
    ),
)
WORK_CHECKS = (
    Check(
        "Q1",
        "Calls with keys of their own, repeated until answered, on two servers, while PostgreSQL is restarted and "
        "servers are killed",
        "each done once in effect, or ended with a reason; one charge at most; 503 with Retry-After, never 500",
        ("tests/faults/test_database.py::test_calls_are_refused_kindly_and_the_server_recovers_by_itself",),
        short_of=f"{NO_QUEUE} calls with idempotency keys stand in for jobs",
        at_full_size=(SERVER + "once_in_effect.py::test_every_call_is_done_once_through_restarts_and_kills",),
    ),
    Check(
        "Q2",
        "A server frozen past its lease, then continued",
        "its late results change no row; its runs were ended by the other; it goes on under another name",
        (
            SERVER + "two_servers.py::test_a_server_that_slept_through_its_lease_changes_nothing_and_goes_on",
            SERVER + "two_servers.py::test_what_a_killed_server_left_is_ended_by_the_other",
            STORE + "contract.py::test_late_finish_after_reaping_is_stale",
        ),
    ),
    Check(
        "Q3",
        "A program that kills its worker each time, among good ones",
        "it ends as failed, once, and is charged; the good ones are right",
        (
            ESCAPE + "ends.py::test_deaths_of_plain_python_harm_no_good_run",
            DOCKER + "pool.py::test_container_that_is_killed_from_outside_is_lost_and_replaced",
        ),
        short_of=f"{NO_QUEUE} nothing is tried again, so there is nothing to put aside",
    ),
    Check(
        "Q4",
        "One user with many calls, another with one",
        "users take turns; the one is served next; beyond the bound 429; nothing admitted is lost",
        (
            *_under(
                "tests/unit/server/test_admission.py::test_",
                "users_take_turns_and_each_keeps_its_own_order",
                "a_user_at_the_bound_is_refused_while_others_are_served",
                "however_many_calls_one_user_makes_places_stay_free_for_others",
                "many_calls_with_random_ends_leave_the_books_straight",
            ),
            DOCKER + "pool.py::test_owner_with_many_runs_does_not_keep_others_waiting",
        ),
        short_of=f"{NO_QUEUE} the calls that wait for a place stand in for jobs",
    ),
    Check(
        "Q5",
        "`pg_dump` under load, restored into a new database",
        "the books agree; every run is there once; row level security and grants are in the dump",
        ("tests/integration/store/test_dump.py::test_dump_under_load_restores_to_books_that_agree",),
    ),
)
HTTP_CHECKS = (
    Check(
        "H1",
        "Streams of log lines, cut at random and resumed; lines that imitate events",
        "every line once and in order; one final event; nothing forged",
        _under(
            SERVER + "live_runs.py::test_",
            "streams_that_are_cut_at_random_tell_every_line_once",
            "nothing_that_an_agent_prints_can_forge_an_event",
        ),
        at_full_size=(SERVER + "live_runs.py::test_a_hundred_streams_of_a_thousand_lines_cut_every_second",),
    ),
    Check(
        "H2",
        "Readers that never read while a run prints",
        "the run is not held up; memory bounded; readers dropped with a reason",
        _under(
            SERVER + "live_runs.py::test_",
            "readers_that_never_read_hold_up_nothing_and_are_dropped_with_a_reason",
            "a_user_has_a_bounded_number_of_streams",
        ),
    ),
    Check(
        "H3",
        "Slow bodies, idle connections, 100 MB, compressed, deep, many headers",
        "refused at documented limits; others go on",
        (
            *_under(
                SERVER + "hostile_input.py::test_",
                "body_is_read_or_refused_and_holds_nobody_up",
                "encoded_bodies_are_refused_unread",
                "many_headers_and_large_ones_are_refused",
                "a_body_of_100_megabytes_is_refused_when_it_is_announced_or_as_it_comes",
                "others_go_on_beside_idle_connections_and_slow_bodies",
            ),
            "tests/faults/test_slow_clients.py::test_slow_clients_are_bounded_and_nobody_elses_trouble",
            "tests/faults/test_slow_clients.py::test_slow_clients_are_gone_after_their_time",
        ),
        "The watch notices an event loop that is held up.",
        (SERVER + "hostile_input.py::test_watch_would_notice_a_loop_that_is_held_up",),
    ),
    Check(
        "H4",
        "Tricks with URLs, hosts, addresses, redirects and changing answers of a resolver",
        "no socket to a refused address; the checked address is the one dialled",
        (
            *_under(
                GLOVES + "fetch_hostile.py::test_",
                "a_trick_in_a_url_resolves_nothing_and_opens_nothing",
                "what_is_not_in_allowed_hosts_is_refused",
                "a_name_that_leads_inside_is_not_dialled",
                "one_closed_address_closes_the_whole_answer",
                "an_opened_host_does_not_lead_to_metadata",
                "an_answer_that_changes_between_two_look_ups_is_checked_each_time",
                "a_redirect_is_checked_as_the_first_request_was",
                "a_redirect_to_an_allowed_name_that_leads_inside_is_refused",
            ),
            GLOVES + "fetch.py::test_the_host_header_has_the_name_and_the_checked_address_is_dialled",
        ),
        "With the check of addresses off the same fetch gets inside.",
        (GLOVES + "fetch_hostile.py::test_without_the_check_of_addresses_the_fetch_gets_inside",),
    ),
    Check(
        "H5",
        "A soak of all tiers with abuse and faults mixed in",
        "no error but the abusive ones; latency, memory, descriptors, disk flat",
        (
            "tests/soak/test_soak.py::test_everything_at_once_with_faults_leaves_nothing_behind",
            ESCAPE + "soak.py::test_hostile_runs_leave_nothing_in_the_server",
        ),
        "The verdict notices each of what it is about.",
        ("tests/soak/test_soak.py::test_verdict_notices",),
        short_of="this is the form of seconds; `make soak` does minutes, and [soak.md](soak.md) has their figures",
    ),
    Check(
        "H6",
        "Logs, metrics, errors and streams of a server in trouble, searched for tokens, keys, canaries, paths, SQL",
        "no hit",
        _under(
            SERVER + "",
            "secrets_stay_inside.py::test_no_secret_no_path_and_no_sql_leaves",
            "metrics.py::test_no_label_names_a_user_an_agent_or_a_run",
            "logs.py::test_lines_have_their_ids_and_no_secret",
        ),
        "The search finds what is planted.",
        (SERVER + "secrets_stay_inside.py::test_search_would_find_what_is_there",),
    ),
)
OPERATOR_CHECKS = (
    Check(
        "O1",
        "`doctor` and start-up on weak hosts: old runc and engine, cgroup v1, no swap limit, no engine, swap on, open "
        "secret file, no Landlock, no seccomp, a role that bypasses row level security",
        "each named with severity and fix; a tier below its minimum is unavailable; every run records its wall",
        (
            *_under(
                "tests/unit/cli/test_diagnosis_docker.py::test_",
                "a_weak_engine_is_named_with_what_to_do",
                "a_runtime_that_the_engine_does_not_list_cannot_work",
                "no_engine_is_told_with_its_address",
                "swap_is_warned_of_where_it_is_on",
            ),
            *_under(
                SERVER + "",
                "cli.py::test_doctor_names_what_is_weak_with_its_fix",
                "cli.py::test_doctor_says_what_a_database_url_lacks",
                "image.py::test_doctor_says_what_the_container_lacks",
                "image.py::test_agent_runs_behind_at_least_the_minimum_wall",
            ),
            STORE + "postgres_store.py::test_role_that_may_too_much_or_too_little_is_refused",
            "tests/integration/monty/test_wall.py::test_probe_tells_what_is_missing_and_starts_nothing",
            *_under(
                "tests/integration/sandbox/test_weak_hosts.py::test_",
                "tier_without_its_minimum_is_unavailable_and_says_why",
                "tier_at_its_minimum_says_what_it_lacks",
            ),
        ),
        "A good host has nothing to mend.",
        (
            "tests/unit/cli/test_diagnosis_docker.py::test_a_good_engine_has_nothing_to_mend",
            SERVER + "cli.py::test_doctor_finds_nothing_that_fails_beside_a_running_server",
        ),
    ),
    Check(
        "O2",
        "Supply chain: pinned hashes, licences, bill of materials, set-id files of the image",
        "every requirement pinned by hash and installed as pinned; known licences; no set-id file; the image is "
        "reproducible",
        (
            *_under(
                "tests/unit/test_supply_chain.py::test_",
                "every_requirement_is_pinned_by_hash",
                "what_is_installed_is_what_is_pinned",
                "every_licence_is_one_that_was_agreed_to",
                "bill_of_materials_is_up_to_date",
            ),
            *_under(
                "tests/integration/docker_image/test_image.py::test_",
                "no_file_is_set_id",
                "nothing_of_the_build_is_left",
                "built_again_it_is_the_same_image",
            ),
        ),
        "A requirement without a hash and an unknown licence are found.",
        ("tests/unit/test_supply_chain.py::test_weak_lock_and_unknown_licence_are_found",),
        short_of="known holes are looked up by `make audit`, which needs an advisory database within reach",
    ),
)

CHECKS = (
    *RESTRICTED_CHECKS,
    *DOCKER_CHECKS,
    *AUTHORISATION_CHECKS,
    *DATABASE_CHECKS,
    *CREDIT_CHECKS,
    *WORK_CHECKS,
    *HTTP_CHECKS,
    *OPERATOR_CHECKS,
)
