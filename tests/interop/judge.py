"""Real parties judge sfmint: clients log in to the built-in org with our key, libraries verify what we sign.

SFMINT_BINARY names the binary. The parties are installed by tests/run in tests/interop/.tools. Each party is a
program of its own under parties/, unmodified but for its proxy and CA; what it saw comes back as one line of JSON
and is judged here. The last line says how many ran: `interop: 8 of 8 parties ran, 8 passed`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from connect_proxy import ConnectProxy
from org import API_VERSION, CONNECTED_APP, EXTERNAL_CLIENT_APP, FOREIGN_USERNAME, MY_DOMAIN, USERNAME, Org, make_key
from recording_endpoint import RecordingEndpoint

HERE = Path(__file__).resolve().parent
TOOLS = HERE / ".tools"
MODULES = TOOLS / "node" / "node_modules"
SOQL = "SELECT Id, Name FROM Account ORDER BY Id"
ACCOUNTS = 1000
INVALID_ASSERTION = ("invalid_grant", "invalid assertion")
# What Salesforce says of a claim that does not fit; of all else it says INVALID_ASSERTION.
WORDS = {
    "audience": ("invalid_grant", "audience is invalid"),
    "subject": ("invalid_grant", "user hasn't approved this consumer"),
    "issuer": ("invalid_client_id", "client identifier invalid"),
}
# Each forgery of parties/pyjwt_forges.py, and what it must fall over.
FORGERIES = {
    "HS256 keyed with the certificate": "algorithm",
    "HS256 keyed with the certificate in DER": "algorithm",
    "HS256 keyed with the public key": "algorithm",
    "none": "algorithm",
    "none, with an honest signature": "algorithm",
    "another key": "signature",
    "another key that the header brings along": "signature",
    "RS512": "algorithm",
    "PS256": "algorithm",
    "no signature": "signature",
    "claims exchanged under an honest signature": "signature",
    "past exp": "expiry",
    "no exp": "expiry",
    "wrong aud": "audience",
    "no aud": "audience",
    "foreign sub": "subject",
    "foreign iss": "issuer",
    "not a JWT": "malformed",
}


def node() -> str:
    """Node 22, which the clients ask for: npm's package of it, else the machine's own."""
    own = MODULES / ".bin" / "node"
    found = str(own) if own.exists() else shutil.which("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < 22:
        raise RuntimeError(f"the clients need Node 22, {found} is {version.strip()}")
    return found


class World:
    """What every judge needs: the org behind the proxy, the key, a connection for sfmint."""

    def __init__(self, folder: Path, binary: Path, org: Org, proxy: ConnectProxy, key: Path, certificate: Path):
        self.folder, self.binary, self.org, self.proxy = folder, binary, org, proxy
        self.key, self.certificate = key, certificate
        self.node = node()
        self.environment = {
            **os.environ,
            "HTTPS_PROXY": proxy.url,
            "REQUESTS_CA_BUNDLE": str(proxy.bundle),
            "NODE_EXTRA_CA_CERTS": str(proxy.bundle),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._config = folder / "sfmint.toml"
        self._config.write_text(
            f"""[connections.acme]
login_url = "{MY_DOMAIN}"
client_id = "{EXTERNAL_CLIENT_APP}"
username = "{USERNAME}"
key = {{ file = "{key}" }}
certificate = "{certificate}"
ca_file = "{proxy.bundle}"
proxy = "{proxy.url}"
"""
        )
        self._config.chmod(0o600)

    def sfmint(self, *arguments: str, environment: dict | None = None) -> str:
        """Runs sfmint to its end, with the connection `acme` unless an environment says otherwise."""
        config = [] if environment else ["--config", str(self._config)]
        ran = subprocess.run(
            [str(self.binary), *config, *arguments],
            env={**os.environ, "SFMINT_STATE_DIR": str(self.folder / "state"), **(environment or {})},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if ran.returncode != 0:
            raise AssertionError(f"sfmint {' '.join(arguments)} exited with {ran.returncode}\n{ran.stderr}")
        return ran.stdout

    def party(self, program: str, **facts) -> dict:
        """Runs one party and gives what it saw."""
        runner = self.node if program.endswith(".mjs") else sys.executable
        ran = subprocess.run(
            [runner, str(HERE / "parties" / program), json.dumps(facts)],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )
        if ran.returncode != 0:
            raise AssertionError(f"{program} exited with {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
        return json.loads(ran.stdout.splitlines()[-1])

    def rows(self) -> list[dict]:
        """The accounts as `sfmint query` sees them, to be the same for everybody."""
        return json.loads(self.sfmint("query", SOQL, "--format", "json"))

    def assertion(self, audience: str | None = None) -> tuple[str, float, str]:
        """An assertion as sfmint posts it, when it arrived, and the audience it should bear."""
        with RecordingEndpoint() as endpoint:
            environment = {
                "SFMINT_LOGIN_URL": endpoint.url,
                "SFMINT_CLIENT_ID": EXTERNAL_CLIENT_APP,
                "SFMINT_USERNAME": USERNAME,
                "SFMINT_PRIVATE_KEY_FILE": str(self.key),
            }
            if audience:
                environment["SFMINT_AUDIENCE"] = audience
            self.sfmint("token", "--fresh", environment=environment)
            (posted,) = endpoint.posted
        expect(sorted(posted.form), ["assertion", "grant_type"])
        expect(posted.form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer")
        expect_in("sfmint/", posted.user_agent)
        return posted.assertion, posted.received_at, audience or endpoint.url


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {str(found)[:2000]}, wanted {str(wanted)[:2000]}")


def expect_in(part, whole):
    if part not in whole:
        raise AssertionError(f"{part!r} is not in {str(whole)[:2000]}")


def expect_rows(found: list[dict], wanted: list[dict]):
    expect(len(found), ACCOUNTS)
    for one, other in zip(found, wanted, strict=True):
        expect(one, other)


# ---------------------------------------------------------------- the judges; each gives the party's version and a remark


def salesforce_cli(world: World):
    saw = world.party(
        "salesforce_cli.py",
        sf=str(MODULES / ".bin" / "sf"),
        url=MY_DOMAIN,
        client_id=EXTERNAL_CLIENT_APP,
        username=USERNAME,
        key_file=str(world.key),
        soql=SOQL,
        home=str(world.folder / "sf-home"),
        path=f"{Path(world.node).parent}:/usr/bin:/bin",
    )
    expect(saw["username"], USERNAME)
    expect(saw["instance_url"], MY_DOMAIN)
    expect(saw["connected"], "Connected")
    expect(saw["stale"], [])
    expect_in("!", saw["access_token"])
    expect_rows(saw["records"], world.rows())
    return saw, "sfdx toolbelt", "logged in, queried, showed its token"


def simple_salesforce_login(world: World):
    for domain, client_id in (("acme.my", EXTERNAL_CLIENT_APP), ("login", CONNECTED_APP)):
        saw = world.party(
            "simple_salesforce_login.py",
            client_id=client_id,
            username=USERNAME,
            key_file=str(world.key),
            domain=domain,
            api_version=API_VERSION,
            soql=SOQL,
        )
        expect(saw["instance"], "acme.my.salesforce.com")
        expect_rows(saw["records"], world.rows())
    expect_in("login.salesforce.com:443", world.proxy.hosts)
    return saw, "python-requests/", "logged in at My Domain and at login.salesforce.com, queried"


def jsforce_login(world: World):
    saw = world.party(
        "jsforce_login.mjs",
        modules=str(MODULES),
        url=MY_DOMAIN,
        client_id=EXTERNAL_CLIENT_APP,
        username=USERNAME,
        key_file=str(world.key),
        api_version=API_VERSION,
        soql=SOQL,
    )
    expect(saw["instance_url"], MY_DOMAIN)
    expect_rows(saw["records"], world.rows())
    return saw, "undici", "logged in, queried"


def printed_token(world: World) -> dict:
    token = json.loads(world.sfmint("token", "--format", "json"))
    expect(token["instance_url"], MY_DOMAIN)
    expect(token["username"], USERNAME)
    return token


def simple_salesforce_token(world: World):
    saw = world.party("simple_salesforce_token.py", token=printed_token(world), api_version=API_VERSION, soql=SOQL)
    expect(saw["instance"], "acme.my.salesforce.com")
    expect_rows(saw["records"], world.rows())
    return saw, "python-requests/", "used our token"


def jsforce_token(world: World):
    token = printed_token(world)
    saw = world.party("jsforce_token.mjs", modules=str(MODULES), token=token, api_version=API_VERSION, soql=SOQL)
    expect(saw["username"], USERNAME)
    expect(saw["org_id"], token["org_id"])
    expect_rows(saw["records"], world.rows())
    return saw, "undici", "used our token"


def judge_claims(claims: dict, received_at: float, audience: str):
    expect(claims["iss"], EXTERNAL_CLIENT_APP)
    expect(claims["sub"], USERNAME)
    expect(claims["aud"], audience)
    life = claims["exp"] - received_at
    if not (isinstance(claims["exp"], int) and 60 < life <= 180):
        raise AssertionError(f"exp {claims['exp']} is {life} s after the assertion arrived; Salesforce says 180 at most")


def pyjwt_verifies(world: World):
    for audience in (None, "https://login.salesforce.com"):
        assertion, received_at, wanted = world.assertion(audience)
        saw = world.party(
            "pyjwt_verifies.py",
            assertion=assertion,
            certificate_file=str(world.certificate),
            audience=wanted,
            issuer=EXTERNAL_CLIENT_APP,
        )
        expect(saw["header"]["alg"], "RS256")
        expect(saw["verified_when_bent"], False)
        judge_claims(saw["claims"], received_at, wanted)
    return saw, None, "verified two assertions by the certificate"


def node_crypto_verifies(world: World):
    assertion, received_at, audience = world.assertion()
    saw = world.party("node_crypto_verifies.mjs", assertion=assertion, certificate_file=str(world.certificate))
    expect((saw["parts"], saw["canonical"]), (3, True))
    expect((saw["verified"], saw["verified_when_bent"]), (True, False))
    expect(saw["header"]["alg"], "RS256")
    judge_claims(saw["claims"], received_at, audience)
    return saw, None, "verified an assertion by the certificate"


def pyjwt_forges(world: World):
    saw = world.party(
        "pyjwt_forges.py",
        url=world.org.url,
        audience=world.org.url,
        client_id=EXTERNAL_CLIENT_APP,
        username=USERNAME,
        foreign_username=FOREIGN_USERNAME,
        key_file=str(world.key),
        certificate_file=str(world.certificate),
    )
    expect(saw["honest"], {"status": 200, "has_token": True})
    expect(sorted(saw["forged"]), sorted(FORGERIES))
    for name, answer in saw["forged"].items():
        error, description = WORDS.get(FORGERIES[name], INVALID_ASSERTION)
        expect((name, answer), (name, {"status": 400, "error": error, "error_description": description}))
    # The sender is told little, so that it cannot feel its way; the log says what each forgery fell over.
    logged = [entry["why"] for entry in world.org.log()[-len(FORGERIES) :]]
    expect(dict(zip(saw["forged"], logged, strict=True)), FORGERIES)
    return saw, "PyJWT/", f"{len(saw['forged'])} forgeries refused, the honest one accepted"


JUDGES = [
    salesforce_cli,
    simple_salesforce_login,
    jsforce_login,
    simple_salesforce_token,
    jsforce_token,
    pyjwt_verifies,
    node_crypto_verifies,
    pyjwt_forges,
]


def run(world: World) -> bool:
    ran = passed = 0
    for judge in JUDGES:
        began, seen_before = time.monotonic(), len(world.org.log())
        name = judge.__name__.replace("_", " ")
        try:
            saw, user_agent, remark = judge(world)
            ran += 1
            if user_agent:
                agents = {entry["user_agent"] or "" for entry in world.org.log()[seen_before:]}
                if not any(user_agent in agent for agent in agents):
                    raise AssertionError(f"the org saw {agents}, not {user_agent!r}")
            passed += 1
            print(f"ok      {name}: {remark} ({saw['party']} {saw['version']}, {time.monotonic() - began:.1f} s)")
        except Exception:
            print(f"FAILED  {name}\n{traceback.format_exc()}")
        sys.stdout.flush()
    print(f"interop: {ran} of {len(JUDGES)} parties ran, {passed} passed")
    return passed == len(JUDGES)


def main() -> int:
    binary = Path(os.environ["SFMINT_BINARY"]).resolve()
    with tempfile.TemporaryDirectory(prefix="interop.") as name:
        folder = Path(name)
        key, certificate = make_key(binary, folder)
        with Org(binary, folder, certificate) as org, ConnectProxy(folder, org.port) as proxy:
            return 0 if run(World(folder, binary, org, proxy, key, certificate)) else 1


if __name__ == "__main__":
    sys.exit(main())
