import Glibc

// libFuzzer brings `main` and calls this with one input after the other; `scripts/fuzz` says which target it is for.

private let target: FuzzTarget? = getenv("BERTH_FUZZ_TARGET").flatMap { FuzzTarget(rawValue: String(cString: $0)) }

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ octets: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else {
        say("BERTH_FUZZ_TARGET is to name one of: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
        exit(2)
    }
    do {
        try target.check(Array(UnsafeBufferPointer(start: octets, count: count)))
    } catch {
        say("\(target.rawValue): \(error)")
        abort()
    }
    return 0
}

private func say(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
}
