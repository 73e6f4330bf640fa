import CBerthBytes

/// Lists of options: the Connection field (RFC 9110 §7.6.1) and TE. Empty members are skipped, case does not count.
enum ConnectionOptions {
    /// Adds what a Connection value says to `flags`.
    @inline(__always)
    static func gather(_ value: UnsafePointer<UInt8>, _ count: Int, into flags: inout RequestHead.Flags) {
        // What nearly every client sends.
        if count == 10, Lowercase.matches(value, "keep-alive") {
            flags.insert(.connectionKeepAlive)
        } else {
            gatherList(value, count, into: &flags)
        }
    }

    @inline(never)
    private static func gatherList(_ value: UnsafePointer<UInt8>, _ count: Int, into flags: inout RequestHead.Flags) {
        var cursor = ListCursor(value, count)
        while cursor.advance() {
            let member = value + cursor.offset
            if OctetRules.equal(member, cursor.length, "close") {
                flags.insert(.connectionClose)
            } else if OctetRules.equal(member, cursor.length, "keep-alive") {
                flags.insert(.connectionKeepAlive)
            } else if OctetRules.equal(member, cursor.length, "upgrade") {
                flags.insert(.connectionUpgrade)
            } else {
                flags.insert(.connectionHasOtherOptions)
            }
        }
    }

    /// Whether a member of the list, parameters left aside, equals `option`, which is lower-case.
    static func list(_ value: UnsafePointer<UInt8>, _ count: Int, holds option: StaticString) -> Bool {
        var cursor = ListCursor(value, count)
        while cursor.advance() {
            let member = value + cursor.offset
            let semicolon = cberth_find_octet(member, member + cursor.length, UInt8(ascii: ";"))
            var end = semicolon
            while end > member, OctetRules.isWhitespace(end[-1]) { end -= 1 }
            if OctetRules.equal(member, end - member, option) { return true }
        }
        return false
    }
}
