internal import CBerthModule

/// A few names, in memory of its own. A look-up that misses, as nearly all do, costs the test of one bit.
struct NameSet {
    private let names: UnsafeMutablePointer<berth_octets>
    private let count: Int
    private let ignoresCase: Bool
    /// 256 bits: one for each name, by its length and two of its octets.
    private let filter: UnsafeMutablePointer<UInt64>

    init(_ texts: [String], ignoresCase: Bool) {
        count = texts.count
        self.ignoresCase = ignoresCase
        names = .allocate(capacity: max(1, texts.count))
        filter = .allocate(capacity: 4)
        filter.initialize(repeating: 0, count: 4)
        for (index, text) in texts.enumerated() {
            let name = berth_octets.copy(
                of: ignoresCase ? String(decoding: text.utf8.map(lowered), as: UTF8.self) : text)
            names.advanced(by: index).initialize(to: name)
            guard let start = name.start, name.count > 0 else { continue }
            let bit = Self.bit(start, name.length)
            filter[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    func deallocate() {
        for index in 0..<count { names[index].deallocate() }
        names.deallocate()
        filter.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// The same for a name in either case. The last octet and the middle one tell more than the first, which is often a dot.
    @inline(__always)
    private static func bit(_ start: UnsafePointer<UInt8>, _ length: Int) -> Int {
        let last = Int(start[length &- 1] | 0x20)
        let middle = Int(start[length &>> 1] | 0x20)
        return (last &* 5 ^ middle &* 3 ^ length &<< 5) & 255
    }

    @inline(__always)
    func contains(_ name: berth_octets) -> Bool {
        guard let start = name.start, name.count > 0 else { return false }
        let bit = Self.bit(start, name.length)
        guard filter[bit &>> 6] &>> UInt64(bit & 63) & 1 != 0 else { return false }
        return search(name)
    }

    @inline(never)
    private func search(_ name: berth_octets) -> Bool {
        guard let start = name.start else { return false }
        for index in 0..<count where names[index].count == name.count {
            guard let expected = names[index].start else { continue }
            var position = 0
            while position < name.length {
                let octet = ignoresCase ? lowered(start[position]) : start[position]
                if octet != expected[position] { break }
                position += 1
            }
            if position == name.length { return true }
        }
        return false
    }
}

/// Names that are allowed (when there are any, only those) and names that are denied. A denied one is never allowed.
struct AllowedNames {
    private let allowed: NameSet
    private let denied: NameSet

    init(allowed: [String], denied: [String], ignoresCase: Bool) {
        self.allowed = NameSet(allowed, ignoresCase: ignoresCase)
        self.denied = NameSet(denied, ignoresCase: ignoresCase)
    }

    func deallocate() {
        allowed.deallocate()
        denied.deallocate()
    }

    @inline(__always)
    func allows(_ name: berth_octets) -> Bool {
        if denied.contains(name) { return false }
        return allowed.isEmpty || allowed.contains(name)
    }
}

/// Limits of single fields, by name.
struct FieldLimits {
    private let names: UnsafeMutablePointer<berth_octets>
    private let limits: UnsafeMutablePointer<Int>
    private let count: Int

    init(_ all: [(name: String, limit: Int)]) {
        count = all.count
        names = .allocate(capacity: max(1, count))
        limits = .allocate(capacity: max(1, count))
        for (index, entry) in all.enumerated() {
            names.advanced(by: index).initialize(
                to: .copy(of: String(decoding: entry.name.utf8.map(lowered), as: UTF8.self)))
            limits.advanced(by: index).initialize(to: entry.limit)
        }
    }

    func deallocate() {
        for index in 0..<count { names[index].deallocate() }
        names.deallocate()
        limits.deallocate()
    }

    /// Octets its value may have; nil for a field without a limit of its own.
    func limit(of name: berth_octets) -> Int? {
        guard let start = name.start else { return nil }
        for index in 0..<count where names[index].count == name.count {
            guard let expected = names[index].start else { continue }
            var position = 0
            while position < name.length, lowered(start[position]) == expected[position] { position += 1 }
            if position == name.length { return limits[index] }
        }
        return nil
    }
}
