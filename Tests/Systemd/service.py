#!/usr/bin/env python3
"""Berth as a service: what scripts/install puts in place, run by a real systemd on a machine of its own.

usage: service.py CHECKOUT    (with a release build; as root)

Prints a line for each case; the last line is "N passed, N failed". Exit status 1 when one failed; 77, with the reason,
where such a machine cannot be had.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from machine import CannotStart, Machine

WORKER = """
const http = require("http");
http.createServer((request, response) => {
    response.setHeader("Content-Type", "text/plain");
    response.end(`${process.pid} ${process.getuid()}\\n`);
}).listen(process.env.PORT, "127.0.0.1", () => console.log("the worker listens"));
"""

FILES_SITE = """
schema = 1

[site]
bindings = ["http://*:80/"]

[[application]]
path    = "/"
hosting = "static"
root    = "/srv/www"

[[application]]
path    = "/worker"
hosting = "out-of-process"
root    = "/srv/worker"
command = ["node", "worker.js"]
"""

OTHER_SITE = """
schema = 1

[site]
bindings = ["http://other.example:80/"]

[[application]]
hosting = "static"
root    = "/srv/www"
"""


def tree(folder: Path, checkout: Path) -> Path:
    """What is laid over the machine's files: the installation, a static site, an application in Node."""
    top = folder / "tree"
    subprocess.run([checkout / "scripts/install", "--skip-build", "--root", top], check=True, stdout=subprocess.DEVNULL)
    for name, text in {
        "srv/www/index.html": "a page\n",
        "srv/worker/worker.js": WORKER,
        "etc/berth/sites.d/one.toml": FILES_SITE,
    }.items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return top


class Service:
    """The cases, in their order; each goes on where the one before it ended."""

    def __init__(self, machine: Machine):
        self.machine = machine

    # ---- what they ask

    def get(self, path: str, host: str = "localhost") -> tuple[int, str]:
        """Status and content of an answer; (0, what curl says) without one."""
        done = self.machine.run(
            "curl", "-sS", "--max-time", "30", "-H", f"Host: {host}", "-w", "\n%{http_code}", f"http://127.0.0.1{path}")
        if done.returncode:
            return 0, done.stderr.strip()
        content, _, status = done.stdout.rpartition("\n")
        return int(status), content

    def property(self, name: str, unit: str = "berth.service") -> str:
        return self.machine.run("systemctl", "show", "--value", "-p", name, unit, check=True).stdout.strip()

    def until(self, what: str, condition, seconds: float = 30):
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
            time.sleep(0.05)
        return found

    def worker(self) -> tuple[str, str]:
        """Process and user number of the worker that answers."""
        status, text = self.get("/worker/")
        assert status == 200, f"/worker/ is answered {status} {text}"
        pid, user = text.split()
        return pid, user

    def site_file(self, name: str, text: str):
        self.machine.path(f"/etc/berth/sites.d/{name}.toml").write_text(text)

    # ---- the cases

    def it_starts_and_is_ready(self):
        """the installed units start; the service is ready when its bindings answer"""
        self.machine.run("systemd-sysusers", check=True)
        self.machine.run("systemctl", "start", "berth.service", check=True)
        assert self.property("ActiveState") == "active"
        assert self.get("/") == (200, "a page\n"), self.get("/")
        assert self.property("StatusText"), "no STATUS= was said"

    def it_runs_as_its_own_user(self):
        """daemon and worker run as the user berth, which owns nothing of the configuration"""
        number = self.machine.run("id", "-u", "berth", check=True).stdout.strip()
        _, user = self.worker()
        assert user == number, f"the worker's user is {user}, berth is {number}"
        pid = self.property("MainPID")
        owner = self.machine.run("stat", "-c", "%u", f"/proc/{pid}", check=True).stdout.strip()
        assert owner == number, f"the daemon's user is {owner}"

    def systemd_holds_the_ports(self):
        """the daemon took the sockets that systemd opened, and opened none itself"""
        status = json.loads(self.machine.run(
            "curl", "-sS", "--unix-socket", "/run/berth/control.sock", "http://localhost/v1/info", check=True).stdout)
        origins = {endpoint["address"]: endpoint["origin"] for endpoint in status["endpoints"]}
        assert origins and set(origins.values()) == {"systemd"}, origins
        listeners = self.machine.run("ss", "-ltn", "sport = :80", check=True).stdout.splitlines()[1:]
        assert len(listeners) == 1, listeners

    def strangers_cannot_administer(self):
        """the control socket is for root and the daemon's user and group"""
        assert self.machine.run("berthctl", "status").returncode == 0
        assert self.machine.run("/usr/local/bin/berthctl", "status", user="berth").returncode == 0
        stranger = self.machine.run("/usr/local/bin/berthctl", "status", user="nobody")
        assert stranger.returncode == 4, f"{stranger.returncode}: {stranger.stdout}{stranger.stderr}"

    def the_journal_has_the_workers_words(self):
        """what a worker prints is in the journal"""
        self.until("the worker's line", lambda: "the worker listens" in self.machine.run(
            "journalctl", "--no-pager", "-u", "berth.service").stdout)

    def reload_tells_the_truth(self):
        """systemctl reload takes a new site; with a broken file it fails, says why, and costs that site only"""
        self.site_file("two", OTHER_SITE)
        self.machine.run("systemctl", "reload", "berth.service", check=True)
        self.until("the new site", lambda: self.get("/", "other.example") == (200, "a page\n"))
        self.site_file("three", "schema = 1\n[site]\nbindigs = []\n")
        reload = self.machine.run("systemctl", "reload", "berth.service")
        assert reload.returncode != 0, "a reload with a broken file says that all is well"
        said = self.machine.run("journalctl", "--no-pager", "-u", "berth.service").stdout
        assert "three.toml:3:1" in said, said[-800:]
        assert self.get("/")[0] == 200 and self.get("/", "other.example")[0] == 200
        assert self.property("ActiveState") == "active"
        self.machine.path("/etc/berth/sites.d/three.toml").unlink()
        self.machine.run("systemctl", "reload", "berth.service", check=True)

    def a_crashed_worker_is_replaced(self):
        """after a worker is killed, the next request is answered by a new one"""
        before, _ = self.worker()
        self.machine.run("kill", "-KILL", before, check=True)
        after, _ = self.worker()
        assert before != after

    def a_restart_refuses_nobody(self):
        """no connection is refused and no request lost while the daemon restarts four times"""
        answers, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                answers.append(self.get("/"))

        # Some of them connect just before the end, and have sent nothing yet when it comes.
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        before = self.property("MainPID")
        try:
            for _ in range(4):
                self.machine.run("systemctl", "restart", "berth.service", check=True)
                count = len(answers)
                self.until("answers after the restart", lambda: len(answers) > count + 8)
            self.machine.run("systemctl", "reset-failed", "berth.service", check=True)  # starts may be counted anew
        finally:
            stop.set()
            for client in clients:
                client.join()
        assert self.property("MainPID") != before
        wrong = [answer for answer in answers if answer != (200, "a page\n")]
        assert not wrong, f"{len(wrong)} of {len(answers)}: {wrong[:3]}"

    def a_killed_daemon_comes_back(self):
        """after SIGKILL systemd starts it again; its workers ended with it"""
        worker, _ = self.worker()
        before = self.property("MainPID")
        self.machine.run("kill", "-KILL", before, check=True)
        assert self.get("/") == (200, "a page\n"), "the port is held by systemd: the request waits"
        self.until("a new process", lambda: self.property("MainPID") not in ("0", before))
        self.until("the old worker's end", lambda: not self.machine.path(f"/proc/{worker}").exists())
        assert self.worker()[0] != worker

    def a_narrower_sandbox_serves_files_too(self):
        """files are served where the sandbox forbids openat2, and nothing outside their folder is"""
        folder = self.machine.path("/etc/systemd/system/berth.service.d")
        folder.mkdir()
        (folder / "narrow.conf").write_text("[Service]\nRestrictSUIDSGID=true\n")
        self.machine.path("/srv/www/out.html").symlink_to("/etc/passwd")
        self.machine.path("/srv/www/a/b").mkdir(parents=True)
        self.machine.path("/srv/www/a/b/deep.html").write_text("deep\n")
        self.machine.run("systemctl", "daemon-reload", check=True)
        self.machine.run("systemctl", "restart", "berth.service", check=True)
        assert self.get("/") == (200, "a page\n"), self.get("/")
        assert self.get("/a/b/deep.html") == (200, "deep\n"), self.get("/a/b/deep.html")
        assert self.get("/a/b/none.html")[0] == 404
        assert self.get("/out.html")[0] == 404
        shutil.rmtree(folder)
        self.machine.run("systemctl", "daemon-reload", check=True)
        self.machine.run("systemctl", "restart", "berth.service", check=True)
        assert self.get("/a/b/deep.html") == (200, "deep\n"), self.get("/a/b/deep.html")
        assert self.get("/out.html")[0] == 404

    def its_watchdog_is_fed(self):
        """the unit's watchdog is on, and fed"""
        first = self.property("WatchdogTimestampMonotonic")
        assert first not in ("", "0"), "nothing was ever sent"
        self.until("the next sign of life", lambda: self.property("WatchdogTimestampMonotonic") != first, 40)

    def it_stops_and_leaves_nothing(self):
        """systemctl stop ends daemon and workers; a connection afterwards starts them again"""
        worker, _ = self.worker()
        self.machine.run("systemctl", "stop", "berth.service", check=True)
        assert self.property("Result") == "success", self.property("Result")
        assert not self.machine.path(f"/proc/{worker}").exists(), "the worker is left"
        self.machine.run("systemctl", "start", "berth.socket", "berth-control.socket", check=True)
        assert self.property("ActiveState") == "inactive"
        assert self.get("/") == (200, "a page\n"), "the socket starts the service"
        assert self.property("ActiveState") in ("active", "activating")

    def it_serves_no_site_at_all(self):
        """without a site it starts too, and says so"""
        for file in self.machine.path("/etc/berth/sites.d").glob("*.toml"):
            file.unlink()
        self.machine.run("systemctl", "restart", "berth.service", check=True)
        assert self.property("ActiveState") == "active"
        status = json.loads(self.machine.run("berthctl", "--json", "status", check=True).stdout)
        assert status, "no status"
        assert self.get("/")[0] in (400, 404, 503), self.get("/")

    CASES = [
        it_starts_and_is_ready, it_runs_as_its_own_user, systemd_holds_the_ports, strangers_cannot_administer,
        the_journal_has_the_workers_words, reload_tells_the_truth, a_crashed_worker_is_replaced,
        a_restart_refuses_nobody, a_killed_daemon_comes_back, a_narrower_sandbox_serves_files_too, its_watchdog_is_fed,
        it_stops_and_leaves_nothing, it_serves_no_site_at_all,
    ]


def main() -> int:
    checkout = Path(sys.argv[1]).resolve()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="berth-systemd.") as name:
        folder = Path(name)
        if not shutil.which("node"):
            raise CannotStart("node is not installed")
        with Machine(folder, tree(folder, checkout)) as machine:
            service = Service(machine)
            for case in Service.CASES:
                try:
                    case(service)
                    passed += 1
                    print(f"ok    {case.__doc__}", flush=True)
                except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as error:
                    failed += 1
                    print(f"FAIL  {case.__doc__}\n      {error}", flush=True)
            if failed:
                print(machine.run("journalctl", "--no-pager", "-n", "60", "-u", "berth.service").stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotStart as error:
        print(f"no machine with a systemd of its own can be started here: {error}")
        sys.exit(77)
