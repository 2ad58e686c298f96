-- Which dry run a run carries out, and which effect of it: each at most once, whatever dies meanwhile.
-- Takes a short exclusive lock on runs and run_effects; nothing is rewritten.

-- begin_run inserts what it always did. A run of another kind says so in the settings of its transaction.
alter table public.runs add column source_run_id uuid;
alter table public.runs
    alter column source_run_id set default nullif(current_setting('glovebox.source_run_id', true), '')::uuid,
    alter column kind set default
        coalesce(nullif(current_setting('glovebox.run_kind', true), ''), 'invocation')::glovebox.run_kind;
create unique index runs_apply_alone on public.runs (user_id, source_run_id)
    where source_run_id is not null and outcome is null;

-- `seq` of such an effect is its place in all that the dry run listed. What surely did not happen may be tried again.
alter table public.run_effects add column source_run_id uuid;
create unique index run_effects_applied_once on public.run_effects (user_id, source_run_id, seq)
    where source_run_id is not null and status not in ('refused', 'failed');

-- Begin to carry out a dry run: as any run begins, and everything undone where what it read from memory has changed since.
-- p_reads: [{"agent_id", "key", "revision"}], without a key of an agent's whole memory. They are looked at until the first
-- effect is carried out: from then on they may have changed by that.
create function glovebox.begin_apply(
    p_claims text, p_run_id uuid, p_source_run_id uuid, p_reads json, p_agent_id uuid, p_version integer, p_inputs json,
    p_wall glovebox.run_wall, p_wall_missing text[], p_server_id uuid,
    out status text, out revision integer, out hold_microcredits bigint, out price_microcredits_max bigint,
    out available_microcredits bigint, out started_at timestamptz
)
language plpgsql security invoker set search_path = '' as $$
begin
    perform set_config('glovebox.run_kind', 'apply', true),
        set_config('glovebox.source_run_id', p_source_run_id::text, true);
    select b.status, b.revision, b.hold_microcredits, b.price_microcredits_max, b.available_microcredits, b.started_at
    into status, revision, hold_microcredits, price_microcredits_max, available_microcredits, started_at
    from glovebox.begin_run(
        p_claims => p_claims, p_run_id => p_run_id, p_agent_id => p_agent_id, p_version => p_version, p_test => false,
        p_inputs => p_inputs, p_seed => 0, p_wall => p_wall, p_wall_missing => p_wall_missing,
        p_server_id => p_server_id, p_parent_run_id => null
    ) b;
    -- From here on as the user: begin_run became that.
    if status <> 'begun' or exists (
        select from public.run_effects e
        where e.user_id = glovebox.caller_id() and e.source_run_id = p_source_run_id
            and e.status not in ('refused', 'failed')
    ) then
        return;
    end if;
    if exists (
        select from json_to_recordset(p_reads) as r (agent_id uuid, key text, revision bigint)
        left join public.agent_memory m on m.agent_id = r.agent_id and m.key = r.key
        left join public.agent_memory_totals t on t.agent_id = r.agent_id and r.key is null
        where r.revision <> coalesce(m.revision, t.revision, 0)
    ) then
        raise exception 'what the dry run read has changed'
            using errcode = 'object_not_in_prerequisite_state', constraint = 'agent_memory_as_read';
    end if;
end
$$;
revoke all on function glovebox.begin_apply(text, uuid, uuid, json, uuid, integer, json, glovebox.run_wall, text[], uuid)
    from public, anon, authenticated, service_role;
