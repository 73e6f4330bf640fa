import Glibc

/// Texts as C wants them: a null-terminated array of NUL-terminated strings. Freed by hand.
struct CStringArray {
    let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    /// A text is cut at a NUL, which nobody can have written into a file or a command line.
    init(_ texts: [String]) {
        count = texts.count
        pointers = .allocate(capacity: count + 1)
        for (index, text) in texts.enumerated() {
            (pointers + index).initialize(to: strdup(text).map { UnsafePointer($0) })
        }
        (pointers + count).initialize(to: nil)
    }

    func free() {
        for index in 0..<count { Glibc.free(UnsafeMutablePointer(mutating: pointers[index])) }
        pointers.deallocate()
    }
}
