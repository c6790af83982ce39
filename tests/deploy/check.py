"""Reads the Kubernetes examples as a cluster would, and holds every example against the exit codes sfmint has.

    check.py FOLDER    the folder `deploy`; needs kubernetes-validate
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml

# docs/reference/exit-codes.md: who acts.
TRY_AGAIN = {75}
NEEDS_A_PERSON = {65, 70, 74, 77, 78}


def documents(path):
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def is_valid(path):
    """Against the schema of the newest Kubernetes that the validator knows, and the oldest with podFailurePolicy stable."""
    validator = Path(sys.executable).with_name("kubernetes-validate")
    for version in [[], ["-k", "1.31"]]:
        subprocess.run([validator, "--strict", *version, path], check=True)


def retries_what_may_be_tried_again(cron_job):
    job = cron_job["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert cron_job["spec"]["concurrencyPolicy"] == "Forbid"
    assert pod["restartPolicy"] == "Never", "podFailurePolicy needs it"
    names = {container["name"] for container in pod["containers"]}
    by_action = {}
    for rule in job["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes:
            assert codes["operator"] == "In" and codes["containerName"] in names, rule
            by_action.setdefault(rule["action"], set()).update(codes["values"])
    assert by_action == {"FailJob": NEEDS_A_PERSON, "Count": TRY_AGAIN}, by_action
    assert job["backoffLimit"] > 0


def main(folder):
    for path in sorted(folder.glob("kubernetes/*.yaml")):
        is_valid(path)
        for document in documents(path):
            if document["kind"] == "CronJob":
                retries_what_may_be_tried_again(document)
        print(f"{path}: valid")

    service = (folder / "systemd/sfmint-sync.service").read_text()
    success = {int(code) for line in re.findall(r"^SuccessExitStatus=(.*)$", service, re.M) for code in line.split()}
    assert success == TRY_AGAIN, success

    page = Path("docs/reference/exit-codes.md").read_text()
    for code in TRY_AGAIN | NEEDS_A_PERSON:
        assert re.search(rf"^\| `?{code}`? \|", page, re.M), f"{code} is no exit code of sfmint"

    # Five fields, a user, a command: the form of /etc/cron.d.
    lines = [line for line in (folder / "cron/sfmint-sync").read_text().splitlines() if line and line[0] not in "#"]
    jobs = [line for line in lines if not re.match(r"^[A-Z]+=", line)]
    assert len(jobs) == 1, jobs
    assert re.match(r"^(\S+\s+){5}sfmint\s+sfmint -q .* sync run --due$", jobs[0]), jobs


main(Path(sys.argv[1]))
