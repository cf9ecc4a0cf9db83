#!/bin/bash
# Starts mongod as the one member of a replica set with access control. Members of a set prove themselves with a key file;
# it is made once, in a volume, and never leaves it.
set -euo pipefail
key=/data/configdb/replica-set.key

if [[ ! -s $key ]]; then
  umask 077
  # 756 bytes are 1008 characters; mongod takes at most 1024.
  head -c 756 /dev/urandom | base64 --wrap=0 >"$key.new"
  mv "$key.new" "$key"
fi
chown mongodb:mongodb "$key"
chmod 400 "$key"

# The image's own entry point creates the root user and then becomes mongod, without root.
exec docker-entrypoint.sh mongod --replSet hushryd --keyFile "$key" --bind_ip_all
