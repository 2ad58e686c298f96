-- Credits. The first three run as glovebox_user, the others as the owner of the database.

-- name: ensure_account
select glovebox.ensure_account();

-- name: get_balance
select available_microcredits, held_microcredits from public.credit_accounts;

-- name: list_entries
select id, kind, amount_microcredits, available_delta_microcredits, held_delta_microcredits, run_id, created_at,
    generation_id, pricing
from public.credit_entries
where id < %(before)s
order by id desc
limit %(rows_max)s;

-- name: grant_credits
select applied, same_amount, available_microcredits, held_microcredits
from glovebox.grant_credits(%(user_id)s, %(amount_microcredits)s, %(idempotency_key)s);

-- name: audit_balances
select user_id, available_microcredits, held_microcredits, available_sum_microcredits, held_sum_microcredits
from glovebox.audit_balances();
