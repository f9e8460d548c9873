-- Roles and rights of one database, safe to run again; psql and config/embedded/postgres.py both read it.
-- Variables: owner_password, app_password, is_test ('on' lets the owner create databases).
-- The owner runs migrations. The application's role is neither superuser nor owner nor BYPASSRLS,
-- so that row-level security binds it in every statement.
SELECT set_config('provision.owner_password', :'owner_password', false),
       set_config('provision.app_password', :'app_password', false),
       set_config('provision.is_test', :'is_test', false);

DO $provision$
DECLARE
    name text;
    creates text := CASE WHEN current_setting('provision.is_test') = 'on' THEN 'CREATEDB' ELSE 'NOCREATEDB' END;
BEGIN
    FOREACH name IN ARRAY ARRAY['alerting_owner', 'alerting_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I', name);
        END IF;
    END LOOP;
    EXECUTE format(
        'ALTER ROLE alerting_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE %s PASSWORD %L',
        creates, current_setting('provision.owner_password'));
    EXECUTE format(
        'ALTER ROLE alerting_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOINHERIT PASSWORD %L',
        current_setting('provision.app_password'));
    EXECUTE format('ALTER DATABASE %I OWNER TO alerting_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO alerting_app', current_database());
END
$provision$;

ALTER SCHEMA public OWNER TO alerting_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO alerting_app;
ALTER DEFAULT PRIVILEGES FOR ROLE alerting_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO alerting_app;
ALTER DEFAULT PRIVILEGES FOR ROLE alerting_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO alerting_app;
ALTER DEFAULT PRIVILEGES FOR ROLE alerting_owner IN SCHEMA public
    GRANT EXECUTE ON FUNCTIONS TO alerting_app;
