"""Assertions that must be refused, made by PyJWT, or by hand where PyJWT refuses to make them.

Facts come as JSON in argv[1]: url, audience, client_id, username, foreign_username, key_file, certificate_file.
One line of JSON goes out: for each forgery what the token endpoint answered, and for one honest assertion, made by the
same code, that it was accepted. Without that one, an endpoint that refuses everything would pass.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from importlib.metadata import version
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

facts = json.loads(sys.argv[1])
now = int(time.time())
key = Path(facts["key_file"]).read_bytes()
certificate_pem = Path(facts["certificate_file"]).read_bytes()
certificate = x509.load_pem_x509_certificate(certificate_pem)
public_pem = certificate.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
stranger_pem = stranger.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
stranger_jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key()))


def claims(**change) -> dict:
    honest = {"iss": facts["client_id"], "sub": facts["username"], "aud": facts["audience"], "exp": now + 180}
    return {name: value for name, value in {**honest, **change}.items() if value is not None}


def part(value: dict) -> str:
    return encoded(json.dumps(value, separators=(",", ":")).encode())


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def keyed_with(secret: bytes) -> str:
    """HS256 with a public thing as the secret. PyJWT refuses PEM as an HMAC key, so this one is made by hand."""
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def signed(algorithm: str = "RS256", by: bytes = key, headers: dict | None = None, **change) -> str:
    return jwt.encode(claims(**change), by, algorithm=algorithm, headers=headers)


def swapped_claims() -> str:
    """An honest signature over other claims."""
    head, _, signature = signed().split(".")
    return f"{head}.{part(claims(sub=facts['foreign_username']))}.{signature}"


forgeries = {
    "HS256 keyed with the certificate": keyed_with(certificate_pem),
    "HS256 keyed with the certificate in DER": keyed_with(certificate.public_bytes(serialization.Encoding.DER)),
    "HS256 keyed with the public key": keyed_with(public_pem),
    "none": jwt.encode(claims(), None, algorithm="none"),
    "none, with an honest signature": ".".join(
        [part({"alg": "none", "typ": "JWT"}), *signed().split(".")[1:]]
    ),
    "another key": signed(by=stranger_pem),
    "another key that the header brings along": signed(by=stranger_pem, headers={"jwk": stranger_jwk}),
    "RS512": signed("RS512"),
    "PS256": signed("PS256"),
    "no signature": signed().rsplit(".", 1)[0] + ".",
    "claims exchanged under an honest signature": swapped_claims(),
    "past exp": signed(exp=now - 3600),
    "no exp": signed(exp=None),
    "wrong aud": signed(aud="https://audience.example"),
    "no aud": signed(aud=None),
    "foreign sub": signed(sub=facts["foreign_username"]),
    "foreign iss": signed(iss="3MVG9.not.the.consumer.key"),
    "not a JWT": "not.a.jwt",
}


def ask(assertion: str) -> dict:
    request = urllib.request.Request(
        f"{facts['url']}/services/oauth2/token",
        urllib.parse.urlencode(
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        ).encode(),
        headers={"User-Agent": f"PyJWT/{version('PyJWT')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {"status": answer.status, "has_token": "access_token" in json.load(answer)}
    except urllib.error.HTTPError as refusal:
        body = json.load(refusal)
        return {"status": refusal.code, "error": body["error"], "error_description": body["error_description"]}


print(
    json.dumps(
        {
            "party": "PyJWT",
            "version": version("PyJWT"),
            "honest": ask(signed()),
            "forged": {name: ask(assertion) for name, assertion in forgeries.items()},
        }
    )
)
