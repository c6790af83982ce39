"""The built-in org for the judges: one process of `sfmint emulator`, with an app, a user and a key made by sfmint."""

import json
import subprocess
import urllib.request
from pathlib import Path

MY_DOMAIN = "https://acme.my.salesforce.com"
API_VERSION = "67.0"
USERNAME = "integration@acme.example"
FOREIGN_USERNAME = "somebody@other.example"
EXTERNAL_CLIENT_APP = "3MVG9sfmint.interop.ExternalClientApp"
CONNECTED_APP = "3MVG9sfmint.interop.ConnectedApp"

ORG = """\
name = "Acme"

[rules]
my_domain = "{my_domain}"
{apps}
[[users]]
username = "{username}"
permission_sets = ["sfmint_integration"]
"""

APP = """\
[[apps]]
name = "{name}"
kind = "{kind}"
consumer_key = "{consumer_key}"
permission_sets = ["sfmint_integration"]
certificate = '''
{certificate}'''
"""


def make_key(binary: Path, folder: Path) -> tuple[Path, Path]:
    """Key and certificate, made by sfmint as a user makes them."""
    desk = folder / "desk"
    desk.mkdir()
    subprocess.run(
        [str(binary), "init", "acme", "--yes"],
        cwd=desk,
        stdin=subprocess.DEVNULL,
        check=True,
        capture_output=True,
        timeout=60,
    )
    made = desk / "config" / "certs" / "acme"
    return made / "current.key", made / "current.crt"


class Org:
    """`with Org(binary, folder, certificate) as org:` gives `org.url`, `org.port` and `org.log()`."""

    def __init__(self, binary: Path, folder: Path, certificate: Path):
        self._binary = binary
        self._errors = folder / "org.stderr"
        self._description = folder / "org.toml"
        pem = certificate.read_text()
        apps = [
            APP.format(name="External", kind="external_client_app", consumer_key=EXTERNAL_CLIENT_APP, certificate=pem),
            APP.format(name="Connected", kind="connected_app", consumer_key=CONNECTED_APP, certificate=pem),
        ]
        host = MY_DOMAIN.removeprefix("https://")
        self._description.write_text(ORG.format(my_domain=host, apps="\n".join(apps), username=USERNAME))

    def __enter__(self):
        self._process = subprocess.Popen(
            [self._binary, "emulator", "--listen", "127.0.0.1:0", "--config", self._description],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors.open("w"),
            text=True,
        )
        self.url = self._process.stdout.readline().strip()
        if not self.url.startswith("http://127.0.0.1:"):
            raise RuntimeError(f"sfmint emulator said {self.url!r} first\n{self._errors.read_text()}")
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=10)

    def minted(self) -> int:
        """How many tokens the org has given out."""
        return sum(self._show("counters")["mints"].values())

    def log(self) -> list[dict]:
        """Every request so far, as the org saw it."""
        return self._show("log")

    def _show(self, what: str):
        with urllib.request.urlopen(f"{self.url}/_emulator/{what}", timeout=10) as answer:
            return json.load(answer)
