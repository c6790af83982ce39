"""The image's file tree under the conditions of a cluster. Runs as root of a private mount namespace: tests/container/run."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))

from connect_proxy import ConnectProxy  # noqa: E402
from org import EXTERNAL_CLIENT_APP, MY_DOMAIN, USERNAME, Org, make_key  # noqa: E402

NONROOT = 65532
ROOTS = "etc/ssl/certs/ca-certificates.crt"
WHOLE_TREE = ["etc/group", "etc/passwd", ROOTS, "sfmint"]
# With one user mapped there is no second uid to run as, and no group to give a file to.
REAL_ROOT = Path("/proc/self/uid_map").read_text().split()[2] != "1"


def mount(*arguments: str):
    subprocess.run(["mount", *arguments], check=True)


class Cell:
    """The tree on a read-only tmpfs, with what a runtime puts into it: secrets, hosts, a volume."""

    def __init__(self, rootfs: Path, folder: Path, key: Path):
        self.root = folder / "cell"
        self.root.mkdir()
        mount("-t", "tmpfs", "-o", "mode=0755,size=256m", "cell", str(self.root))
        shutil.copytree(rootfs, self.root, dirs_exist_ok=True)
        self.volume = self.root / "var/lib/sfmint"
        self.secrets = self.root / "run/secrets"
        for place in (self.volume, self.secrets):
            place.mkdir(parents=True)
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        mount("-t", "tmpfs", "-o", "mode=0755,size=1m", "secrets", str(self.secrets))
        # As Kubernetes mounts a secret: the name is a link into ..data, which is a link to the current folder.
        (self.secrets / "..2026").mkdir()
        (self.secrets / "..data").symlink_to("..2026")
        self.put(self.secrets / "..2026/private.key", key.read_bytes(), 0o440)
        (self.secrets / "private.key").symlink_to("..data/private.key")
        self.put(self.secrets / "open.key", key.read_bytes(), 0o444)
        self.put(self.secrets / "root-group.key", key.read_bytes(), 0o440, group=0)
        mount("-o", "remount,bind,ro", str(self.root))

    def put(self, path: Path, content: bytes, mode: int, group: int = NONROOT):
        path.write_bytes(content)
        path.chmod(mode)
        if REAL_ROOT:
            os.chown(path, 0, group)

    def mount_volume(self):
        owner = f"uid={NONROOT},gid={NONROOT}," if REAL_ROOT else ""
        mount("-t", "tmpfs", "-o", f"{owner}mode=0700,size=8m", "volume", str(self.volume))

    @contextlib.contextmanager
    def instead_of(self, path: str, file: Path):
        """While this lasts, `path` of the tree is another file, as a runtime mounts one."""
        place = self.root / path
        mount("--bind", str(file), str(place))
        try:
            yield
        finally:
            self.unmount(place)

    def unmount(self, place: Path):
        subprocess.run(["umount", str(place)], check=True)

    def command(self, arguments: tuple[str, ...], user: int, group: int) -> list[str]:
        inside = ["unshare", "--pid", "--fork", "--kill-child", "setpriv", "--no-new-privs"]
        if REAL_ROOT:
            inside += ["chroot", f"--userspec=+{user}:+{group}", "--groups=", str(self.root)]
        else:
            inside += ["unshare", "--user", f"--map-user={user}", f"--map-group={group}", f"--root={self.root}"]
        return [*inside, "/sfmint", *arguments]

    def start(self, *arguments: str, env: dict, user: int = NONROOT, group: int = NONROOT) -> subprocess.Popen:
        # Only what a container would have: no HOME, no PATH but the runtime's, nothing of this process.
        path = os.environ["PATH"]
        return subprocess.Popen(
            self.command(arguments, user, group),
            env={"PATH": path, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, env: dict, code: int = 0, **who) -> tuple[str, str]:
        process = self.start(*arguments, env=env, **who)
        out, err = process.communicate(timeout=60)
        if process.returncode != code:
            raise AssertionError(f"{arguments} exited with {process.returncode}, not {code}\n{out}\n{err}")
        return out, err


def first_child(pid: int, deadline: float = 10.0) -> int:
    """The process that `pid` started. Waits until it is there."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError(f"{pid} started nothing")


def terminate_pid_1(process: subprocess.Popen) -> float:
    """SIGTERM to PID 1 of the cell, and the seconds it took to end. A PID 1 without a handler would not even see it."""
    began = time.monotonic()
    os.kill(first_child(process.pid), signal.SIGTERM)
    try:
        process.wait(timeout=10)
    finally:
        # Nothing for one that ended; with the runtime's own process, its whole cell goes.
        process.kill()
    return time.monotonic() - began


class Checks:
    """One method, one check; the name is what is claimed."""

    def __init__(self, cell: Cell, org: Org, proxy: ConnectProxy, key: Path, rootfs: Path, folder: Path):
        self.cell, self.org, self.proxy, self.rootfs, self.folder = cell, org, proxy, rootfs, folder
        self.pem = key.read_text()
        self.env = {
            "SFMINT_STATE_DIR": "/var/lib/sfmint",
            "SFMINT_LOGIN_URL": org.url,
            "SFMINT_CLIENT_ID": EXTERNAL_CLIENT_APP,
            "SFMINT_USERNAME": USERNAME,
            "SFMINT_PRIVATE_KEY_FILE": "/run/secrets/private.key",
        }

    def works(self, token: str):
        request = urllib.request.Request(
            f"{self.org.url}/services/data/v67.0/query?q=SELECT+Id+FROM+Account+LIMIT+1",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["records"], "no rows"

    def refusal(self, *arguments: str, env: dict, code: int) -> dict:
        out, said = self.cell.run(*arguments, "--json", env=env, code=code)
        assert out == "", out
        return json.loads(said.splitlines()[-1])["error"]

    def the_tree_holds_the_binary_the_roots_the_user_and_nothing_else(self):
        found = sorted(str(path.relative_to(self.rootfs)) for path in self.rootfs.rglob("*") if not path.is_dir())
        assert found == WHOLE_TREE, found

    def the_binary_is_static_and_knows_no_path_of_the_build_machine(self):
        binary = (self.rootfs / "sfmint").read_bytes()
        headers, size, count = (int.from_bytes(binary[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
        kinds = {int.from_bytes(binary[at : at + 4], "little") for at in range(headers, headers + size * count, size)}
        assert 3 not in kinds, "the binary asks for a dynamic loader"
        for path in (str(Path(__file__).resolve().parents[2]), os.environ.get("CARGO_HOME") or "/.cargo/registry"):
            assert path.encode() not in binary, f"{path} stands in the binary"

    def a_token_is_minted_without_a_place_to_write_and_that_is_said_once(self):
        token, said = self.cell.run("token", env=self.env)
        self.works(token.strip())
        assert said.count("kept in memory only") == 1, said

    def a_volume_keeps_the_token_for_the_next_process(self):
        self.cell.mount_volume()
        try:
            before = self.org.minted()
            first, _ = self.cell.run("token", "--format", "json", env=self.env)
            second, _ = self.cell.run("token", "--format", "json", env=self.env)
            assert self.org.minted() == before + 1, self.org.minted() - before
            assert (json.loads(first)["source"], json.loads(second)["source"]) == ("minted", "cache")
            assert json.loads(first)["access_token"] == json.loads(second)["access_token"]
        finally:
            self.cell.unmount(self.cell.volume)

    def a_key_in_the_environment_works_with_literal_line_breaks(self):
        env = {name: value for name, value in self.env.items() if name != "SFMINT_PRIVATE_KEY_FILE"}
        token, _ = self.cell.run("token", env={**env, "SFMINT_PRIVATE_KEY": self.pem.replace("\n", "\\n")})
        self.works(token.strip())

    def a_key_that_others_can_read_is_refused_with_the_command_to_run(self):
        env = {**self.env, "SFMINT_PRIVATE_KEY_FILE": "/run/secrets/open.key"}
        out, said = self.cell.run("token", env=env, code=77)
        assert out == "" and "chmod" in said, said

    def a_uid_without_a_name_works(self):
        if not REAL_ROOT:
            return
        env = {**self.env, "SFMINT_PRIVATE_KEY_FILE": "/run/secrets/root-group.key"}
        token, _ = self.cell.run("token", env=env, user=1_000_650_000, group=0)
        self.works(token.strip())

    def the_roots_are_those_of_the_tree(self):
        env = {**self.env, "SFMINT_LOGIN_URL": MY_DOMAIN, "HTTPS_PROXY": self.proxy.url}
        refusal = self.refusal("token", env=env, code=78)
        assert refusal["code"] == "tls.not_trusted", refusal
        with self.cell.instead_of(ROOTS, self.proxy.bundle):
            token, _ = self.cell.run("token", env=env)
        self.works(token.strip())

    def a_tree_without_roots_says_what_to_mount(self):
        # faults A17
        nothing = self.folder / "nothing"
        nothing.touch()
        nothing.chmod(0o644)
        env = {**self.env, "SFMINT_LOGIN_URL": MY_DOMAIN, "HTTPS_PROXY": self.proxy.url}
        with self.cell.instead_of(ROOTS, nothing):
            refusal = self.refusal("token", env=env, code=78)
        assert refusal["code"] == "tls.no_roots" and "/etc/ssl/certs" in refusal["hints"][0], refusal

    def a_login_host_that_is_this_very_machine_is_refused_by_name(self):
        # faults A19
        hosts = self.folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {MY_DOMAIN.removeprefix('https://')}\n")
        hosts.chmod(0o644)
        env = {**self.env, "SFMINT_LOGIN_URL": MY_DOMAIN}
        seen = len(self.org.log())
        with self.cell.instead_of("etc/hosts", hosts):
            refusal = self.refusal("token", env=env, code=78)
        assert refusal["code"] == "dns.foreign_address" and "resolves to 127.0.0.1" in refusal["message"], refusal
        assert len(self.org.log()) == seen

    def doctor_finds_nothing_wrong(self):
        self.cell.run("doctor", env=self.env)

    def exec_runs_its_child_and_exits_as_it_does(self):
        out, _ = self.cell.run("exec", "--", "/sfmint", "--version", env=self.env)
        assert out.startswith("sfmint "), out
        self.cell.run("exec", "--", "/sfmint", "no-such-command", env=self.env, code=2)
        self.cell.run("exec", "--", "/no/such/program", env=self.env, code=127)

    def exec_as_pid_1_hands_the_token_over_and_passes_sigterm_on(self):
        process = self.cell.start("exec", "--", "/sfmint", "emulator", "--listen", "127.0.0.1:0", env=self.env)
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        pid_1 = first_child(process.pid)
        # exec may become its child or stay its parent; either way one process of the cell is the emulator.
        children = Path(f"/proc/{pid_1}/task/{pid_1}/children").read_text().split()
        child = int(children[0]) if children else pid_1
        given = dict(
            line.split("=", 1) for line in Path(f"/proc/{child}/environ").read_text().split("\0") if "=" in line
        )
        self.works(given["SF_ACCESS_TOKEN"])
        assert given["SF_INSTANCE_URL"] == self.org.url and given["SF_USERNAME"] == USERNAME
        for pid in (pid_1, child):
            assert given["SF_ACCESS_TOKEN"] not in Path(f"/proc/{pid}/cmdline").read_text()
        took = terminate_pid_1(process)
        assert took < 5 and process.returncode in (0, 128 + signal.SIGTERM), (took, process.returncode)

    def a_server_as_pid_1_ends_at_sigterm(self):
        process = self.cell.start("emulator", "--listen", "127.0.0.1:0", env={})
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        took = terminate_pid_1(process)
        assert took < 5 and process.returncode in (0, 128 + signal.SIGTERM), (took, process.returncode)


def main() -> int:
    rootfs = Path(sys.argv[1])
    failed = 0
    helpers = ("works", "refusal")
    names = [name for name, value in vars(Checks).items() if callable(value) and not name.startswith("_")]
    names = [name for name in names if name not in helpers]
    with tempfile.TemporaryDirectory(prefix="container.") as name:
        folder = Path(name)
        # The tree must be reachable for uid 65532; what else lies in the folder has its own modes.
        folder.chmod(0o711)
        key, certificate = make_key(rootfs / "sfmint", folder)
        with Org(rootfs / "sfmint", folder, certificate) as org, ConnectProxy(folder, org.port) as proxy:
            cell = Cell(rootfs, folder, key)
            checks = Checks(cell, org, proxy, key, rootfs, folder)
            for claim in names:
                try:
                    getattr(checks, claim)()
                    print(f"ok      {claim.replace('_', ' ')}")
                except Exception:
                    failed += 1
                    print(f"FAILED  {claim.replace('_', ' ')}\n{traceback.format_exc()}")
                sys.stdout.flush()
            cell.unmount(cell.secrets)
            cell.unmount(cell.root)
    print(f"note: {len(names) - failed} of {len(names)} claims hold in a read-only root as uid {NONROOT}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
