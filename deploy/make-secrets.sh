#!/bin/sh
# Writes deploy/secrets/ for docker-compose.yml once; what is there already is kept.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets

random() { od -An -vtx1 -N "$1" /dev/urandom | tr -d ' \n'; }
keep() {
    [ -s "secrets/$1" ] && return 0
    printf '%s' "$2" > "secrets/$1"
    # Compose mounts the file as it is: the image's account must read it, and the folder keeps others out.
    chmod 644 "secrets/$1"
}

keep secret_key "$(random 40)"
keep api_key_pepper "$(random 32)"
keep field_encryption_key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n')"
keep superuser_password "$(random 24)"
keep owner_password "$(random 24)"
keep app_password "$(random 24)"
keep database_url "postgresql://alerting_app:$(cat secrets/app_password)@db:5432/alerting"
keep migration_database_url "postgresql://alerting_owner:$(cat secrets/owner_password)@db:5432/alerting"
echo "deploy/secrets/ is complete."
