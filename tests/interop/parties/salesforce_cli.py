"""The Salesforce CLI, unmodified: logs in by JWT, queries, shows the org and its token.

Facts come as JSON in argv[1]: sf, url, client_id, username, key_file, soql, home, and path (where Node 22 is
first). HTTPS_PROXY and NODE_EXTRA_CA_CERTS are in the environment. One line of JSON goes out.

The proxy is more than a way to real host names. Refused once, the CLI goes on to try test.salesforce.com and
login.salesforce.com by itself; behind the proxy, which serves no host but the org's, it cannot.
"""

import json
import os
import subprocess
import sys

facts = json.loads(sys.argv[1])

environment = {
    "HOME": facts["home"],
    "PATH": facts["path"],
    "SF_DISABLE_TELEMETRY": "true",
    # Two spellings: the CLI's own, and the one its update plugin reads before it spawns `sf update`.
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_DISABLE_AUTOUPDATE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_DISABLE_DNS_CHECK": "true",
    # No keyring on a build machine: the CLI keeps its own encryption key in a file of its home.
    "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    "SF_CONTENT_TYPE": "JSON",
    "HTTPS_PROXY": os.environ["HTTPS_PROXY"],
    "NODE_EXTRA_CA_CERTS": os.environ["NODE_EXTRA_CA_CERTS"],
    "NO_COLOR": "1",
}


def sf(*arguments: str) -> dict:
    ran = subprocess.run(
        [facts["sf"], *arguments, "--json"],
        env=environment,
        cwd=facts["home"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    if ran.returncode != 0:
        sys.exit(f"sf {' '.join(arguments)} exited with {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
    return json.loads(ran.stdout)


os.makedirs(facts["home"], exist_ok=True)
version = subprocess.run(
    [facts["sf"], "--version"], env=environment, capture_output=True, text=True, check=True, timeout=120
).stdout.split()[0]
login = sf(
    "org", "login", "jwt",
    "--username", facts["username"],
    "--jwt-key-file", facts["key_file"],
    "--client-id", facts["client_id"],
    "--instance-url", facts["url"],
)  # fmt: skip
query = sf("data", "query", "--target-org", facts["username"], "--query", facts["soql"])
display = sf("org", "display", "--target-org", facts["username"])
shown = sf("org", "auth", "show-access-token", "--target-org", facts["username"])

print(
    json.dumps(
        {
            "party": "Salesforce CLI",
            "version": version,
            "username": login["result"]["username"],
            "org_id": login["result"]["orgId"],
            "instance_url": login["result"]["instanceUrl"],
            "records": [{k: v for k, v in row.items() if k != "attributes"} for row in query["result"]["records"]],
            "connected": display["result"].get("connectedStatus"),
            "access_token": shown["result"]["accessToken"],
            "stale": [text for text in shown.get("warnings", []) if "stale" in text or "refresh" in text],
        }
    )
)
