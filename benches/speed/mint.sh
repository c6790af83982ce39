#!/bin/sh
# What a careful person writes without sfmint: one assertion signed by openssl, one POST by curl.
# mint.sh LOGIN_URL CLIENT_ID USERNAME KEY_FILE
set -eu
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
claims=$(printf '{"iss":"%s","sub":"%s","aud":"%s","exp":%s}' "$2" "$3" "$1" "$(($(date +%s) + 170))" | base64url)
header=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url)
signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -sign "$4" | base64url)
curl -sS --fail-with-body "$1/services/oauth2/token" \
    --data-urlencode 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer' \
    --data-urlencode "assertion=$header.$claims.$signature" |
    sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
