-- What runs cost, as before, in expressions that a session prepares once: a body in SQL is planned anew for each call.
-- Locks nothing.

create or replace function glovebox.price_max(p_prices jsonb, p_limits jsonb) returns bigint
language plpgsql immutable set search_path = '' as $$
declare
    calls constant bigint := coalesce((p_limits ->> 'calls_max')::bigint, 0);
    fetches constant bigint := coalesce((p_limits ->> 'fetches_max')::bigint, 0);
begin
    return (p_prices ->> 'run')::bigint * (1 + calls)
        + (p_prices ->> 'wall_ms')::bigint * (p_limits ->> 'wall_ms_max')::bigint * (1 + least(calls, 3))
        + (p_prices ->> 'fetch')::bigint * fetches
        + (p_prices ->> 'glove_call')::bigint * case when fetches + calls > 0 then 500 else 0 end;
end
$$;

create or replace function glovebox.run_price(
    p_prices jsonb, p_wall_ms bigint, p_glove_calls jsonb, p_called_microcredits numeric, p_max_microcredits bigint
) returns bigint
language plpgsql immutable set search_path = '' as $$
declare
    -- numeric, so that no duration can leave bigint and keep a run from being finished
    price numeric := (p_prices ->> 'run')::numeric + (p_prices ->> 'wall_ms')::numeric * p_wall_ms
        + p_called_microcredits;
begin
    if p_glove_calls is not null then
        price := price + (
            select coalesce(sum(coalesce((p_prices ->> c.key)::numeric, 0) * c.value::numeric), 0)
            from jsonb_each_text(p_glove_calls) as c
        );
    end if;
    return least(price, p_max_microcredits)::bigint;
end
$$;
