import TestSupport
import Testing

@Suite("Thresholds and what tools write")
struct ThresholdTests {
    @Test("thresholds.txt is whole")
    func file() throws {
        #expect(try Threshold.load().count > 10)
    }

    @Test("lines of thresholds, good and bad")
    func lines() throws {
        let all = try Threshold.parse("# words\na.b   3.05  calls  3\nc.d 0 calls -\n")
        #expect(all["a.b"]?.limit == 3.05)
        #expect(all["a.b"]?.aim == 3)
        #expect(all["c.d"]?.aim == nil)
        for bad in ["a.b 3 calls", "a.b x calls 3", "a.b 3 calls 3 4", "a.b -1 calls 3", "a 1 b -\na 2 b -"] {
            #expect(throws: Failure.self, "\(bad)") { try Threshold.parse(bad) }
        }
    }

    @Test("strace's summary")
    func systemCalls() throws {
        let text = "    calls syscall\n--------- --------\n       12 recvfrom\n        3 sendto\n       15 total\n"
        #expect(try CountingTool.systemCalls(text) == ["recvfrom": 12, "sendto": 3])
        #expect(throws: Failure.self) { try CountingTool.systemCalls("") }
    }

    @Test("callgrind's profile: names by number, deeper recursions with their function")
    func profile() throws {
        let text = """
            events: Ir
            fn=(1) main
            3 4
            cfn=(2) malloc
            calls=3 0
            3 90
            cob=(4) /lib/libc.so.6
            cfn=(3) walk'2
            calls=1 +7
            3 5
            fn=(3)
            7 1
            cfn=(2)
            calls=2 0
            * 60
            totals: 1234
            """
        #expect(try CallgrindProfile(Array(text.utf8)).counts == ["malloc": 5, "walk": 1, "instructions": 1234])
        #expect(throws: Failure.self) { try CallgrindProfile(Array("events: Ir\n".utf8)) }
        #expect(throws: Failure.self) { try CallgrindProfile([]) }
    }
}
