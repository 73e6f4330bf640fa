"""A machine of its own, started by a real systemd, that costs a second.

systemd runs as process 1 of fresh namespaces over an overlay of this machine's files: what is installed here is seen
there, nothing that is written there stays. Its network is a loopback of its own. Needs root.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

# Units that want hardware, a terminal or a log-in; none of them is asked for here.
MASKED = """
systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket
systemd-timesyncd.service systemd-logind.service systemd-networkd.service systemd-resolved.service
systemd-remount-fs.service systemd-modules-load.service systemd-sysctl.service systemd-random-seed.service
systemd-update-utmp.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount console-getty.service
getty@.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount
sys-kernel-config.mount sys-fs-fuse-connections.mount
""".split()

# What process 1 does before it becomes systemd. $1: a scratch folder, $2: the tree that is laid over `/`.
FIRST_PROCESS = r"""
set -eu
mount --make-rprivate /
ip link set lo up
hostname berth-test
mount -t tmpfs -o mode=755 scratch "$1"
mkdir "$1/upper" "$1/work" "$1/root"
new=$1/root
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$new"
mount -t proc proc "$new/proc"
mount --rbind /dev "$new/dev"
mount -t sysfs -o ro sysfs "$new/sys"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
mount -t tmpfs -o mode=755 run "$new/run"
units=$new/etc/systemd/system
rm -rf "$units"/*.wants "$units"/*.requires
for unit in $3; do ln -sf /dev/null "$units/$unit"; done
# The usual rule for /tmp empties it at start, and hides what this checkout may keep there.
mkdir -p "$new/etc/tmpfiles.d"
ln -sf /dev/null "$new/etc/tmpfiles.d/tmp.conf"
: >"$new/etc/fstab"
echo 00000000000000000000000000000001 >"$new/etc/machine-id"
printf '[Unit]\nRequires=basic.target dbus.socket\nAfter=basic.target dbus.socket\nAllowIsolate=yes\n' >"$units/test.target"
cp -a "$2/." "$new"
cd "$new"
mkdir .old
pivot_root . .old
umount -l .old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=berth-test \
    /lib/systemd/systemd --system --unit=test.target --log-target=journal --show-status=false
"""


class CannotStart(Exception):
    """This host cannot start such a machine; the text says why."""


class Machine:
    """Used with `with`; stopped, and its control group removed, when that ends."""

    def __init__(self, folder: Path, tree: Path):
        self.folder, self.tree = folder, tree
        self.init = self.starter = self.group = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def run(self, *command: str, user: str = "", check: bool = False, timeout: float = 60):
        """A command inside, as root or as `user`: its completed process, with text of both streams."""
        if user:
            command = ("runuser", "-u", user, "--", *command)
        inside = ("nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", "-C", "--", *command)
        done = subprocess.run(inside, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def path(self, inside: str) -> Path:
        """A file of the machine, as this process sees it."""
        return Path(f"/proc/{self.init}/root") / inside.lstrip("/")

    def _start(self):
        if os.geteuid() != 0:
            raise CannotStart("only root can")
        for program in ("unshare", "nsenter", "runuser", "ip"):
            if not shutil.which(program):
                raise CannotStart(f"{program} is not installed")
        if not Path("/lib/systemd/systemd").exists():
            raise CannotStart("systemd is not installed")
        mounted = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        groups = next((fields[1] for fields in mounted if fields[2] == "cgroup2"), None)
        if not groups:
            raise CannotStart("no cgroup2 file system is mounted")
        try:
            self.group = Path(groups) / f"berth-test-{os.getpid()}"
            self.group.mkdir()
        except OSError as error:
            self.group = None
            raise CannotStart(f"no control group can be made: {error}") from None
        scratch = self.folder / "machine"
        scratch.mkdir()
        console = open(self.folder / "console", "wb")
        # The starter is in its group before it makes namespaces: the new process 1 takes that group for the top one.
        enter = 'echo 0 >"$0/cgroup.procs" && exec "$@"'
        self.starter = subprocess.Popen(
            ["bash", "-c", enter, str(self.group),
             "unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--net",
             "bash", "-c", FIRST_PROCESS, "first", str(scratch), str(self.tree), " ".join(MASKED)],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        if not self._until(20, self._find_init):
            raise CannotStart(f"namespaces or overlay are not to be had: {self._console()}")
        if not self._until(60, lambda: self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")):
            raise CannotStart(f"systemd did not come up: {self._console()}")

    def _find_init(self):
        if self.starter.poll() is not None:
            raise CannotStart(f"namespaces or overlay are not to be had: {self._console()}")
        for child in _children(self.starter.pid):
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                self.init = child
        return self.init

    def _console(self) -> str:
        return (self.folder / "console").read_text(errors="replace").strip()[-500:]

    def _stop(self):
        if self.init:
            try:
                os.kill(self.init, signal.SIGRTMIN + 4)  # systemd's "power off"
                self.starter.wait(timeout=20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        if self.starter and self.starter.poll() is None:
            self.starter.kill()  # --kill-child takes the machine with it
            self.starter.wait()
        if self.group:
            self._until(10, self._remove_group)

    def _remove_group(self):
        for folder, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        return not self.group.exists()

    @staticmethod
    def _until(seconds: float, condition) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.02)
        return False


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []
