@testable import BerthHosting
import BerthHTTP

/// Raw paths: cooked as HTTP.sys does it, never to anything that climbs or hides, and the same for the front and the worker.
enum PathProperties {
    private static let limits = [
        CookingLimits(), CookingLimits(segmentLengthMax: 5, segmentsMax: 3),
        CookingLimits(segmentsMax: 0, allowsControls: true),
    ]

    static func check(_ input: [UInt8]) throws {
        for limits in limits {
            let outcome = run(input, limits)
            let reference = ReferenceCooking(limits: limits).cook(input)
            try require(
                outcome.path == reference,
                "cooked to \(outcome.path.map(shown) ?? "nothing"), not to \(reference.map(shown) ?? "nothing")")
            guard let path = outcome.path else { continue }
            if case .cooked(let length, let flags) = outcome.outcome {
                try require(path != input || !flags.isEmpty, "\(length) octets written for nothing")
            }
            try checkCooked(path, limits)
        }
        guard let path = cook(input) else { return }
        // What was decoded once and is written with escapes again comes out the same: cooking is one decoding, no more.
        let encoded = try encoded(path)
        try require(cook(encoded) == path, "written with escapes it cooks to \(cook(encoded).map(shown) ?? "nothing")")
        if input.allSatisfy({ (0x21..<0x7f).contains($0) }), input != [0x2a] { try checkForwarded(input, path) }
    }

    /// The cooked path, or nil for one that is refused.
    static func cook(_ input: [UInt8]) -> [UInt8]? { run(input, CookingLimits()).path }

    private static func run(_ input: [UInt8], _ limits: CookingLimits) -> (outcome: CookOutcome, path: [UInt8]?) {
        Pieces.withExactly(input, input.count) { raw in
            let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: max(input.count, 1))
            defer { scratch.deallocate() }
            let outcome = TargetCooking(limits: limits).cook(
                raw, pathOffset: 0, pathLength: input.count, into: scratch, capacity: input.count)
            switch outcome {
            case .inPlace: return (outcome, input)
            case .cooked(let length, _):
                return (outcome, Array(UnsafeBufferPointer(start: scratch, count: length)))
            case .rejected: return (outcome, nil)
            }
        }
    }

    private static func checkCooked(_ path: [UInt8], _ limits: CookingLimits) throws {
        if path == [0x2a] { return }
        try require(path.first == 0x2f, "does not begin with a slash: \(shown(path))")
        for segment in path.split(separator: 0x2f, omittingEmptySubsequences: false) {
            try require(
                !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8), "a dot segment: \(shown(path))")
        }
        let forbidden: (UInt8) -> Bool =
            limits.allowsControls ? { $0 == 0 || $0 == 0x0a || $0 == 0x0d } : { $0 < 0x20 || $0 == 0x7f }
        try require(!path.contains(where: forbidden), "a control octet: \(shown(path))")
        try require(!path.contains(UInt8(ascii: "\\")), "a backslash: \(shown(path))")
        try require(String(validating: path, as: UTF8.self) != nil, "not UTF-8: \(shown(path))")
    }

    private static func encoded(_ path: [UInt8]) throws -> [UInt8] {
        if path == [0x2a] { return path }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: path.count * 3)
        defer { memory.deallocate() }
        let length = Pieces.withExactly(path, path.count) {
            OctetRules.percentEncode($0, path.count, into: memory, capacity: path.count * 3)
        }
        guard let length else { throw Violation(description: "three times the length is not enough") }
        return Array(UnsafeBufferPointer(start: memory, count: length))
    }

    /// The path that a worker gets means the same, is no longer than the client's, and would not be changed again.
    private static func checkForwarded(_ raw: [UInt8], _ path: [UInt8]) throws {
        let forwarded = canonical(raw)
        try require(forwarded.count <= raw.count, "longer than it came: \(shown(forwarded))")
        try require(cook(forwarded) == path, "a worker reads \(shown(forwarded)), which is not \(shown(path))")
        try require(canonical(forwarded) == forwarded, "written twice it is not the same: \(shown(forwarded))")
    }

    private static func canonical(_ raw: [UInt8]) -> [UInt8] {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: raw.count + 1)
        defer { memory.deallocate() }
        var out = OctetWriter(memory, capacity: raw.count + 1)
        Pieces.withExactly(raw, raw.count) { ForwardedTarget.putCanonical(&out, $0, raw.count) }
        return Array(UnsafeBufferPointer(start: memory, count: out.count))
    }
}
