#!/usr/bin/env python3
"""Runs the attacks of scenarios.py and prints what a well-behaved client noticed. Started by scripts/attack."""
import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from host import Host, busy_seconds, cpu_seconds, on_client_cpu
from scenarios import MIB, SCENARIOS

# The well-behaved client: kept connections, requests a second, and how many of a thousand open a connection of their own.
PROBE = ("hello.test", "/", 8, 1000, 50)


class Probe:
    def __init__(self, host):
        name, target, connections, rate, fresh = PROBE
        self.process = on_client_cpu(
            [os.path.join(host.tools, "probe"), str(host.port), name, target, str(connections), str(rate), str(fresh)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def measure(self, seconds):
        self.process.stdin.write("%g\n" % seconds)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the well-behaved client ended")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Attack:
    def __init__(self, host, scenario, connections):
        self.process = on_client_cpu(
            [os.path.join(host.tools, "attacker"), scenario.kind, str(host.port), scenario.host, str(connections),
             str(scenario.rate)], stdout=subprocess.PIPE, text=True)

    def stands(self):
        """Waits until all attackers have arrived and what they asked for first has been begun."""
        word = self.process.stdout.readline().split()
        if not word or word[0] != "ready":
            raise SystemExit("the attackers did not come up")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.stdout.read()
        self.process.wait(30)
        return json.loads(said)


def settled_memory(host, before, grown):
    """The memory it holds when the attack is over and it had time to give back."""
    end = time.monotonic() + 8
    while True:
        now = host.memory()[0]
        if now <= before + max(MIB, grown // 20) or time.monotonic() > end:
            return now
        time.sleep(0.25)


def run(name, options, limit):
    scenario = SCENARIOS[name]
    # What the daemon and the client itself need stays free.
    connections = min(scenario.connections, limit - 800)
    folder = tempfile.mkdtemp(prefix="berth-attack.")
    host = probe = None
    quiet, onset, loud, attacks, noise = [], [], [], [], []
    before = peak = after = held_memory = 0
    try:
        host = Host(options.bin, options.tools, folder)
        probe = Probe(host)
        probe.measure(1)
        for number in range(options.rounds):
            own = lambda: sum(cpu_seconds(p.pid) for p in (host.process, host.worker, probe.process))
            busy, ours = busy_seconds(), own()
            quiet.append(probe.measure(options.seconds))
            noise.append((busy_seconds() - busy - (own() - ours)) / options.seconds)
            if number == 0:
                before = host.memory()[0]
            host.forget_peak()
            attack = Attack(host, scenario, connections)
            try:
                # The first second belongs to the arrival of the attackers, not to what they do.
                onset.append(probe.measure(1))
                attack.stands()
                loud.append(probe.measure(options.seconds))
                held_memory = max(held_memory, host.memory()[0])
                descriptors = host.descriptors()
            finally:
                attacks.append(attack.end())
            attacks[-1]["descriptors"] = descriptors
            peak = max(peak, host.memory()[1])
            after = settled_memory(host, before, peak - before)
            if not host.is_running():
                break
        time.sleep(1.2)                                       # the HTTPERR log is written once a second
        alive = host.is_running()
        result = {
            "scenario": name, "text": scenario.text, "connections": connections, "rate": scenario.rate, "alive": alive,
            "quiet": quiet, "onset": onset, "attack": loud, "attackers": attacks, "noise_cpus": statistics.median(noise),
            "memory": {"before": before, "held": held_memory, "peak": peak, "after": after},
            "reasons": dict(host.reasons()), "daemon_lines": len(host.output().splitlines()),
        }
    finally:
        for part in (probe, host):
            if part:
                part.stop()
        if options.keep:
            print("kept: " + folder, file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    summarize(result, scenario)
    return result


def summarize(result, scenario):
    median = lambda rounds, key: statistics.median(r[key] for r in rounds)
    for kind in ("quiet", "onset", "attack"):
        for key in ("p50", "p99", "fresh_p99"):
            result["%s_%s" % (kind, key)] = median(result[kind], key)
    result["ratio"] = result["attack_p99"] / max(result["quiet_p99"], 1)
    result["held"] = statistics.median(a["held"] for a in result["attackers"])
    result["errors"] = sum(r["errors"] + r["unanswered"] for r in result["quiet"] + result["onset"] + result["attack"])
    memory, bounds = result["memory"], scenario.bounds
    grown, missed = memory["peak"] - memory["before"], []
    answers = {}
    for attack in result["attackers"]:
        for status, count in attack["answers"].items():
            answers[status] = answers.get(status, 0) + count
    result["answers"] = answers
    if result["held"]:
        result["octets_each"] = (memory["held"] - memory["before"]) / result["held"]
    if not result["alive"]:
        missed.append("the daemon ended")
    if result["errors"]:
        missed.append("%d requests of the well-behaved client failed: %s" % (
            result["errors"], next((r["error"] for r in result["quiet"] + result["onset"] + result["attack"] if r["error"]), "")))
    if scenario.ratio and result["ratio"] > scenario.ratio:
        missed.append("p99 is %.2f times the quiet one, at most %g" % (result["ratio"], scenario.ratio))
    if "held" in bounds and result["held"] < bounds["held"] * result["connections"]:
        missed.append("%d of %d connections held" % (result["held"], result["connections"]))
    if "octets_each" in bounds and result.get("octets_each", 0) > bounds["octets_each"]:
        missed.append("%.0f octets a connection, at most %d" % (result["octets_each"], bounds["octets_each"]))
    if "memory" in bounds and grown > bounds["memory"]:
        missed.append("memory grew by %.1f MiB, at most %.1f" % (grown / MIB, bounds["memory"] / MIB))
    if memory["after"] - memory["before"] > max(4 * MIB, grown // 10, bounds.get("kept", 0)):
        missed.append("%.1f MiB were not given back" % ((memory["after"] - memory["before"]) / MIB))
    for status in bounds.get("answers", []):
        if not answers.get(str(status)):
            missed.append("no answer was %d" % status)
    for reason in bounds.get("reasons", []):
        if not result["reasons"].get(reason):
            missed.append("no %s in the HTTPERR log" % reason)
    result["missed"] = missed


def mib(octets):
    return "%.1f" % (octets / MIB)


def table(results):
    lines = ["| scenario | held | p50 quiet → attack, µs | p99 quiet → attack, µs | ratio | new connection p99, µs | "
             "memory before / peak / after, MiB | answers | HTTPERR |", "|---|--:|--:|--:|--:|--:|--:|---|---|"]
    pairs = lambda counts: ", ".join("%s × %d" % (k, v) for k, v in sorted(counts.items())) or "-"
    for r in results:
        memory = r["memory"]
        lines.append("| `%s` | %d | %d → %d | %d → %d | %.2f | %d → %d | %s / %s / %s | %s | %s |" % (
            r["scenario"], r["held"], r["quiet_p50"], r["attack_p50"], r["quiet_p99"], r["attack_p99"], r["ratio"],
            r["quiet_fresh_p99"], r["attack_fresh_p99"], mib(memory["before"]), mib(memory["peak"]), mib(memory["after"]),
            pairs(r["answers"]), pairs(r["reasons"])))
    return "\n".join(lines)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return {"kernel": platform.release(), "processor": model, "cpus": os.cpu_count(), "date": time.strftime("%Y-%m-%d")}


def main():
    parser = argparse.ArgumentParser(prog="scripts/attack")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--bin")
    parser.add_argument("--tools")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.list:
        for name, s in SCENARIOS.items():
            bounds = ["p99 ≤ %g × quiet" % s.ratio] if s.ratio else []
            print("%-20s %5d connections, %5d/s  %s%s" % (name, s.connections, s.rate, s.text,
                                                        " (%s)" % ", ".join(bounds) if bounds else ""))
        return 0
    for name in options.scenarios:
        if name not in SCENARIOS:
            parser.error("no such scenario: %s (--list names them)" % name)
    import resource
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    results = []
    for name in options.scenarios or SCENARIOS:
        result = run(name, options, limit)
        results.append(result)
        print("%-20s p99 %5d → %5d µs (%.2f), held %d, %.1f MiB at most, others used %.2f CPUs%s" % (
            name, result["quiet_p99"], result["attack_p99"], result["ratio"], result["held"],
            result["memory"]["peak"] / MIB, result["noise_cpus"],
            ": " + "; ".join(result["missed"]) if result["missed"] else ""), file=sys.stderr, flush=True)
    if options.json:
        text = json.dumps({"machine": machine(), "results": results}, indent=1)
        if options.json == "-":
            print(text)
        else:
            with open(options.json, "w") as f:
                f.write(text + "\n")
    if options.json != "-":
        print(table(results))
    missed = [(r["scenario"], m) for r in results for m in r["missed"]]
    for name, what in missed:
        print("missed: %s: %s" % (name, what), file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
