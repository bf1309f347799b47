-- What a superuser named `rsoko` made in this database, before it was an owner only, goes to the owner. Idempotent.
do $$
declare
    statement text;
begin
    for statement in
        with mine as (select oid from pg_roles where rolname = 'rsoko_before'),
        schema as (
            select oid, nspname, nspowner from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
        )
        select format('alter schema %I owner to rsoko', nspname) from schema where nspowner in (select oid from mine)
        union all
        -- What belongs to a table (a sequence, a row type) goes with it.
        select format('alter table %s owner to rsoko', pg_class.oid::regclass)
        from pg_class inner join schema on pg_class.relnamespace = schema.oid
        where relowner in (select oid from mine) and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            and not exists (
                select from pg_depend
                where classid = 'pg_class'::regclass and objid = pg_class.oid and relkind = 'S' and deptype in ('a', 'i')
            )
        union all
        select format('alter routine %s owner to rsoko', pg_proc.oid::regprocedure)
        from pg_proc inner join schema on pg_proc.pronamespace = schema.oid
        where proowner in (select oid from mine)
        union all
        select format('alter type %s owner to rsoko', pg_type.oid::regtype)
        from pg_type inner join schema on pg_type.typnamespace = schema.oid
        where typowner in (select oid from mine) and typtype in ('e', 'd')
    loop
        execute statement;
    end loop;
    execute format('alter database %I owner to rsoko', current_database());
end
$$;
