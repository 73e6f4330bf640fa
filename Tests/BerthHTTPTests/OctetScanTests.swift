import CBerthBytes
import Testing

@Suite("vector scans find what an octet loop finds")
struct OctetScanTests {
    typealias Scan = (UnsafePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> UnsafePointer<UInt8>

    /// Every octet value at every place of every short length, in memory that ends right behind, among octets that pass.
    private func check(_ scan: Scan, passing: UInt8, stopsAt: (UInt8) -> Bool) {
        for count in 0...40 {
            for before in [0, 1, 7, 16] {
                let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: before + count + 1)
                defer { memory.deallocate() }
                memory.initialize(repeating: 0, count: before)
                let start = memory + before
                start.initialize(repeating: passing, count: count)
                #expect(scan(start, start + count, memory) == start + count)
                for place in 0..<count {
                    for value in stride(from: 0, through: 255, by: place == count - 1 || place < 2 ? 1 : 5) {
                        let octet = UInt8(value)
                        start[place] = octet
                        let found = scan(start, start + count, memory) - UnsafePointer(start)
                        if found != (stopsAt(octet) ? place : count) {
                            Issue.record("octet \(octet) at \(place) of \(count) behind \(before): found \(found)")
                        }
                        start[place] = passing
                    }
                }
            }
        }
    }

    typealias Passes = (UnsafePointer<UInt8>, Int) -> Bool

    /// The same for the question whether all octets pass, in memory that holds nothing else.
    private func check(passes: Passes, passing: UInt8, stopsAt: (UInt8) -> Bool) {
        for count in 0...40 {
            let start = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
            defer { start.deallocate() }
            start.initialize(repeating: passing, count: count)
            #expect(passes(start, count))
            for place in 0..<count {
                for value in 0...255 {
                    start[place] = UInt8(value)
                    if passes(start, count) == stopsAt(UInt8(value)) {
                        Issue.record("octet \(value) at \(place) of \(count)")
                    }
                }
                start[place] = passing
            }
        }
    }

    @Test("octets are copied whole, at every length, and nothing beside them is written")
    func copiesOfAnyLength() {
        for count in 0...300 {
            // Memory of exactly this size, so that a sanitizer sees a read outside.
            let from = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
            let to = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 2)
            defer {
                from.deallocate()
                to.deallocate()
            }
            for place in 0..<count { from[place] = UInt8(truncatingIfNeeded: place &* 31 &+ count) }
            to.initialize(repeating: 0xee, count: count + 2)
            cberth_copy(to + 1, from, count)
            #expect((0..<count).allSatisfy { to[$0 + 1] == from[$0] }, "\(count) octets")
            #expect(to[0] == 0xee && to[count + 1] == 0xee, "\(count) octets")
        }
    }

    @Test("octets are equal when all of them are, at every length")
    func equalityOfAnyLength() {
        for count in 0...40 {
            let here = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
            let there = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
            defer {
                here.deallocate()
                there.deallocate()
            }
            for place in 0..<count { here[place] = UInt8(truncatingIfNeeded: place &* 31 &+ count) }
            there.initialize(from: here, count: count)
            #expect(cberth_equal(here, there, count), "\(count) octets")
            for place in 0..<count {
                for bit in 0..<8 {
                    there[place] ^= 1 << UInt8(bit)
                    #expect(!cberth_equal(here, there, count), "bit \(bit) at \(place) of \(count)")
                    there[place] = here[place]
                }
            }
        }
    }

    @Test("values for a log: every octet at every place of short runs")
    func logValues() {
        for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33] {
            let from = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
            let to = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 2)
            defer {
                from.deallocate()
                to.deallocate()
            }
            from.initialize(repeating: 0x61, count: count)
            for place in 0..<count {
                for value in 0...255 {
                    from[place] = UInt8(value)
                    to.initialize(repeating: 0, count: count + 2)
                    cberth_copy_to_log(to + 1, from, count)
                    let expected: UInt8 = value > 0x20 && value < 0x7f ? UInt8(value) : 0x2b
                    let others = (0..<count).allSatisfy { $0 == place || to[$0 + 1] == 0x61 }
                    if to[place + 1] != expected || !others || to[0] != 0 || to[count + 1] != 0 {
                        Issue.record("octet \(value) at \(place) of \(count)")
                    }
                }
                from[place] = 0x61
            }
        }
    }

    @Test("whether short runs hold nothing of a set")
    func shortRuns() {
        check(passes: cberth_scan_field_value_passes, passing: 0x61) { ($0 < 0x20 && $0 != 9) || $0 == 0x7f }
        check(passes: cberth_scan_common_name_passes, passing: 0x2d) { !isLetter($0) && $0 != 0x2d }
    }

    @Test(
        "whether a path is cooked: every octet at every place behind the slash, and dots only where they begin segments"
    )
    func cookedPaths() {
        for count in 1...40 {
            let start = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
            defer { start.deallocate() }
            start.initialize(repeating: 0x61, count: count)
            start[0] = 0x2f
            #expect(cberth_path_is_cooked(start, count, start))
            for place in 1..<count {
                for before in [UInt8(ascii: "/"), UInt8(ascii: "a")] {
                    if place > 1 { start[place - 1] = before }
                    for value in 0...255 {
                        let octet = UInt8(value)
                        start[place] = octet
                        let dotted = octet == 0x2e && start[place - 1] == 0x2f
                        let plain = octet > 0x20 && octet < 0x7f && octet != 0x25 && octet != 0x5c && !dotted
                        if cberth_path_is_cooked(start, count, start) != plain {
                            Issue.record("octet \(octet) at \(place) of \(count)")
                        }
                    }
                    if place > 1 { start[place - 1] = 0x61 }
                }
                start[place] = 0x61
            }
        }
    }

    private func isLetter(_ octet: UInt8) -> Bool { (0x41...0x5a).contains(octet) || (0x61...0x7a).contains(octet) }
    private func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) }

    @Test("field values")
    func values() {
        check(cberth_scan_field_value, passing: 0x61) { ($0 < 0x20 && $0 != 9) || $0 == 0x7f }
        check(cberth_scan_field_value, passing: 0xe9) { ($0 < 0x20 && $0 != 9) || $0 == 0x7f }
        check(cberth_scan_ascii_text, passing: 0x20) { $0 < 0x20 || $0 > 0x7e }
    }

    @Test("names and hosts")
    func names() {
        check(cberth_scan_common_name, passing: 0x2d) { !isLetter($0) && $0 != 0x2d }
        check(cberth_scan_common_host, passing: 0x2e) { !isLetter($0) && !isDigit($0) && $0 != 0x2d && $0 != 0x2e }
    }

    @Test("targets")
    func targets() {
        check(cberth_scan_target_path, passing: 0x2f) { $0 <= 0x20 || $0 >= 0x7f || $0 == 0x3f || $0 == 0x23 }
        check(cberth_scan_target_query, passing: 0x3f) { $0 <= 0x20 || $0 >= 0x7f || $0 == 0x23 }
        check(cberth_scan_path_candidate, passing: 0x2f) {
            $0 <= 0x20 || $0 >= 0x7f || $0 == 0x25 || $0 == 0x5c || $0 == 0x2e
        }
        // A dot counts only where a segment begins; TargetCookingTests have those.
        let cook: Scan = { p, end, floor in
            p == floor && p < end && p[0] == 0x2e ? end : cberth_scan_path_to_cook(p, end, floor)
        }
        check(cook, passing: 0x61) { $0 <= 0x20 || $0 >= 0x7f || $0 == 0x25 || $0 == 0x5c }
        check(cberth_scan_high_bit, passing: 0) { $0 >= 0x80 }
    }

    @Test("the classes of octets")
    func classes() {
        let token = Set("!#$%&'*+-.^_`|~".utf8)
        let plain = Set("-._~!$&'()*+,;=/:@".utf8)
        let host = Set("-._~".utf8)
        for value in 0...255 {
            let octet = UInt8(value)
            let alphanumeric = isLetter(octet) || isDigit(octet)
            #expect(cberth_is_token(octet) == (alphanumeric || token.contains(octet)))
            #expect(cberth_is_plain(octet) == (alphanumeric || plain.contains(octet)))
            #expect(cberth_is_host(octet) == (alphanumeric || host.contains(octet)))
            let digit = Int(String(UnicodeScalar(octet)), radix: 16)
            #expect(cberth_hex_value(octet) == Int32(digit ?? -1))
        }
    }
}
