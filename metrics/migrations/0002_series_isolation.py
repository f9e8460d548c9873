"""Make the partitioned tables of samples and rollups, fence all tables of series, and let the application make
and drop partitions (and nothing else) although it does not own them."""

from django.db import migrations

from tenants.rls import TENANT_SETTING, IsolateTenant

TABLES = f"""
CREATE TABLE sample_chunk (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    slice_at timestamptz NOT NULL,
    at bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (tenant_id, number, slice_at)
) PARTITION BY RANGE (slice_at);
CREATE TABLE rollup_minute (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    chunk_at timestamptz NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant_id, number, chunk_at)
) PARTITION BY RANGE (chunk_at);
CREATE TABLE rollup_hour (LIKE rollup_minute INCLUDING ALL) PARTITION BY RANGE (chunk_at);
CREATE TABLE rollup_day (LIKE rollup_minute INCLUDING ALL) PARTITION BY RANGE (chunk_at);
CREATE TABLE sample_flaw (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL,
    reason text NOT NULL,
    samples integer NOT NULL,
    at bytea NOT NULL,
    value bytea NOT NULL
) PARTITION BY RANGE (noted_at);
CREATE INDEX sample_flaw_series ON sample_flaw (tenant_id, number, noted_at);
ALTER TABLE sample_chunk ALTER at SET STORAGE EXTERNAL, ALTER value SET STORAGE EXTERNAL;

DO $fence$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['sample_chunk', 'rollup_minute', 'rollup_hour', 'rollup_day', 'sample_flaw'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', parent);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', parent);
        EXECUTE format('CREATE POLICY tenant_rows ON %I USING (tenant_id = {TENANT_SETTING})'
                       ' WITH CHECK (tenant_id = {TENANT_SETTING})', parent);
    END LOOP;
END $fence$;
""".replace("current_setting('app.tenant', true), '')", "current_setting(''app.tenant'', true), '''')")

PARTITIONS = f"""
CREATE FUNCTION metric_partition_unit(parent text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE parent WHEN 'sample_chunk' THEN 'day' WHEN 'sample_flaw' THEN 'day' WHEN 'rollup_minute' THEN 'day'
                       WHEN 'rollup_hour' THEN 'month' WHEN 'rollup_day' THEN 'year' END
$$;

-- Makes the partition that a moment belongs to, fenced as its parent is; true when it was not there yet.
-- ATTACH, other than CREATE ... PARTITION OF, does not lock out those who read and write meanwhile.
CREATE FUNCTION make_metric_partition(parent text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    unit text := public.metric_partition_unit(parent);
    starts timestamptz := date_trunc(unit, moment);
    ends timestamptz := starts + ('1 ' || unit)::interval;
    partition text := parent || to_char(starts, '_YYYYMMDD');
BEGIN
    IF unit IS NULL THEN
        RAISE EXCEPTION 'no such table of metrics: %', parent;
    END IF;
    IF moment NOT BETWEEN now() - interval '20 years' AND now() + interval '3 years' THEN
        RAISE EXCEPTION 'no partition of % so far from now', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(7410, 0);
    IF to_regclass(format('public.%I', partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', partition, parent);
    EXECUTE format('ALTER TABLE public.%I SET (autovacuum_vacuum_scale_factor = 0.1)', partition);
    IF parent = 'sample_chunk' THEN
        -- Rows grow in place for a quarter of an hour; up to 8 kB they stay on their page.
        EXECUTE format('ALTER TABLE public.%I SET (fillfactor = 60, toast_tuple_target = 8160)', partition);
    END IF;
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format($policy$CREATE POLICY tenant_rows ON public.%I USING (tenant_id = {TENANT_SETTING})
                           WITH CHECK (tenant_id = {TENANT_SETTING})$policy$, partition);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO %I', partition, session_user);
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, partition, starts, ends);
    RETURN true;
END $$;

-- Drops the partitions that end before a moment, which must be a day ago or longer; returns how many went.
CREATE FUNCTION drop_metric_partitions(parent text, moment timestamptz) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    unit text := public.metric_partition_unit(parent);
    partition text;
    dropped integer := 0;
BEGIN
    IF unit IS NULL THEN
        RAISE EXCEPTION 'no such table of metrics: %', parent;
    END IF;
    IF moment > now() - interval '1 day' THEN
        RAISE EXCEPTION 'partitions of % younger than a day are kept', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(7410, 0);
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = format('public.%I', parent)::regclass
          AND to_date(right(c.relname, 8), 'YYYYMMDD')::timestamptz + ('1 ' || unit)::interval <= moment
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE public.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION make_metric_partition(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION drop_metric_partitions(text, timestamptz) FROM PUBLIC;
"""

SHAPE = """
ALTER SEQUENCE series_number OWNED BY series.number;
ALTER TABLE series SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE metric_request ALTER body SET STORAGE EXTERNAL;
ALTER TABLE metric_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE series_due SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE rollup_due SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
"""

DROP = """
DROP FUNCTION drop_metric_partitions(text, timestamptz);
DROP FUNCTION make_metric_partition(text, timestamptz);
DROP FUNCTION metric_partition_unit(text);
DROP TABLE sample_chunk, rollup_minute, rollup_hour, rollup_day, sample_flaw;
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_series")]
    operations = [
        IsolateTenant("Series"),
        IsolateTenant("MetricRequest"),
        migrations.RunSQL(SHAPE, migrations.RunSQL.noop),
        migrations.RunSQL([TABLES, PARTITIONS], DROP),
    ]
