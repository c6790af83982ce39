"""simple-salesforce with a token and instance URL that `sfmint token --format json` printed.

Facts come as JSON in argv[1]: token (the whole document), api_version, soql. One line of JSON goes out.
"""

import json
import sys
from importlib.metadata import version

from simple_salesforce import Salesforce

facts = json.loads(sys.argv[1])
org = Salesforce(
    session_id=facts["token"]["access_token"],
    instance_url=facts["token"]["instance_url"],
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
