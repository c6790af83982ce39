"""PyJWT verifies an assertion that sfmint signed, by the certificate alone.

Facts come as JSON in argv[1]: assertion, certificate_file, audience, issuer. One line of JSON goes out.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import jwt
from cryptography import x509

facts = json.loads(sys.argv[1])
key = x509.load_pem_x509_certificate(Path(facts["certificate_file"]).read_bytes()).public_key()


def decode(assertion: str) -> dict:
    return jwt.decode(
        assertion,
        key,
        algorithms=["RS256"],
        audience=facts["audience"],
        issuer=facts["issuer"],
        options={"require": ["iss", "sub", "aud", "exp"], "strict_aud": True},
    )


head, claims, signature = facts["assertion"].split(".")
bent = ".".join([head, claims, ("A" if signature[0] != "A" else "B") + signature[1:]])
try:
    decode(bent)
    verified_when_bent = True
except jwt.InvalidSignatureError:
    verified_when_bent = False
print(
    json.dumps(
        {
            "party": "PyJWT",
            "version": version("PyJWT"),
            "header": jwt.get_unverified_header(facts["assertion"]),
            "claims": decode(facts["assertion"]),
            "verified_when_bent": verified_when_bent,
        }
    )
)
