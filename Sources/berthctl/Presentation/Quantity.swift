/// Numbers with their units, as people read them.
package enum Quantity {
    /// The two largest units of a length of time: `3 d 4 h`, `12 min 5 s`, `340 ms`.
    package static func time(milliseconds: UInt64) -> String {
        guard milliseconds >= 1000 else { return "\(milliseconds) ms" }
        let units: [(String, UInt64)] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
        let seconds = milliseconds / 1000
        guard seconds >= 10 else { return "\(seconds).\(milliseconds % 1000 / 100) s" }
        guard let largest = units.firstIndex(where: { seconds >= $0.1 }) else { return "0 s" }
        let first = "\(seconds / units[largest].1) \(units[largest].0)"
        guard largest + 1 < units.count else { return first }
        let rest = seconds % units[largest].1 / units[largest + 1].1
        return rest == 0 ? first : "\(first) \(rest) \(units[largest + 1].0)"
    }

    /// The same, of whole seconds; a length that no clock measures is shown as the longest that is.
    package static func time(seconds: UInt64) -> String {
        time(milliseconds: min(seconds, UInt64.max / 1000) * 1000)
    }

    /// `512 B`, `14.2 MiB`.
    package static func size(octets: UInt64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard octets >= 1024 else { return "\(octets) B" }
        var tenths = octets / 1024 * 10 + octets % 1024 * 10 / 1024
        var unit = 0
        while tenths >= 10_240, unit + 1 < units.count { (tenths, unit) = (tenths / 1024, unit + 1) }
        return tenths >= 1000 ? "\(tenths / 10) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// `1 site`, `2 sites`.
    package static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }
}
