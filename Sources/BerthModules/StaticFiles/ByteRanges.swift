internal import CBerthModule

/// The ranges a client asks for (RFC 9110 §14).
enum ByteRanges {
    /// Ranges answered in one response; a request for more gets the whole file. Ours: a player asks for one, a document
    /// viewer for a few.
    static let countMax = 16

    enum Reading: Equatable {
        /// No range that is understood, or too many: the whole file.
        case whole
        /// None of them lies in the file: 416.
        case unsatisfiable
        /// In the order they were asked for, at most `countMax`; none empty, none past the end.
        case ranges([Range<Int>])
    }

    /// Reads the value of a Range field for a file of `size` octets.
    static func read(_ value: berth_octets, size: Int) -> Reading {
        // There is nothing to give a part of.
        guard size > 0, value.hasLoweredPrefix("bytes="), let start = value.start else { return .whole }
        var ranges: [Range<Int>] = []
        var (position, count, total) = (6, 0, 0)
        let end = value.length
        while position <= end {
            // One element, up to the comma; empty ones are allowed (RFC 9110 §5.6.1).
            var last = position
            while last < end, start[last] != 0x2c { last += 1 }
            let element = berth_octets(start + position, last - position).trimmed
            position = last + 1
            if element.count == 0 { continue }
            count += 1
            guard count <= countMax, let (first, final) = bounds(element) else { return .whole }
            let range: Range<Int>
            switch (first, final) {
            case (let first?, let final?):
                guard first <= final else { return .whole }
                range = first < size ? first..<min(final, size - 1) + 1 : 0..<0
            case (let first?, nil): range = first < size ? first..<size : 0..<0
            case (nil, let suffix?): range = suffix > 0 ? max(0, size - suffix)..<size : 0..<0
            case (nil, nil): return .whole
            }
            if !range.isEmpty {
                ranges.append(range)
                total += range.count
            }
        }
        guard count > 0 else { return .whole }
        if ranges.isEmpty { return .unsatisfiable }
        // Overlapping ranges that add up to more than the file are an attack or a mistake (RFC 9110 §14.2).
        return ranges.count > 1 && total > size ? .whole : .ranges(ranges)
    }

    /// "5-9", "5-" or "-9".
    private static func bounds(_ element: berth_octets) -> (Int?, Int?)? {
        guard let dash = element.index(of: 0x2d) else { return nil }
        let (first, final) = (element.prefix(dash), element.dropFirst(dash + 1))
        let (firstValue, finalValue) = (number(first), number(final))
        guard first.count == 0 || firstValue != nil, final.count == 0 || finalValue != nil else { return nil }
        return (firstValue, finalValue)
    }

    /// Digits only; a number too large to count with is the largest there is.
    private static func number(_ digits: berth_octets) -> Int? {
        guard let start = digits.start, digits.count > 0 else { return nil }
        var value = 0
        for index in 0..<digits.length {
            let digit = start[index] &- 0x30
            guard digit < 10 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            value = overflow || scaled > Int.max - 10 ? Int.max - 10 : scaled + Int(digit)
        }
        return value
    }
}
