#!/bin/sh
# Creates the secrets and the empty data folders of compose.yaml beside this file, for the user of its containers. Run it
# as root, or with rootless Podman as `podman unshare ./prepare.sh`. It changes nothing that exists.
set -eu
umask 077
cd "$(dirname "$0")"
user=65532

random() {
    od -A n -N "$1" -t x1 /dev/urandom | tr -d ' \n'
}

if [ -e secrets ]; then
    echo "secrets exist already" >&2
    exit 1
fi
mkdir -p data/jingku data/database data/objects new-secrets
password=$(random 32)
printf '%s' "$password" > new-secrets/database-password
printf 'database:5432:jingku:jingku:%s\n' "$password" > new-secrets/database-passfile
random 32 > new-secrets/objects-rpc
access_key=GK$(random 16)
secret_key=$(random 32)
cat > new-secrets/objects.env <<END
AWS_ACCESS_KEY_ID=$access_key
AWS_SECRET_ACCESS_KEY=$secret_key
GARAGE_DEFAULT_ACCESS_KEY=$access_key
GARAGE_DEFAULT_SECRET_KEY=$secret_key
END
chown -R $user:$user data new-secrets
# Last, so that an interrupted run can be repeated.
mv new-secrets secrets
