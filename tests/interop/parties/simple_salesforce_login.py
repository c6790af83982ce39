"""simple-salesforce, unmodified: logs in by JWT and queries, by https and real host names, through the proxy.

Facts come as JSON in argv[1]: client_id, username, key_file, domain, api_version, soql. HTTPS_PROXY and
REQUESTS_CA_BUNDLE are in the environment. One line of JSON goes out.
"""

import json
import sys
from importlib.metadata import version

from simple_salesforce import Salesforce

facts = json.loads(sys.argv[1])
org = Salesforce(
    username=facts["username"],
    consumer_key=facts["client_id"],
    privatekey_file=facts["key_file"],
    domain=facts["domain"],
    version=facts["api_version"],
)
records = [{k: v for k, v in row.items() if k != "attributes"} for row in org.query_all_iter(facts["soql"])]
print(
    json.dumps(
        {
            "party": "simple-salesforce",
            "version": version("simple-salesforce"),
            "instance": org.sf_instance,
            "records": records,
        }
    )
)
