-- What the reader's role may see: marts, facts and the ledger, no raw row and nothing of staging. Run by the owner, whose
-- later tables are open to the reader as they are made. Idempotent; a warehouse without that role is left as it is.
create schema if not exists core;
create schema if not exists mart;
do $$
begin
    if to_regrole('rsoko_reader') is not null then
        grant usage on schema core, mart, meta to rsoko_reader;
        grant select on all tables in schema core, mart, meta to rsoko_reader;
        alter default privileges in schema core, mart, meta grant select on tables to rsoko_reader;
    end if;
end
$$;
