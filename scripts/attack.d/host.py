"""The daemon under attack: its configuration, its process, what can be read about it."""
import collections
import glob
import json
import os
import signal
import socket
import subprocess
import time

DAEMON_CPU, CLIENT_CPU = 0, 1


def quoted(text):
    return json.dumps(text)                                  # a JSON string is a TOML basic string


def free_port(start):
    for port in range(start, start + 200):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise SystemExit("no free port from %d on" % start)


def on_client_cpu(command, **options):
    return subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CPU}), **options)


def cpu_seconds(pid):
    """Processor time of a process so far; 0 when it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def busy_seconds():
    """Processor time that the whole machine has spent on something, with what the hypervisor took."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Host:
    """A daemon in its ordinary configuration, on one CPU, with a loop of its own."""

    def __init__(self, binaries, tools, folder):
        self.folder, self.tools = folder, tools
        self.port = free_port(18700)
        self.worker_port = free_port(self.port + 1)
        for name in ("sites.d", "state", "run", "log", "files"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        with open(os.path.join(folder, "files", "big.bin"), "wb") as f:
            f.truncate(64 << 20)
        self._configure(binaries)
        self.worker = on_client_cpu([os.path.join(tools, "backend"), str(self.worker_port)])
        self.output_path = os.path.join(folder, "output.log")
        with open(self.output_path, "wb") as output:
            self.process = subprocess.Popen(
                [os.path.join(binaries, "berthd"), "--config", folder], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, preexec_fn=self._on_its_cpu, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        self._wait_until_ready()

    @staticmethod
    def _on_its_cpu():
        os.sched_setaffinity(0, {DAEMON_CPU})
        try:
            os.nice(-10)
        except OSError:
            pass

    def _configure(self, binaries):
        def write(name, text):
            with open(os.path.join(self.folder, name), "w") as f:
                f.write(text)

        write("berth.toml", "\n".join([
            "schema = 1", "[daemon]", "loops = 1",
            "control_socket = " + quoted(self.folder + "/control.sock"),
            "state_directory = " + quoted(self.folder + "/state"),
            "runtime_directory = " + quoted(self.folder + "/run"),
            "log_directory = " + quoted(self.folder + "/log"), "[timeouts]", 'shutdown_drain = "1s"', ""]))
        module = lambda name: 'hosting = "in-process"\nisolation = "none"\nmodule = ' + quoted(binaries + "/lib%s.so" % name)
        sites = {
            "hello": module("HelloModule"), "echo": module("EchoModule"),
            "files": 'hosting = "static"\nroot = ' + quoted(self.folder + "/files"),
            "worker": 'hosting = "out-of-process"\naddress = "127.0.0.1:%d"' % self.worker_port,
            # Alive, but never listening: every request waits in the pool's queue.
            "stuck": 'hosting = "out-of-process"\nroot = %s\ncommand = ["sleep", "3600"]' % quoted(self.folder),
        }
        for name, application in sites.items():
            write("sites.d/%s.toml" % name, 'schema = 1\n[site]\nbindings = ["http://%s.test:%d/"]\n[[application]]\npath = "/"\n%s\n%s'
                  % (name, self.port, application, "[pool.stuck]\nqueue_length = 100\n" if name == "stuck" else ""))

    def _wait_until_ready(self):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("the daemon did not come up:\n" + self.output())

    def is_running(self):
        return self.process.poll() is None

    def output(self):
        with open(self.output_path, errors="replace") as f:
            return f.read()

    def memory(self):
        """Octets of memory it holds (VmRSS), and the most since `forget_peak` (VmHWM)."""
        values = {}
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                name, _, rest = line.partition(":")
                if name in ("VmRSS", "VmHWM"):
                    values[name] = int(rest.split()[0]) * 1024
        return values["VmRSS"], values["VmHWM"]

    def forget_peak(self):
        with open("/proc/%d/clear_refs" % self.process.pid, "w") as f:
            f.write("5")

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def reasons(self):
        """How often each reason stands in the HTTPERR log."""
        counts = collections.Counter()
        for path in glob.glob(self.folder + "/log/HTTPERR/*.log"):
            with open(path, errors="replace") as f:
                for line in f:
                    if not line.startswith("#"):
                        counts[line.split(" ")[-2]] += 1
        return counts

    def stop(self):
        for process in (self.process, self.worker):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (self.process, self.worker):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
