import CBerthBytes

/// Dates in the three formats of RFC 9110 §5.6.7; only the first one is written.
public enum HTTPDate {
    /// Octets of an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    @inlinable @inline(__always)
    public static var length: Int { 29 }

    /// The last second that four digits of year can tell, 9999-12-31 23:59:59.
    public static let latest: Int64 = 253_402_300_799

    private static var dayNames: StaticString { "SunMonTueWedThuFriSat" }
    private static var monthNames: StaticString { "JanFebMarAprMayJunJulAugSepOctNovDec" }

    /// Writes `unixSeconds`, seconds since 1970 UTC, as IMF-fixdate: 29 octets. What lies outside years 1970–9999 is moved into it.
    public static func write(_ unixSeconds: Int64, to place: UnsafeMutablePointer<UInt8>) {
        let seconds = min(max(unixSeconds, 0), latest)
        let days = seconds / 86_400
        let time = Int(seconds % 86_400)
        let (year, month, day) = civil(days)
        let weekday = Int((days + 4) % 7)
        copy3(dayNames.utf8Start + weekday * 3, place)
        place[3] = 0x2c
        place[4] = 0x20
        put2(day, place + 5)
        place[7] = 0x20
        copy3(monthNames.utf8Start + (month - 1) * 3, place + 8)
        place[11] = 0x20
        put2(year / 100, place + 12)
        put2(year % 100, place + 14)
        place[16] = 0x20
        put2(time / 3600, place + 17)
        place[19] = 0x3a
        put2(time / 60 % 60, place + 20)
        place[22] = 0x3a
        put2(time % 60, place + 23)
        place[25] = 0x20
        copy3(("GMT" as StaticString).utf8Start, place + 26)
    }

    /// Seconds since 1970 UTC of a date in any of the three formats, or nil for anything else. Case-sensitive, as the RFC is.
    ///
    /// A year of two digits means 1970 through 2069 (the RFC's rule of fifty years from now, fixed so that no clock is needed).
    /// The day of the week is checked for its form, not for being the right one. A leap second counts as the next second.
    public static func parse(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        var cursor = DateCursor(octets, count)
        if count == length, octets[3] == 0x2c {
            guard cursor.name(in: dayNames) != nil, cursor.skip(", "), let day = cursor.digits(2), cursor.skip(" "),
                let month = cursor.name(in: monthNames), cursor.skip(" "), let year = cursor.digits(4),
                cursor.skip(" "),
                let time = cursor.time(), cursor.skip(" GMT")
            else { return nil }
            return seconds(year, month + 1, day, time)
        }
        if count == 24, octets[3] == 0x20 {
            guard cursor.name(in: dayNames) != nil, cursor.skip(" "), let month = cursor.name(in: monthNames),
                cursor.skip(" "), let day = cursor.paddedDigits(), cursor.skip(" "), let time = cursor.time(),
                cursor.skip(" "), let year = cursor.digits(4)
            else { return nil }
            return seconds(year, month + 1, day, time)
        }
        guard cursor.longDayName(), cursor.skip(", "), let day = cursor.digits(2), cursor.skip("-"),
            let month = cursor.name(in: monthNames), cursor.skip("-"), let year = cursor.digits(2), cursor.skip(" "),
            let time = cursor.time(), cursor.skip(" GMT"), cursor.isAtEnd
        else { return nil }
        return seconds(year < 70 ? 2000 + year : 1900 + year, month + 1, day, time)
    }

    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Int) -> Int64? {
        guard day >= 1, day <= daysIn(month, year) else { return nil }
        return days(year, month, day) * 86_400 + Int64(time)
    }

    private static func daysIn(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 of a date of the Gregorian calendar; years begin in March so that the leap day comes last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return Int64(era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468)
    }

    /// The reverse, for days that are not negative.
    private static func civil(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func put2(_ number: Int, _ place: UnsafeMutablePointer<UInt8>) {
        place[0] = 0x30 &+ UInt8(truncatingIfNeeded: number / 10)
        place[1] = 0x30 &+ UInt8(truncatingIfNeeded: number % 10)
    }

    private static func copy3(_ from: UnsafePointer<UInt8>, _ place: UnsafeMutablePointer<UInt8>) {
        place[0] = from[0]
        place[1] = from[1]
        place[2] = from[2]
    }
}

/// Reads the pieces of a date from left to right.
private struct DateCursor {
    private let octets: UnsafePointer<UInt8>
    private let count: Int
    private var index = 0

    init(_ octets: UnsafePointer<UInt8>, _ count: Int) {
        self.octets = octets
        self.count = count
    }

    var isAtEnd: Bool { index == count }

    mutating func skip(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count - index >= length else { return false }
        for offset in 0..<length where octets[index + offset] != text.utf8Start[offset] { return false }
        index += length
        return true
    }

    mutating func digits(_ length: Int) -> Int? {
        guard count - index >= length else { return nil }
        var number = 0
        for offset in 0..<length {
            let digit = octets[index + offset] &- 0x30
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        index += length
        return number
    }

    /// Two digits, the first of which may be a space: the day in asctime's format.
    mutating func paddedDigits() -> Int? {
        if index < count, octets[index] == 0x20 {
            index += 1
            return digits(1)
        }
        return digits(2)
    }

    /// The position of a three-letter name in a row of them.
    mutating func name(in names: StaticString) -> Int? {
        guard count - index >= 3 else { return nil }
        for position in 0..<names.utf8CodeUnitCount / 3 {
            let name = names.utf8Start + position * 3
            if octets[index] == name[0], octets[index + 1] == name[1], octets[index + 2] == name[2] {
                index += 3
                return position
            }
        }
        return nil
    }

    mutating func longDayName() -> Bool {
        skip("Sunday") || skip("Monday") || skip("Tuesday") || skip("Wednesday") || skip("Thursday") || skip("Friday")
            || skip("Saturday")
    }

    /// `08:49:37` as seconds of the day; second 60 is a leap second.
    mutating func time() -> Int? {
        guard let hour = digits(2), skip(":"), let minute = digits(2), skip(":"), let second = digits(2),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }
}
