"""Measures sfmint beside what people use today, in one run, in ABAB order, and prints medians and ratios.

    tests/run --only release,interop      (builds the binary and installs the others)
    cargo build --release --target x86_64-unknown-linux-gnu --no-default-features --example sign_rate
    tests/interop/.tools/python/bin/python benches/speed/compare.py
                                          (prints a Markdown report; --raw FILE keeps every sample)

SFMINT_BINARY names the binary, SIGN_RATE_BINARY the example where it is not beside it. Nothing here is a test: a noisy
machine makes no build red. Times are whole processes by the wall clock, memory is the peak resident set, both taken by
`once.c`. Every mint goes to the built-in org on loopback.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
INTEROP = ROOT / "tests" / "interop"
TOOLS = INTEROP / ".tools"
sys.path.insert(0, str(INTEROP))

from connect_proxy import ConnectProxy  # noqa: E402
from org import API_VERSION, EXTERNAL_CLIENT_APP, MY_DOMAIN, USERNAME, Org, make_key  # noqa: E402


class Sample:
    """One command, run again and again."""

    def __init__(self, once, name, argv, environment, runs):
        self.name, self.environment, self.runs = name, environment, runs
        self.argv = [str(word) for word in (once, *argv)]
        self.seconds, self.kibibytes = [], []

    def run(self):
        ran = subprocess.run(self.argv, env=self.environment, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(f"{self.name}: {' '.join(self.argv)} failed\n{ran.stderr}")
        seconds, kibibytes = ran.stdout.split()
        self.seconds.append(float(seconds))
        self.kibibytes.append(int(kibibytes))

    @property
    def median(self):
        return statistics.median(self.seconds)


def side_by_side(*samples):
    """ABAB: every turn runs each command once, so that a slow moment of the machine meets them all."""
    for sample in samples:
        sample.run()
        sample.seconds.clear()
        sample.kibibytes.clear()
    for turn in range(max(sample.runs for sample in samples)):
        for sample in samples:
            if turn < sample.runs:
                sample.run()
    return samples


def table(samples, base):
    lines = ["| command | median | lowest | highest | n | peak memory | ratio |", "|---|---|---|---|---|---|---|"]
    for sample in samples:
        ratio = "1" if sample is base else f"{sample.median / base.median:.2f}"
        lines.append(
            f"| {sample.name} | {sample.median * 1000:.2f} ms | {min(sample.seconds) * 1000:.2f} ms "
            f"| {max(sample.seconds) * 1000:.2f} ms | {len(sample.seconds)} "
            f"| {statistics.median(sample.kibibytes) / 1024:.1f} MiB | {ratio} |"
        )
    return "\n".join(lines)


def said(*argv, environment=None):
    return subprocess.run(
        [str(word) for word in argv], env=environment, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout.strip()


def signatures(sign_rate, turns):
    """Signatures per second on one core, openssl and sfmint in turn, three seconds each."""
    openssl, ours = [], []
    for _ in range(turns):
        spoken = said("openssl", "speed", "-mr", "-seconds", "3", "rsa2048")
        # +F2:3:2048:sign:verify, in OpenSSL 3 signatures a second, before it seconds a signature.
        match = re.search(r"\+F2:\d+:2048:([\d.]+)", spoken)
        rate = float(match.group(1))
        openssl.append(rate if rate > 1 else 1 / rate)
        rows = [json.loads(line) for line in said(sign_rate, "2048", "3").splitlines()]
        ours.append({row["what"]: row["per_second"] for row in rows})
    base = statistics.median(openssl)
    lines = [f"| what | per second, median of {turns} | of openssl |", "|---|---|---|", f"| `openssl speed rsa2048` | {base:.0f} | 1 |"]
    for what in ours[0]:
        rate = statistics.median(row[what] for row in ours)
        lines.append(f"| sfmint {what} | {rate:.0f} | {rate / base:.2f} |")
    return "\n".join(lines), {"openssl": openssl, "sfmint": ours}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--raw", type=Path, help="write every sample as JSON")
    arguments.add_argument("--runs", type=int, default=40)
    arguments.add_argument("--turns", type=int, default=5, help="of three seconds, for signatures")
    options = arguments.parse_args()
    default = ROOT / "target" / "x86_64-unknown-linux-gnu" / "release" / "sfmint"
    binary = Path(os.environ.get("SFMINT_BINARY", default))
    sign_rate = Path(os.environ.get("SIGN_RATE_BINARY", binary.parent / "examples" / "sign_rate"))
    sf = TOOLS / "node" / "node_modules" / ".bin" / "sf"
    python = TOOLS / "python" / "bin" / "python"
    for needed in (binary, sign_rate, sf, python):
        if not needed.is_file():
            sys.exit(f"{needed} is missing; the head of this file names the commands that make it")
    raw = {}

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty, once = folder / "empty", folder / "once"
        for built in (empty, once):
            subprocess.run(["cc", "-O2", "-static", "-o", built, HERE / f"{built.name}.c"], check=True)
        key, certificate = make_key(binary, folder)
        with Org(binary, folder, certificate) as org, ConnectProxy(folder, org.port) as proxy:
            theirs = {**clients(folder), "HTTPS_PROXY": proxy.url, "REQUESTS_CA_BUNDLE": str(proxy.bundle), "NODE_EXTRA_CA_CERTS": str(proxy.bundle)}
            config = folder / "kept"
            config.mkdir()
            toml = (
                f'[defaults]\nmint_budget_per_hour = 3600\n[connections.acme]\nlogin_url = "{org.url}"\n'
                f'client_id = "{EXTERNAL_CLIENT_APP}"\nusername = "{USERNAME}"\n'
                f'key = {{ file = "{key}" }}\ncertificate = "{certificate}"\nsession_timeout_seconds = 7200\n'
            )
            (config / "sfmint.toml").write_text(toml)
            files = {"PATH": os.environ["PATH"], "HOME": str(folder), "SFMINT_STATE_DIR": str(folder / "state")}
            from_file = [binary, "--config", config / "sfmint.toml", "token"]

            facts = {
                "client_id": EXTERNAL_CLIENT_APP,
                "username": USERNAME,
                "key_file": str(key),
                "domain": MY_DOMAIN.removeprefix("https://").removesuffix(".salesforce.com"),
                "api_version": API_VERSION,
                "soql": "SELECT Id FROM Account LIMIT 1",
            }
            said(
                sf, "org", "login", "jwt", "--username", USERNAME, "--jwt-key-file", key, "--client-id",
                EXTERNAL_CLIENT_APP, "--instance-url", MY_DOMAIN, "--json", environment=theirs,
            )  # fmt: skip

            print(f"## {time.strftime('%Y-%m-%d', time.gmtime())}\n")
            versions = [
                said(binary, "--version"),
                said("openssl", "version"),
                said("curl", "--version").splitlines()[0].split(" (")[0],
                said(sf, "--version", environment=theirs).split()[0],
                "simple-salesforce " + said(python, "-c", "from importlib.metadata import version; print(version('simple-salesforce'))"),
                f"Python {said(python, '-c', 'import platform; print(platform.python_version())')}",
            ]
            print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}. " + "; ".join(versions) + ".\n")

            kept = side_by_side(
                Sample(once, "an empty process", [empty], files, options.runs * 5),
                Sample(once, "`sfmint token`, kept", from_file, files, options.runs * 5),
                Sample(once, "`sf org auth show-access-token`", [sf, "org", "auth", "show-access-token", "--target-org", USERNAME, "--json"], theirs, max(20, options.runs // 2)),
                Sample(once, "a simple-salesforce script", [python, INTEROP / "parties" / "simple_salesforce_login.py", json.dumps(facts)], theirs, max(20, options.runs // 2)),
            )
            print("### A token that is kept\n\n" + table(kept, kept[1]) + "\n")
            print(f"Above an empty process: {(kept[1].median - kept[0].median) * 1000:.2f} ms.\n")

            fresh = side_by_side(
                Sample(once, "`openssl` and `curl`", [HERE / "mint.sh", org.url, EXTERNAL_CLIENT_APP, USERNAME, key], files, options.runs),
                Sample(once, "`sfmint token --fresh`", [*from_file, "--fresh"], files, options.runs),
            )
            print("### A new token, its row in the store included\n\n" + table(fresh, fresh[0]) + "\n")

            rates, raw["signatures"] = signatures(sign_rate, options.turns)
            print("### Signatures, RSA 2048, one core\n\n" + rates + "\n")
            for sample in (*kept, *fresh):
                raw[sample.name] = {"seconds": sample.seconds, "kibibytes": sample.kibibytes}
    if options.raw:
        options.raw.write_text(json.dumps(raw, indent=1))


def clients(folder):
    """The environment of the other clients: Node 22 first, a home of their own, nothing phoned home."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    node22 = TOOLS / "node" / "node_modules" / f"node-linux-{'arm64' if platform.machine() == 'aarch64' else 'x64'}" / "bin"
    return {
        "HOME": str(home),
        "PATH": f"{node22}:{os.environ['PATH']}",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_DISABLE_AUTOUPDATE": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_DISABLE_DNS_CHECK": "true",
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
        "SF_CONTENT_TYPE": "JSON",
        "NO_COLOR": "1",
    }


if __name__ == "__main__":
    main()
