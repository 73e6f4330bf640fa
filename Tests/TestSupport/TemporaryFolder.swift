import Glibc

/// A folder of a test's own, gone with everything in it when the value is.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/berth-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure.system("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        Self.remove(path)
    }

    /// What cannot be removed stays: a test is not about that.
    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in Files.names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    /// Writes a file whole, at once for whoever reads it, and the folders above it. The result is its path.
    @discardableResult
    public func write(_ name: String, _ octets: [UInt8], mode: UInt32 = 0o644) throws -> String {
        let file = path + "/" + name
        if let slash = name.lastIndex(of: "/") { try make(String(name[..<slash])) }
        let fd = open(file + "~", O_CREAT | O_WRONLY | O_TRUNC, mode)
        guard fd >= 0 else { throw Failure.system("open \(file)~") }
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure.system("write \(file)~") }
            rest = rest.dropFirst(count)
        }
        fchmod(fd, mode)
        close(fd)
        guard rename(file + "~", file) == 0 else { throw Failure.system("rename \(file)") }
        return file
    }

    @discardableResult
    public func write(_ name: String, _ text: String, mode: UInt32 = 0o644) throws -> String {
        try write(name, Array(text.utf8), mode: mode)
    }

    /// A file of that size without a block on the disk.
    @discardableResult
    public func writeSparse(_ name: String, size: Int) throws -> String {
        let file = try write(name, "")
        guard truncate(file, size) == 0 else { throw Failure.system("truncate \(file)") }
        return file
    }

    public func remove(_ name: String) throws {
        guard unlink(path + "/" + name) == 0 else { throw Failure.system("unlink \(name)") }
    }

    public func make(_ folder: String) throws {
        var made = path
        for part in folder.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else { throw Failure.system("mkdir \(made)") }
        }
    }

    /// The text of a file; nil when there is none.
    public func read(_ name: String) -> String? { Files.text(path + "/" + name) }
}

extension TemporaryFolder {
    /// A symbolic link.
    public func link(_ name: String, to target: String) throws {
        guard symlink(target, path + "/" + name) == 0 else { throw Failure.system("symlink \(name)") }
    }
}
