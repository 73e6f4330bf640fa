import BerthHTTP

/// Cooking as a sentence of its specification after the other, slowly: what `TargetCooking` has to agree with.
struct ReferenceCooking {
    let limits: CookingLimits

    /// The cooked path, or nil where the path is refused.
    func cook(_ raw: [UInt8]) -> [UInt8]? {
        if raw == [0x2a] { return raw }
        guard raw.first == 0x2f else { return nil }
        var cooked: [[UInt8]] = []
        var endsWithSlash = false
        for (index, segment) in raw.dropFirst().split(separator: 0x2f, omittingEmptySubsequences: false).enumerated() {
            if limits.segmentsMax > 0, index >= limits.segmentsMax { return nil }
            guard let decoded = decode(Array(segment)) else { return nil }
            guard let text = String(validating: decoded, as: UTF8.self) else { return nil }
            let holdsC1 = text.unicodeScalars.contains { (0x80...0x9f).contains($0.value) }
            if holdsC1, !limits.allowsControls { return nil }
            if limits.segmentLengthMax > 0, text.unicodeScalars.count > limits.segmentLengthMax { return nil }
            endsWithSlash = text == "." || text == ".."
            switch text {
            case ".": break
            case "..": if !cooked.isEmpty { cooked.removeLast() }
            default: cooked.append(decoded)
            }
        }
        if endsWithSlash { cooked.append([]) }
        return cooked.flatMap { [0x2f] + $0 }
    }

    private func decode(_ segment: [UInt8]) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = segment[...]
        while let octet = rest.popFirst() {
            if octet != UInt8(ascii: "%") {
                if octet <= 0x20 || octet == 0x7f || octet == UInt8(ascii: "\\") { return nil }
                decoded.append(octet)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.utf8.allSatisfy({ $0 < 0x80 }), digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16)
            else { return nil }
            rest = rest.dropFirst(2)
            switch value {
            case 0, 0x0a, 0x0d: return nil
            case 0..<0x20, 0x7f:
                if !limits.allowsControls { return nil }
                decoded.append(value)
            case 0x2f: decoded += Array("%2F".utf8)
            case 0x5c: decoded += Array("%5C".utf8)
            default: decoded.append(value)
            }
        }
        return decoded
    }
}
