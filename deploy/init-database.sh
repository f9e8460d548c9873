#!/bin/sh
# Runs once, when the database volume is empty: roles and rights from the same script `make up` uses.
set -eu
psql --quiet --set ON_ERROR_STOP=1 --output /dev/null \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set owner_password="$(cat /run/secrets/owner_password)" \
    --set app_password="$(cat /run/secrets/app_password)" \
    --set is_test=off \
    --file /provision.sql
