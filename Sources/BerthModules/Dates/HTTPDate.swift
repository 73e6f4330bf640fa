internal import CBerthModule

/// Dates of HTTP fields (RFC 9110 §5.6.7).
enum HTTPDate {
    /// Octets of the preferred form, "Sun, 06 Nov 1994 08:49:37 GMT".
    static let length = 29

    private static let days: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    /// Writes the preferred form: `length` octets.
    static func write(_ seconds: Int64, to room: UnsafeMutablePointer<UInt8>) {
        let date = CivilDate(seconds: seconds)
        var end = room
        func put(_ text: UnsafePointer<UInt8>, _ count: Int) {
            end.update(from: text, count: count)
            end += count
        }
        func put(_ value: Int, digits: Int) {
            var rest = value
            for place in stride(from: digits - 1, through: 0, by: -1) {
                end[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            end += digits
        }
        func put(_ text: StaticString) { put(text.utf8Start, text.utf8CodeUnitCount) }
        put(days.utf8Start + 3 * date.weekday, 3)
        put(", ")
        put(date.day, digits: 2)
        put(" ")
        put(months.utf8Start + 3 * (date.month - 1), 3)
        put(" ")
        put(date.year, digits: 4)
        put(" ")
        put(date.hour, digits: 2)
        put(":")
        put(date.minute, digits: 2)
        put(":")
        put(date.second, digits: 2)
        put(" GMT")
    }

    /// Seconds since 1970; nil for what is no date. All three forms are read; `now` decides the century of the oldest.
    static func read(_ value: berth_octets, now: Int64) -> Int64? {
        guard let start = value.start else { return nil }
        var scanner = Scanner(next: start, end: start + value.length)
        guard let weekday = scanner.word() else { return nil }
        if scanner.skip(0x2c) {
            guard scanner.skip(0x20), let day = scanner.number(digits: 2) else { return nil }
            if scanner.skip(0x20) {
                // IMF-fixdate: 06 Nov 1994 08:49:37 GMT
                guard weekday == 3, let month = scanner.month(), scanner.skip(0x20),
                    let year = scanner.number(digits: 4),
                    scanner.skip(0x20)
                else { return nil }
                return scanner.timeAndZone(year, month, day)
            }
            // RFC 850: 06-Nov-94 08:49:37 GMT, read as the last such year that isn't more than 50 years ahead.
            guard scanner.skip(0x2d), let month = scanner.month(), scanner.skip(0x2d),
                let short = scanner.number(digits: 2), scanner.skip(0x20)
            else { return nil }
            let thisYear = CivilDate(seconds: now).year
            var year = thisYear / 100 * 100 + short
            if year > thisYear + 50 { year -= 100 }
            return scanner.timeAndZone(year, month, day)
        }
        // asctime: Sun Nov  6 08:49:37 1994
        guard weekday == 3, scanner.skip(0x20), let month = scanner.month(), scanner.skip(0x20) else { return nil }
        guard let day = scanner.skip(0x20) ? scanner.number(digits: 1) : scanner.number(digits: 2), scanner.skip(0x20),
            let (hour, minute, second) = scanner.time(), scanner.skip(0x20), let year = scanner.number(digits: 4),
            scanner.isAtEnd
        else { return nil }
        return CivilDate.seconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    private struct Scanner {
        var next: UnsafePointer<UInt8>
        let end: UnsafePointer<UInt8>

        var isAtEnd: Bool { next == end }

        mutating func skip(_ octet: UInt8) -> Bool {
            guard next < end, next.pointee == octet else { return false }
            next += 1
            return true
        }

        /// Skips letters; how many there were, 3 through 9.
        mutating func word() -> Int? {
            let first = next
            while next < end, lowered(next.pointee) &- 0x61 < 26 { next += 1 }
            return (3...9).contains(next - first) ? next - first : nil
        }

        mutating func number(digits: Int) -> Int? {
            guard end - next >= digits else { return nil }
            var value = 0
            for _ in 0..<digits {
                let digit = next.pointee &- 0x30
                guard digit < 10 else { return nil }
                value = value * 10 + Int(digit)
                next += 1
            }
            return value
        }

        /// 1 through 12.
        mutating func month() -> Int? {
            guard end - next >= 3 else { return nil }
            let names = HTTPDate.months.utf8Start
            for month in 0..<12
            where names[3 * month] == next[0] && names[3 * month + 1] == next[1] && names[3 * month + 2] == next[2] {
                next += 3
                return month + 1
            }
            return nil
        }

        mutating func time() -> (Int, Int, Int)? {
            guard let hour = number(digits: 2), skip(0x3a), let minute = number(digits: 2), skip(0x3a),
                let second = number(digits: 2)
            else { return nil }
            return (hour, minute, second)
        }

        mutating func timeAndZone(_ year: Int, _ month: Int, _ day: Int) -> Int64? {
            guard let (hour, minute, second) = time(), skip(0x20), skip(0x47), skip(0x4d), skip(0x54), isAtEnd else {
                return nil
            }
            return CivilDate.seconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        }
    }
}
