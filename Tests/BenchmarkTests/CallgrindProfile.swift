import Glibc
import TestSupport

/// What callgrind wrote: instructions of the whole run, and how often each function was called.
///
/// Source: the format is in valgrind's manual, "Callgrind Format Specification". A name stands once, as `fn=(7) malloc` or
/// `cfn=(7) malloc`, and is `(7)` from then on; `calls=3 …` after a `cfn=` line is three calls of it.
struct CallgrindProfile {
    /// Calls by name of the function; under `instructions`, all instructions.
    let counts: [String: Int]

    static let instructions = "instructions"

    init(_ octets: [UInt8]) throws {
        var names: [Int: String] = [:]
        var calls: [Int: Int] = [:]
        var callee = 0
        var instructions: Int?
        try octets.withUnsafeBufferPointer { octets in
            var next = octets.baseAddress
            let end = next.map { $0 + octets.count }
            while let start = next, let end, start < end {
                let line = memchr(start, 10, end - start).map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }
                let stop = line ?? end
                next = stop + 1
                // Nearly all lines are costs, which begin with a digit, a sign or a star.
                guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(start.pointee) else { continue }
                let text = String(decoding: UnsafeBufferPointer(start: start, count: stop - start), as: UTF8.self)
                if text.hasPrefix("fn=(") || text.hasPrefix("cfn=(") {
                    let (id, name) = try Self.function(text)
                    if let name { names[id] = name }
                    if text.hasPrefix("c") { callee = id }
                } else if text.hasPrefix("calls=") {
                    calls[callee, default: 0] += Int(text.dropFirst(6).prefix { $0 != " " }) ?? 0
                } else if text.hasPrefix("summary: ") || text.hasPrefix("totals: ") {
                    instructions = Int(text.drop { $0 != " " }.dropFirst())
                }
            }
        }
        guard let instructions else { throw Failure("callgrind wrote no sum: the daemon did not end by itself") }
        var counts = [Self.instructions: instructions]
        for (id, count) in calls {
            guard let name = names[id] else { throw Failure("callgrind calls function \(id), which has no name") }
            // Deeper levels of a recursion are functions of their own, with ' and the level.
            counts[String(name.prefix { $0 != "'" }), default: 0] += count
        }
        self.counts = counts
    }

    private static func function(_ line: String) throws -> (id: Int, name: String?) {
        let rest = line.drop { $0 != "(" }.dropFirst()
        guard let id = Int(rest.prefix { $0 != ")" }) else { throw Failure("callgrind: \(line)") }
        let name = rest.drop { $0 != ")" }.dropFirst(2)
        return (id, name.isEmpty ? nil : String(name))
    }
}
