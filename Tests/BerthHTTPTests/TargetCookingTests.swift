import BerthHTTP
import Testing

@Suite("raw paths become the ones that routing and files go by")
struct TargetCookingTests {
    /// A cooked path, or why there is none.
    enum Cooked: Equatable {
        case path(String, CookedFlags)
        case rejected(RequestRejection)
    }

    private func cook(_ path: String, limits: CookingLimits = CookingLimits()) -> Cooked {
        let input = octets(path)
        // Exactly as much memory as is promised to be enough, on both sides.
        let raw = UnsafeMutablePointer<UInt8>.allocate(capacity: max(input.count, 1))
        let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: max(input.count, 1))
        defer {
            raw.deallocate()
            scratch.deallocate()
        }
        for (index, octet) in input.enumerated() { raw[index] = octet }
        let outcome = TargetCooking(limits: limits).cook(
            raw, pathOffset: 0, pathLength: input.count, into: scratch, capacity: input.count)
        switch outcome {
        case .inPlace: return .path(path, [])
        case .cooked(let length, let flags):
            return .path(latin1(UnsafeBufferPointer(start: scratch, count: length)), flags)
        case .rejected(let reason): return .rejected(reason)
        }
    }

    private func isInPlace(_ path: String) -> Bool {
        let input = octets(path)
        var scratch = [UInt8](repeating: 0, count: input.count)
        return TargetCooking().cook(
            input, pathOffset: 0, pathLength: input.count, into: &scratch, capacity: scratch.count) == .inPlace
    }

    @Test("what needs no cooking is left where it is")
    func inPlace() {
        for path in [
            "/", "*", "/a/b/c", "/index.html", "//a//b/", "/a..b/c...", "/.well-known/x", "/...", "/a;v=1,b@c:d+e~",
        ] {
            #expect(isInPlace(path), "\(path)")
        }
    }

    @Test("dot segments are resolved, escaped ones too (RFC 3986 §5.2.4)")
    func dotSegments() {
        let cases = [
            ("/.", "/"), ("/./", "/"), ("/..", "/"), ("/../", "/"), ("/../..", "/"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("/a/.", "/a/"), ("/a/..", "/"), ("/a/../", "/"), ("/a/./b", "/a/b"), ("/a/../b", "/b"),
            ("/a/b/../../c", "/c"),
            ("/a/b/c/./../../g", "/a/g"), ("/a/d/../b/c", "/a/b/c"), ("/a/%2e%2E/b", "/b"), ("/a/.%2e/b", "/b"),
            ("/a/%2E/b", "/a/b"), ("/a//../b", "/a/b"), ("/a/...", "/a/..."), ("/a/..b", "/a/..b"),
            ("/%2e%2e/%2e%2e/x", "/x"),
            ("/a/.%2e", "/"), ("/a/b/..", "/a/"), ("//..", "/"), ("//../a", "/a"), ("///..", "//"),
        ]
        for (raw, cooked) in cases { #expect(cook(raw) == .path(cooked, []), "\(raw)") }
    }

    @Test("escapes are decoded once, but a slash or backslash stays escaped")
    func escapes() {
        let cases = [
            ("/%41%62", "/Ab"), ("/a%20b", "/a b"), ("/%7E", "/~"), ("/a%2Fb", "/a%2Fb"), ("/a%2fb", "/a%2Fb"),
            ("/..%2f..%2Fx", "/..%2F..%2Fx"), ("/a%5cb", "/a%5Cb"), ("/%5C..%5c", "/%5C..%5C"), ("/%25", "/%"),
            ("/%25zz", "/%zz"),
            ("/%3F%23", "/?#"), ("/a%252", "/a%2"), ("/%2F", "/%2F"), ("/%2541", "/%41"),
        ]
        for (raw, cooked) in cases {
            guard case .path(let path, _) = cook(raw) else {
                Issue.record("\(raw) was refused")
                continue
            }
            #expect(path == cooked)
        }
    }

    @Test("what a second decoding would change is reported")
    func doubleEscapes() {
        for raw in ["/%2541", "/%252e%252e%252fx", "/%25%34%31", "/%2525%2541", "/a%252F"] {
            guard case .path(_, let flags) = cook(raw) else {
                Issue.record("\(raw) was refused")
                continue
            }
            #expect(flags == .hadDoubleEscape, "\(raw)")
        }
        for raw in ["/%25", "/%25zz", "/%25%2F41", "/%2F41", "/%25/41", "/%254/1", "/%254", "/a%20b"] {
            guard case .path(_, let flags) = cook(raw) else {
                Issue.record("\(raw) was refused")
                continue
            }
            #expect(flags == [], "\(raw)")
        }
    }

    @Test("UTF-8 is decoded and reported, anything else above 0x7f is refused")
    func utf8() {
        #expect(cook("/caf%C3%A9") == .path("/caf\u{c3}\u{a9}", .hadHighBit))
        #expect(cook("/%E2%82%AC/%F0%9F%98%80") == .path("/\u{e2}\u{82}\u{ac}/\u{f0}\u{9f}\u{98}\u{80}", .hadHighBit))
        #expect(cook("/%C2%A0") == .path("/\u{c2}\u{a0}", .hadHighBit))
        for raw in [
            "/%E1", "/%80", "/%C3", "/%C3/%A9", "/%C3%28", "/%C0%AF", "/%E0%80%AF", "/%ED%A0%80", "/%F4%90%80%80",
            "/%F5%80%80%80",
            "/%F0%80%80%AF", "/%FF", "/%E2%82", "/%C2%80", "/%C2%9F", "/a/%E1/../b", "/%F8%88%80%80%80",
        ] {
            #expect(cook(raw) == .rejected(.pathNotUTF8), "\(raw)")
        }
    }

    @Test("bad escapes, escaped controls and backslashes are refused")
    func refused() {
        for raw in ["/%", "/%4", "/%zz", "/%4z", "/%u0041", "/%%41", "/%-1", "/a%/b", "/% 41"] {
            #expect(cook(raw) == .rejected(.pathEscapeMalformed), "\(raw)")
        }
        for raw in ["/%00", "/%0d%0a", "/%1F", "/%7f", "/a/%09/../b"] {
            #expect(cook(raw) == .rejected(.pathControlOctet), "\(raw)")
        }
        for raw in ["/\\", "/a\\..\\b", "/..\\"] { #expect(cook(raw) == .rejected(.pathBackslash), "\(raw)") }
        for raw in ["/\u{0}", "/ ", "/\u{7f}"] { #expect(cook(raw) == .rejected(.targetOctet), "\(raw)") }
        for raw in ["", "x", "**", "%2F", "..", "a/b", "./"] { #expect(cook(raw) == .rejected(.targetForm), "\(raw)") }
    }

    @Test("the number of segments, UrlSegmentMaxCount, at n-1, n, n+1")
    func segments() {
        func path(_ number: Int) -> String { String(repeating: "/a", count: number) }
        #expect(cook(path(254)) == .path(path(254), []))
        #expect(cook(path(255)) == .path(path(255), []))
        #expect(cook(path(256)) == .rejected(.pathSegmentsTooMany))
        #expect(cook(String(repeating: "/", count: 255)) == .path(String(repeating: "/", count: 255), []))
        #expect(cook(String(repeating: "/", count: 256)) == .rejected(.pathSegmentsTooMany))
        #expect(cook(path(1000), limits: CookingLimits(segmentsMax: 0)) == .path(path(1000), []))
        #expect(cook(path(3), limits: CookingLimits(segmentsMax: 2)) == .rejected(.pathSegmentsTooMany))
    }

    @Test("the length of a segment, UrlSegmentMaxLength, in characters after decoding, at n-1, n, n+1")
    func segmentLength() {
        let limits = CookingLimits(segmentLengthMax: 260)
        func path(_ length: Int, _ character: String = "a") -> String {
            "/b/" + String(repeating: character, count: length) + "/c"
        }
        #expect(cook(path(259), limits: limits) == .path(path(259), []))
        #expect(cook(path(260), limits: limits) == .path(path(260), []))
        #expect(cook(path(261), limits: limits) == .rejected(.pathSegmentTooLong))
        #expect(cook(path(260, "%61"), limits: limits) == .path(path(260), []))
        #expect(cook(path(261, "%61"), limits: limits) == .rejected(.pathSegmentTooLong))
        #expect(cook(path(260, "%C3%A9"), limits: limits) == .path(path(260, "\u{c3}\u{a9}"), .hadHighBit))
        #expect(cook(path(261, "%C3%A9"), limits: limits) == .rejected(.pathSegmentTooLong))
        #expect(cook(path(8000)) == .path(path(8000), []), "no limit by default")
    }

    @Test("memory that is too small is not written to")
    func capacity() {
        let path = octets("/a/%41")
        var scratch = [UInt8](repeating: 0xaa, count: 8)
        let outcome = TargetCooking().cook(
            path, pathOffset: 0, pathLength: path.count, into: &scratch, capacity: path.count - 1)
        #expect(outcome == .rejected(.targetTooLong))
        #expect(scratch == [UInt8](repeating: 0xaa, count: 8))
    }

    @Test("whatever is cooked has no dot segment, no backslash, no control octet, and cooks to itself (fixed seed)")
    func property() {
        var random = SeededRandom(seed: 0xBE27_0003)
        let pieces = [
            "/", "/", "/", ".", "..", "%2e", "%2E", "a", "b%20", "%2f", "%2F", "%5c", "%25", "41", "%C3%A9", "%E1",
            "c.d", "\\", "%00",
            "%", "~",
        ]
        var kept = 0
        for round in 0..<20_000 {
            let raw = "/" + (0..<random.below(12)).map { _ in pieces[random.below(pieces.count)] }.joined()
            guard case .path(let path, let flags) = cook(raw) else { continue }
            kept += 1
            let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            let sound =
                path.hasPrefix("/") && !segments.contains(".") && !segments.contains("..") && !path.contains("\\")
                && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
            #expect(sound, "seed 0xBE270003 round \(round): \(raw) became \(path)")
            if flags == [], !path.contains("%"), !path.contains(" ") {
                #expect(cook(path) == .path(path, []), "seed 0xBE270003 round \(round): \(raw)")
            }
        }
        #expect(kept > 5_000)
    }
}
