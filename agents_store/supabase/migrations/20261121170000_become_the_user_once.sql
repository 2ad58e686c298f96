-- Functions that become glovebox_user by themselves do so only where they are not it already: PostgreSQL refuses any change
-- of role inside a function that runs with its owner's rights, as those of the next migration do.
-- Locks nothing.

do $$
declare
    becomes constant text := $text$    perform set_config('role', 'glovebox_user', true), set_config('request.jwt.claims', p_claims, true),
        set_config('request.jwt.claim.sub', '', true);
$text$;
    found record;
begin
    for found in
        select p.oid::regprocedure as name, pg_get_functiondef(p.oid) as definition
        from pg_proc p
        where p.pronamespace = 'glovebox'::regnamespace and not p.prosecdef
            and strpos(p.prosrc, 'set_config(''role''') > 0
    loop
        if strpos(found.definition, becomes) = 0 then
            raise exception '% becomes glovebox_user in words of its own', found.name;
        end if;
        execute replace(
            found.definition, becomes,
            E'    if current_user <> ''glovebox_user'' then\n' || regexp_replace(becomes, '^(.)', '    \1', 'gn')
                || E'    end if;\n'
        );
    end loop;
end
$$;
