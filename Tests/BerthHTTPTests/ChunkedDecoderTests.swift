import BerthHTTP
import Testing

@Suite("the chunked coding (RFC 9112 §7.1)")
struct ChunkedDecoderTests {
    /// What became of a chunked message.
    struct Decoded: Equatable {
        var content = ""
        /// Octets up to the end of the message; nil if it did not end.
        var end: Int?
        var reason: RequestRejection?
    }

    private func decode(_ input: [UInt8], cuts: [Int] = []) -> Decoded {
        var decoder = ChunkedDecoder()
        var result = Decoded()
        var content: [UInt8] = []
        var start = 0
        for cut in cuts + [input.count] {
            let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(cut - start, 1))
            defer { memory.deallocate() }
            for index in start..<cut { memory[index - start] = input[index] }
            var position = 0
            shown: while true {
                let count = cut - start - position
                switch decoder.next(memory + position, count) {
                case .data(let offset, let length):
                    #expect(length > 0 && offset >= 0 && offset + length <= count)
                    content += UnsafeBufferPointer(start: memory + position + offset, count: length)
                    position += offset + length
                case .needMore(let consumed):
                    #expect(consumed == count)
                    break shown
                case .end(let consumed):
                    #expect(decoder.isDone)
                    result.end = start + position + consumed
                    result.content = latin1(content)
                    return result
                case .malformed(let reason):
                    result.reason = reason
                    return result
                }
            }
            start = cut
        }
        result.content = latin1(content)
        return result
    }

    private func decode(_ text: String) -> Decoded {
        let input = octets(text)
        let whole = decode(input)
        for cut in 0..<min(input.count, 120) { #expect(decode(input, cuts: [cut]) == whole, "cut at \(cut)") }
        #expect(decode(input, cuts: Array(0..<input.count)) == whole, "octet by octet")
        return whole
    }

    @Test("chunks are joined and the end is found")
    func plain() {
        let text = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        #expect(decode(text + "GET / HTTP/1.1\r\n") == Decoded(content: "hello world", end: text.utf8.count))
        #expect(decode("0\r\n\r\n") == Decoded(content: "", end: 5))
        #expect(decode("000\r\n\r\nx") == Decoded(content: "", end: 7))
        #expect(decode("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n").content.count == 20)
        #expect(decode("2\r\n\r\n\r\n0\r\n\r\n").content == "\r\n")
    }

    @Test("extensions are skipped (§7.1.1)")
    func extensions() {
        #expect(decode("5;a=b;c\r\nhello\r\n0;d=\"e f\"\r\n\r\n") == Decoded(content: "hello", end: 29))
        for chunkExtension in [
            ";a", ";a;b", ";a=b", ";a=b;c=d;e", ";!#$%&'*+-.^_`|~=09az", ";a=\"\"", ";a=\"b;c=d\";e", ";a=\"\\\"\"",
            ";a=\"\\\\\"",
            ";a=\"\t\u{e9}\\\u{e9}\\\t\"", " ;a", "\t ; \ta", "; a = b", ";a\t=\tb ;c", ";a=\"b\" ; c", ";a ;b",
            String(repeating: ";a=1", count: 100),
        ] {
            let text = "1\(chunkExtension)\r\nx\r\n0\(chunkExtension)\r\n\r\n"
            #expect(
                decode(text) == Decoded(content: "x", end: octets(text).count), "\(chunkExtension.debugDescription)")
        }
    }

    @Test("what is no extension by the grammar is refused (§7.1.1)")
    func malformedExtensions() {
        for chunkExtension in [
            ";", "; ", ";;", ";;a", ";a;", ";a; ", ";a=", ";a= ", ";a==b", ";=", ";=b", ";a=;b", ";a b", ";a=b c",
            ";a=b=c",
            " ", "\t", " a", " 5", ";a ", ";a=b ", ";a=\"b\" ", ";a=\"b\"c", ";a=\"b\"\"c\"", ";a=\"b", ";a=b\"",
            ";\"a\"=b",
            ";a=\"\\", ";a='b c'", ";a(b)", ";a=(b)", ";a,b", ";a/b", ";a:b", ";\u{e9}", ";a=\u{e9}", ";a=\"\u{0}\"",
            ";a=\"\u{7f}\"", ";a=\"\\\u{1}\"", ";\u{b}a", ";a\u{c}=b", ",a", ";a=\"\n\"", ";a\n", "; \n", ";a=\"\r",
        ] {
            let result = decode("1\(chunkExtension)\r\nx\r\n0\r\n\r\n")
            let reason: RequestRejection = chunkExtension == ",a" ? .chunkSizeMalformed : .chunkExtensionMalformed
            #expect(result == Decoded(reason: reason), "\(chunkExtension.debugDescription)")
        }
    }

    @Test("trailer fields are checked and dropped (§7.1.2)")
    func trailers() {
        for trailer in [
            "X-T: 1\r\n", "X:GET / HTTP/1.1\r\n", "Content-Length: 50\r\nHost: evil\r\n", "A:\r\n", "A_b: \u{e9}\t\r\n",
        ] {
            let text = "1\r\nx\r\n0\r\n\(trailer)\r\n"
            #expect(decode(text + "rest") == Decoded(content: "x", end: octets(text).count), "\(trailer)")
        }
    }

    @Test("an unfinished message has no end")
    func unfinished() {
        for text in [
            "", "5", "5\r", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r", "5\r\nhello\r\n", "0", "0\r\n",
            "0\r\n\r", "0\r\nA", "0\r\nA: b\r\n",
        ] {
            let result = decode(text)
            #expect(result.end == nil)
            #expect(result.reason == nil)
        }
    }

    @Test("what is no chunk is refused")
    func malformed() {
        let cases: [(String, RequestRejection)] = [
            ("+5\r\nhello\r\n", .chunkSizeMalformed), ("-0\r\n\r\n", .chunkSizeMalformed),
            ("g\r\n", .chunkSizeMalformed),
            ("\r\nhello", .chunkSizeMalformed), (" 5\r\n", .chunkSizeMalformed), ("5,0\r\n", .chunkSizeMalformed),
            ("5\u{b}\r\n", .chunkSizeMalformed), (";a=b\r\n", .chunkSizeMalformed),
            ("5 foo\r\n", .chunkExtensionMalformed),
            ("5 \r\nhello", .chunkExtensionMalformed), ("5\rXhello", .chunkSizeMalformed),
            ("5\r\r\nhello", .chunkSizeMalformed),
            ("5\nhello", .chunkSizeMalformed), ("0x0\r\n\r\n", .chunkSizeMalformed),
            ("5\t5;a\r\n", .chunkExtensionMalformed),
            ("10000000000000005\r\n", .chunkSizeTooLarge), ("ffffffffffffffff\r\n", .chunkSizeTooLarge),
            ("0000000000000005\r\n", .chunkSizeTooLarge), (String(repeating: "f", count: 64), .chunkSizeTooLarge),
            ("5\r\nhello\n0\r\n", .chunkDataUnterminated), ("5\r\nhello\r0\r\n", .chunkDataUnterminated),
            ("5\r\nhelloXX0", .chunkDataUnterminated), ("5\r\nhello!\r\n", .chunkDataUnterminated),
            ("5\r\nhello\r\n\r\n0\r\n", .chunkSizeMalformed),
            ("5;a\nb\r\nhello", .chunkExtensionMalformed), ("5;a\u{0}\r\n", .chunkExtensionMalformed),
            ("5;a\u{7f}\r\n", .chunkExtensionMalformed), ("5;a=b\r\rhello", .chunkSizeMalformed),
            ("0\r\n\n", .trailerMalformed), ("0\r\n\rx", .trailerMalformed),
            ("0\r\nGET / HTTP/1.1\r\n\r\n", .trailerMalformed),
            ("0\r\n: x\r\n", .trailerMalformed), ("0\r\nA : x\r\n", .trailerMalformed),
            ("0\r\nA\r\n", .trailerMalformed),
            ("0\r\nA: \u{0}\r\n", .trailerMalformed), ("0\r\nA: x\n", .trailerMalformed),
            ("0\r\nA: x\ry", .trailerMalformed),
            ("0\r\nA: x\r\n b\r\n", .trailerMalformed), ("0\r\n x", .trailerMalformed),
            ("0\r\nA: \u{7f}", .trailerMalformed),
        ]
        for (text, reason) in cases { #expect(decode(text).reason == reason, "\(text.debugDescription)") }
    }

    @Test("digits of a size at n-1, n, n+1")
    func digits() {
        #expect(decode("00000000000001\r\nx\r\n0\r\n\r\n").content == "x")
        #expect(decode("000000000000001\r\nx\r\n0\r\n\r\n").content == "x")
        #expect(decode("0000000000000001\r\nx\r\n0\r\n\r\n").reason == .chunkSizeTooLarge)
        #expect(decode("fffffffffffffff\r\nx").reason == nil)
    }

    @Test("octets of extensions in a message at n-1, n, n+1, in one piece and spread over chunks")
    func extensionLimit() {
        let most = Int(ChunkedDecoder.extensionOctetsMax)
        func one(_ length: Int) -> Decoded {
            decode(octets("1;" + String(repeating: "e", count: length - 1) + "\r\nx\r\n0\r\n\r\n"))
        }
        #expect(one(most - 1).content == "x")
        #expect(one(most).content == "x")
        #expect(one(most + 1).reason == .chunkExtensionsTooLong)
        func spread(_ length: Int) -> Decoded {
            decode(octets(String(repeating: "1;e\r\nx\r\n", count: length) + "0\r\n\r\n"))
        }
        #expect(spread(most / 2).content.count == most / 2)
        #expect(spread(most / 2 + 1).reason == .chunkExtensionsTooLong)
    }

    @Test("octets of a trailer section at n-1, n, n+1")
    func trailerLimit() {
        func message(_ length: Int) -> Decoded {
            decode(octets("0\r\nA:" + String(repeating: "v", count: length - 6) + "\r\n\r\n"))
        }
        let most = Int(ChunkedDecoder.trailerOctetsMax)
        #expect(message(most - 1).end != nil)
        #expect(message(most).end != nil)
        #expect(message(most + 1).reason == .trailerTooLong)
    }

    @Test("after the end it says so again and takes nothing")
    func afterEnd() {
        var decoder = ChunkedDecoder()
        let text = octets("0\r\n\r\n")
        text.withUnsafeBufferPointer { buffer in
            let start = buffer.baseAddress!
            #expect(decoder.next(start, 5) == .end(consumed: 5))
            #expect(decoder.next(start, 5) == .end(consumed: 0))
            #expect(decoder.next(start, 0) == .end(consumed: 0))
        }
    }

    @Test("mutated messages: random pieces give what the whole gives (fixed seed)")
    func mutated() {
        var random = SeededRandom(seed: 0xBE27_0004)
        let seeds = [
            "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "5;a=b;c\r\nhello\r\n0;d=\"e f\"\r\nX-T: 1\r\nA: b\r\n\r\nGET /",
            "1f\r\n0123456789012345678901234567890\r\n00\r\n\r\n",
        ]
        for round in 0..<20_000 {
            let input = random.mutate(octets(seeds[round % seeds.count]))
            let cuts = (0..<random.below(6)).map { _ in random.below(input.count + 1) }.sorted()
            if decode(input, cuts: cuts) != decode(input) {
                Issue.record("seed 0xBE270004 round \(round) cuts \(cuts): \(latin1(input).debugDescription)")
            }
        }
    }

    @Test("content that was put into chunks comes out the same (fixed seed)")
    func roundTrip() {
        var random = SeededRandom(seed: 0xBE27_0008)
        for round in 0..<500 {
            let content = (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 8192)
            defer { memory.deallocate() }
            var writer = OctetWriter(memory, capacity: 8192)
            var position = 0
            while position < content.count {
                let length = min(1 + random.below(40), content.count - position)
                writer.putChunkHeader(length)
                content.withUnsafeBufferPointer { writer.put($0.baseAddress! + position, length) }
                writer.putLineEnd()
                position += length
            }
            writer.putLastChunk()
            #expect(!writer.overflowed)
            let coded = Array(UnsafeBufferPointer(start: memory, count: writer.count))
            let cuts = (0..<random.below(5)).map { _ in random.below(coded.count + 1) }.sorted()
            #expect(
                decode(coded, cuts: cuts) == Decoded(content: latin1(content), end: coded.count),
                "seed 0xBE270008 round \(round)")
        }
    }
}
