import Glibc

/// Looks at a shared library before it is loaded: dlopen maps a file as its header says, and a file that is shorter than that
/// (a copy that is still going on, a full disk) ends the process with SIGBUS.
///
/// Reads the ELF header and the program headers, nothing else. Source: the ELF-64 object file format.
enum SharedObjectFile {
    /// ELF machine numbers of the architectures Berth is built for.
    #if arch(x86_64)
        private static let machine: UInt16 = 62
    #elseif arch(arm64)
        private static let machine: UInt16 = 183
    #endif
    private static let headerSize = 64
    private static let programHeaderSize = 56
    private static let loadable: UInt32 = 1
    private static let sharedObject: UInt16 = 3

    /// What is wrong with the file, or nil when dlopen may have it. Files that cannot be opened are left to dlopen's own words.
    static func problem(of path: String) -> String? {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if fd < 0 { return nil }
        defer { _ = close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0 else { return nil }
        if status.st_mode & S_IFMT != S_IFREG { return "it is no regular file" }
        let size = UInt64(status.st_size)
        guard let header = read(fd, at: 0, headerSize) else { return "it is too short for a shared library" }
        if !header.starts(with: [0x7f, 0x45, 0x4c, 0x46]) { return "it is no shared library (no ELF header)" }
        if header[4] != 2 || header[5] != 1 { return "it is not for a 64-bit little-endian machine" }
        if number(header, 16, 2) != UInt64(sharedObject) { return "it is an ELF file, but no shared library" }
        if number(header, 18, 2) != UInt64(machine) {
            return "it is for another architecture (ELF machine \(number(header, 18, 2)), this host is \(machine))"
        }
        let start = number(header, 32, 8)
        let entrySize = number(header, 54, 2)
        let count = number(header, 56, 2)
        if entrySize != UInt64(programHeaderSize) || start > size || count * entrySize > size - start {
            return "it is cut off or damaged (its program headers lie outside the file)"
        }
        for index in 0..<count {
            guard let entry = read(fd, at: start + index * entrySize, programHeaderSize) else {
                return "it is cut off or damaged (its program headers cannot be read)"
            }
            if number(entry, 0, 4) != UInt64(loadable) { continue }
            let (end, overflow) = number(entry, 8, 8).addingReportingOverflow(number(entry, 32, 8))
            if overflow || end > size {
                return "it is cut off: it has \(size) octets, and its header speaks of \(overflow ? UInt64.max : end)"
            }
        }
        return nil
    }

    private static func read(_ fd: Int32, at offset: UInt64, _ count: Int) -> [UInt8]? {
        if offset > UInt64(Int64.max) - UInt64(count) { return nil }
        var octets = [UInt8](repeating: 0, count: count)
        return pread(fd, &octets, count, off_t(offset)) == count ? octets : nil
    }

    /// Little-endian.
    private static func number(_ octets: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(octets[offset + index]) }
        return value
    }
}
