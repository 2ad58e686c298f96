-- Calls of the Data API on effects store request and response as the program wrote them, since the columns are json.
-- Locks nothing.

create or replace function glovebox.api_claim_effect(p json) returns text
language plpgsql set search_path = '' as $$
begin
    insert into public.run_effects
        (user_id, run_id, seq, glove, request, response, error, status, at_ms, duration_ms, source_run_id)
    select r.user_id, r.id, (p ->> 'seq')::integer, p ->> 'glove', (p ->> 'request')::json, (p ->> 'response')::json,
        (p ->> 'error')::jsonb, p ->> 'status', (p ->> 'at_ms')::integer, (p ->> 'duration_ms')::integer,
        r.source_run_id
    from public.runs r
    where r.id = (p ->> 'run_id')::uuid and r.revision = (p ->> 'revision')::integer and r.state = 'executing';
    return to_json(found)::text;
end
$$;

create or replace function glovebox.api_conclude_effect(p json) returns text
language sql set search_path = '' as $$
    update public.run_effects
    set response = (p ->> 'response')::json, error = (p ->> 'error')::jsonb, status = p ->> 'status',
        duration_ms = (p ->> 'duration_ms')::integer
    where run_id = (p ->> 'run_id')::uuid and seq = (p ->> 'seq')::integer
    returning to_json(seq)::text
$$;
