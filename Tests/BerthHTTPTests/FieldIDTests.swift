import BerthHTTP
import Testing

@Suite("numbers of field names")
struct FieldIDTests {
    private func look(_ name: String) -> FieldID {
        let memory = octets(name)
        return memory.withUnsafeBufferPointer { FieldID.of($0.baseAddress!, $0.count) }
    }

    private var known: [FieldID] { (1..<FieldID.last.rawValue).map { FieldID(rawValue: $0) } }

    @Test("every listed name finds its number, in any letter case")
    func roundTrip() {
        for id in known {
            let name = "\(id.name)"
            #expect(!name.isEmpty)
            #expect(look(name) == id)
            #expect(look(name.lowercased()) == id)
            #expect(look(name.uppercased()) == id)
        }
    }

    @Test("no two numbers share a name")
    func distinct() {
        #expect(Set(known.map { "\($0.name)".lowercased() }).count == known.count)
    }

    @Test("a name with one octet changed, added or missing is another one")
    func neighbours() {
        for id in known {
            let name = octets("\(id.name)".lowercased())
            for index in name.indices {
                for octet in [
                    UInt8(ascii: "q"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "^"),
                ] {
                    var changed = name
                    changed[index] = octet
                    if changed != name { #expect(look(latin1(changed)) != id) }
                }
            }
            #expect(look(latin1(name) + "s") != id)
            if name.count > 1 { #expect(look(latin1(name.dropLast())) != id) }
            #expect(look("x" + latin1(name)) != id)
        }
    }

    @Test("any name that begins with MS-ASPNETCORE is known, so that a client cannot send one")
    func pairing() {
        #expect(look("MS-ASPNETCORE-TOKEN") == .msAspNetCoreToken)
        for name in ["MS-ASPNETCORE", "ms-aspnetcore-clientcert", "Ms-AspNetCore-WinAuthToken", "MS-ASPNETCOREX"] {
            #expect(look(name) == .msAspNetCoreOther)
        }
        #expect(look("MS-ASPNETCOR") == .other)
        #expect(look("X-MS-ASPNETCORE") == .other)
    }

    @Test("numbers that were given stay what they are")
    func stable() {
        let given: [(FieldID, UInt16)] = [
            (.other, 0), (.host, 1), (.connection, 2), (.contentLength, 3), (.transferEncoding, 4), (.expect, 5),
            (.upgrade, 6),
            (.te, 7), (.trailer, 8), (.keepAlive, 9), (.proxyConnection, 10), (.contentType, 11), (.userAgent, 16),
            (.cookie, 18), (.authorization, 19), (.ifNoneMatch, 21), (.range, 25), (.xForwardedFor, 26),
            (.forwarded, 29),
            (.date, 31), (.setCookie, 34), (.secWebSocketKey, 43), (.secWebSocketAccept, 47), (.origin, 59),
            (.msAspNetCoreToken, 75), (.warning, 80), (.msAspNetCoreOther, 81),
        ]
        for (id, number) in given { #expect(id.rawValue == number) }
        #expect(FieldID.last.rawValue == 81)
    }

    @Test("a slice is 16 octets, as in the module ABI")
    func layout() {
        #expect(MemoryLayout<FieldSlice>.size == 16)
        #expect(MemoryLayout<FieldSlice>.stride == 16)
        #expect(MemoryLayout<FieldSlice>.offset(of: \.nameOffset) == 0)
        #expect(MemoryLayout<FieldSlice>.offset(of: \.valueOffset) == 4)
        #expect(MemoryLayout<FieldSlice>.offset(of: \.nameLength) == 8)
        #expect(MemoryLayout<FieldSlice>.offset(of: \.valueLength) == 10)
        #expect(MemoryLayout<FieldSlice>.offset(of: \.id) == 12)
        #expect(MemoryLayout<FieldSlice>.offset(of: \.reserved) == 14)
    }
}
