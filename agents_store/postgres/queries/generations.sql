-- Generations. `begin_generation` and `finish_generation` become glovebox_user by themselves; `reap_generations` and
-- `purge_generations` run as glovebox_login, the others as glovebox_user.

-- name: read_engine
select p.version as prompt_version, p.text, p.repairs_max, m.name as model, m.effort, m.input_tokens_max,
    m.output_tokens_max, m.answer_ms_max, m.retries_max
from public.prompts p
join public.models m on m.name = p.model
where p.name = 'generation';

-- name: begin_generation
select status, hold_microcredits, available_microcredits
from glovebox.begin_generation(
    p_claims => %(claims)s, p_generation_id => %(generation_id)s, p_kind => %(kind)s, p_agent_name => %(agent_name)s,
    p_request => %(request)s, p_model => %(model)s, p_prompt_version => %(prompt_version)s,
    p_attempts_max => %(attempts_max)s, p_input_tokens_max => %(input_tokens_max)s,
    p_output_tokens_max => %(output_tokens_max)s, p_server_id => %(server_id)s
);

-- name: finish_generation
select finished, charge_microcredits
from glovebox.finish_generation(
    p_claims => %(claims)s, p_generation_id => %(generation_id)s, p_state => %(state)s, p_reason => %(reason)s,
    p_input_tokens => %(input_tokens)s, p_output_tokens => %(output_tokens)s,
    p_cache_read_tokens => %(cache_read_tokens)s, p_cache_write_tokens => %(cache_write_tokens)s,
    p_attempts => %(attempts)s, p_version => %(version)s
);

-- name: get_generation
select id, kind, agent_name, request, state, reason, model, prompt_version, hold_microcredits, charge_microcredits,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, attempts, version, created_at, finished_at
from public.generations
where id = %(generation_id)s;

-- name: list_generations
select id, kind, agent_name, request, state, reason, model, prompt_version, hold_microcredits, charge_microcredits,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, null::jsonb as attempts, version, created_at,
    finished_at
from public.generations
where id < %(before)s
order by id desc
limit %(rows_max)s;

-- name: reap_generations
select glovebox.reap_generations(%(generations_max)s, %(abandoned)s, %(server_id)s);

-- name: purge_generations
select glovebox.purge_generations(%(retention_ms)s, %(rows_max)s);
