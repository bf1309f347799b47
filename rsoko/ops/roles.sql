-- Roles and databases of a server, made by its superuser: by `rsoko up` on the embedded server, once by the image of
-- postgres (docker/compose.yml). Idempotent. For psql, with both passwords in its environment.
\set ON_ERROR_STOP on
\getenv owner_password RSOKO_OWNER_PASSWORD
\getenv reader_password RSOKO_READER_PASSWORD

select 'create role rsoko' where to_regrole('rsoko') is null \gexec
select 'create role rsoko_reader' where to_regrole('rsoko_reader') is null \gexec

-- The owner builds the warehouse and rules nothing else: it reads no file of the server and runs no program there.
alter role rsoko login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'owner_password';

-- The reader asks. What it may see is granted by the owner: ingest/load/reader.sql.
alter role rsoko_reader login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'reader_password';
alter role rsoko_reader set default_transaction_read_only = on;
alter role rsoko_reader set statement_timeout = '15min';
alter role rsoko_reader set temp_file_limit = '10GB';

select format('create database %I owner rsoko', name)
from unnest(array['warehouse', 'airflow']) as wanted (name)
where not exists (select from pg_database where datname = name) \gexec
revoke all on database warehouse, airflow, postgres from public;
grant connect on database warehouse to rsoko_reader;
