import BerthHTTP
import Testing

@Suite("writing octets")
struct OctetWriterTests {
    /// What a writer with this capacity leaves; guard octets behind its memory must stay as they are.
    private func written(_ capacity: Int = 256, _ write: (inout OctetWriter) -> Void) -> (
        text: String, overflowed: Bool
    ) {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + 8)
        defer { memory.deallocate() }
        memory.initialize(repeating: 0xaa, count: capacity + 8)
        var writer = OctetWriter(memory, capacity: capacity)
        write(&writer)
        #expect(writer.count <= capacity)
        #expect(writer.room == capacity - writer.count)
        for index in 0..<8 { #expect(memory[capacity + index] == 0xaa, "written past the end") }
        return (latin1(UnsafeBufferPointer(start: memory, count: writer.count)), writer.overflowed)
    }

    @Test("numbers in decimal digits")
    func decimal() {
        for number: UInt64 in [0, 1, 9, 10, 99, 100, 12_345, 4_294_967_296, .max] {
            #expect(written { $0.putDecimal(number) }.text == String(number))
        }
        var power: UInt64 = 1
        for _ in 0..<20 {
            for number in [power - 1, power, power + 1] {
                #expect(written { $0.putDecimal(number) }.text == String(number))
            }
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        for number in [0, -1, 7, Int.min, Int.max] { #expect(written { $0.putDecimal(number) }.text == String(number)) }
    }

    @Test("a field line is written whole or not at all", arguments: [(-1, true), (0, false), (1, false)])
    func fieldLine(_ difference: Int, _ overflows: Bool) {
        let (name, value) = (Array("Content-Type".utf8), Array("text/plain; charset=utf-8".utf8))
        let result = written(name.count + value.count + 4 + difference) {
            $0.putField(name, name.count, value, value.count)
        }
        #expect(result.overflowed == overflows)
        #expect(result.text == (overflows ? "" : "Content-Type: text/plain; charset=utf-8\r\n"))
        #expect(written { $0.putField(name, name.count, value, 0) }.text == "Content-Type: \r\n")
    }

    @Test("numbers in hexadecimal digits")
    func hex() {
        for number: UInt64 in [0, 1, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 0xdead_beef, .max] {
            #expect(written { $0.putHex(number) }.text == String(number, radix: 16))
        }
    }

    @Test("status lines")
    func statusLines() {
        for code: UInt16 in 100...599 {
            #expect(written { $0.putStatusLine(code) }.text == "HTTP/1.1 \(code) \(StatusCode.reasonPhrase(code))\r\n")
        }
        #expect(written { $0.putStatusLine(999) }.text == "HTTP/1.1 999 Unknown\r\n")
        let reason = octets("Fine")
        #expect(written { $0.putStatusLine(299, reason: reason, reason.count) }.text == "HTTP/1.1 299 Fine\r\n")
    }

    @Test("fields, chunks and octets")
    func pieces() {
        let value = octets("text/plain")
        #expect(written { $0.putField("Content-Type", value, value.count) }.text == "Content-Type: text/plain\r\n")
        #expect(written { $0.putField("Server", "Berth") }.text == "Server: Berth\r\n")
        #expect(written { $0.putField("Content-Length", decimal: 42) }.text == "Content-Length: 42\r\n")
        #expect(written { $0.putChunkHeader(26) }.text == "1a\r\n")
        #expect(written { $0.putChunkHeader(.max) }.text.utf8.count == OctetWriter.chunkHeaderLengthMax)
        #expect(written { $0.putLastChunk() }.text == "0\r\n\r\n")
        #expect(written { $0.put(0x41) }.text == "A")
        #expect(written { $0.putDateField(784_111_777) }.text == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    }

    @Test("what fits exactly is written, one octet less and nothing of it is")
    func capacity() {
        let writes: [(inout OctetWriter) -> Void] = [
            { $0.put("hello") }, { $0.putDecimal(UInt64(12_345)) }, { $0.putHex(0x12345) },
            { $0.put("hello".utf8Start, 5) },
        ]
        for write in writes {
            #expect(written(6, write).overflowed == false)
            #expect(written(5, write).overflowed == false)
            #expect(written(5, write).text.utf8.count == 5)
            #expect(written(4, write).overflowed)
            #expect(written(4, write).text == "")
        }
        #expect(written(0) { $0.put(0x41) }.overflowed)
        #expect(written(0) { $0.put("") }.overflowed == false)
    }

    @Test("after an overflow nothing more is written, however short")
    func overflowStays() {
        let result = written(8) {
            $0.put("12345")
            $0.put("6789")
            $0.put("6")
            $0.putStatusLine(404)
            $0.putDateField(0)
        }
        #expect(result.text == "12345")
        #expect(result.overflowed)
    }

    @Test("a chunk header and the chunk decoder agree")
    func chunks() {
        for length in [1, 9, 10, 15, 16, 255, 4096, 65_535] {
            let text = octets(written { $0.putChunkHeader(length) }.text)
            var decoder = ChunkedDecoder()
            text.withUnsafeBufferPointer {
                #expect(decoder.next($0.baseAddress!, $0.count) == .needMore(consumed: $0.count))
            }
            #expect(decoder.remainingInChunk == UInt64(length))
        }
    }
}

extension String {
    /// The octets of a literal for a test.
    fileprivate var utf8Start: UnsafePointer<UInt8> { ("hello" as StaticString).utf8Start }
}
