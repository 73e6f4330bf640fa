internal import CBerthModule

/// A few names, in memory of its own. A look-up that misses by length or first octet, as nearly all do, costs two tests.
struct NameSet {
    private let names: UnsafeMutablePointer<berth_octets>
    private let count: Int
    private let ignoresCase: Bool
    /// Bit n: there is a name of n octets (bit 63: of 63 or more).
    private let lengths: UInt64
    /// Bit n: a name begins with an octet whose low six bits are n.
    private let firstOctets: UInt64

    init(_ texts: [String], ignoresCase: Bool) {
        count = texts.count
        self.ignoresCase = ignoresCase
        names = .allocate(capacity: max(1, texts.count))
        var (lengths, firstOctets) = (UInt64(0), UInt64(0))
        for (index, text) in texts.enumerated() {
            let name = berth_octets.copy(
                of: ignoresCase ? String(decoding: text.utf8.map(lowered), as: UTF8.self) : text)
            names.advanced(by: index).initialize(to: name)
            lengths |= 1 << UInt64(min(name.length, 63))
            if let first = name.start?.pointee { firstOctets |= 1 << UInt64(first & 63) }
        }
        (self.lengths, self.firstOctets) = (lengths, firstOctets)
    }

    func deallocate() {
        for index in 0..<count { names[index].deallocate() }
        names.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    func contains(_ name: berth_octets) -> Bool {
        guard lengths & (1 &<< UInt64(min(name.length, 63))) != 0, let first = name.start?.pointee else { return false }
        guard firstOctets & (1 &<< UInt64((ignoresCase ? lowered(first) : first) & 63)) != 0 else { return false }
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
