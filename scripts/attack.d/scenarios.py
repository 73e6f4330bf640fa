"""The attacks: who does what to whom, and what must hold."""


class Scenario:
    def __init__(self, text, kind, host, connections, rate, ratio=None, **bounds):
        self.text, self.kind, self.host = text, kind, host
        self.connections, self.rate = connections, rate
        # The well-behaved client's p99 under attack, as a multiple of its quiet one; None: told, not judged.
        self.ratio = ratio
        # held: connections that must stand, as a share. octets_each: memory of one. reasons: HTTPERR reasons that must
        # be there. answers: status codes that must be there. memory: most octets the daemon may grow. kept: octets that
        # need not be given back.
        self.bounds = bounds


MIB = 1 << 20
# Octets of responses that wait for slow readers: 16 384 blocks of 16 KiB (`ListenerLimits.outputBlocksMax`), and what
# else one of thousands of connections takes.
RESPONSES = 256 * MIB + 64 * MIB

SCENARIOS = {
    "idle": Scenario("idle keep-alive connections, one request each, up to the descriptor limit", "idle", "hello.test",
                     19000, 0, ratio=2, held=0.99, octets_each=256),
    "slow-headers": Scenario("a field that grows by an octet a second", "slow-headers", "hello.test", 5000, 5000,
                             ratio=2, held=0.99, memory=5000 * 40960),
    "slow-body": Scenario("content that comes an octet a second, read by a handler in the daemon", "slow-body",
                          # What the handler allocated is glibc's to give back.
                          "echo.test", 5000, 5000, ratio=2, held=0.99, memory=5000 * 40960, kept=5000 * 4096),
    "slow-drain": Scenario("the same behind an answer that did not wait for it", "slow-body", "hello.test", 5000, 5000,
                           ratio=2, held=0.99, memory=5000 * 40960),
    "slow-chunks": Scenario("a chunk of one octet a second, on its way to a worker", "slow-chunks", "worker.test", 2000,
                            2000, ratio=2, held=0.99, memory=2000 * 65536),
    "slow-body-forwarded": Scenario("content that comes an octet a second, on its way to a worker", "slow-body",
                                    "worker.test", 2000, 2000, ratio=2, held=0.99, memory=2000 * 65536),
    "slow-read": Scenario("64 MiB of a file, read 512 octets a second", "slow-read", "files.test", 3000, 3000, ratio=2,
                          held=0.99, memory=3000 * 8192),
    "slow-read-forwarded": Scenario("8 MiB from a worker, read 512 octets a second", "slow-read-forwarded",
                                    "worker.test", 800, 800, ratio=2, held=0.99, memory=RESPONSES),
    "slow-read-ceiling": Scenario("the same by more clients than responses may wait for", "slow-read-forwarded",
                                  "worker.test", 3000, 3000, memory=RESPONSES),
    "churn": Scenario("a new connection for each request", "churn", "hello.test", 64, 3000, memory=8 * MIB),
    "churn-reset": Scenario("a request, then a reset instead of reading", "churn-reset", "hello.test", 64, 3000,
                            memory=8 * MIB),
    "pipeline": Scenario("32 requests with each write", "pipeline", "hello.test", 64, 500, memory=32 * MIB, answers=[200]),
    "fields": Scenario("requests with 91 fields", "fields", "hello.test", 64, 3000, memory=8 * MIB, answers=[200]),
    "large-fields": Scenario("requests of 14 KiB", "large-fields", "hello.test", 64, 2000, memory=8 * MIB, answers=[200]),
    "too-many-fields": Scenario("requests with more fields than are allowed", "too-many-fields", "hello.test", 64, 2000,
                                memory=8 * MIB, answers=[400], reasons=["RequestLength"]),
    "malformed": Scenario("requests that are none", "malformed", "hello.test", 64, 2000, memory=8 * MIB, answers=[400],
                          reasons=["Header"]),
    "chunks": Scenario("4 096 chunks of one octet with an extension each, again and again", "chunks", "echo.test", 16, 30,
                       memory=16 * MIB, answers=[200]),
    "queue": Scenario("requests for a worker that never gets ready", "queue", "stuck.test", 400, 400, ratio=2,
                      memory=16 * MIB, answers=[503], reasons=["QueueFull"]),
}
