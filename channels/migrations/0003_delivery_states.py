"""Let the database refuse illegal steps of a delivery, and take its place in the queue away with it."""

from django.db import migrations

GUARD = """
CREATE FUNCTION check_delivery_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('pending', 'leased'), ('pending', 'cancelled'), ('pending', 'expired'),
        ('leased', 'delivered'), ('leased', 'pending'), ('leased', 'uncertain'), ('leased', 'dead'),
        ('uncertain', 'delivered'), ('uncertain', 'pending'), ('uncertain', 'dead'),
        ('dead', 'pending'), ('dead', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'A delivery cannot go from % to %.', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delivery_step BEFORE UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_delivery_step();

CREATE FUNCTION leave_delivery_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM delivery_queue q USING gone WHERE q.delivery_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER delivery_gone AFTER DELETE ON delivery REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION leave_delivery_queue();
"""
UNGUARD = """
DROP TRIGGER delivery_gone ON delivery;
DROP FUNCTION leave_delivery_queue();
DROP TRIGGER delivery_step ON delivery;
DROP FUNCTION check_delivery_step();
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0002_isolation")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
