import Glibc

/// A folder that goes away together with what was written into it.
final class ScratchFolder {
    struct Failed: Error { var errno: Int32 }

    let path: String
    private var files: [String] = []

    init() throws {
        var template = Array("/tmp/berth-check-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failed(errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for file in files { unlink(file) }
        rmdir(path)
    }

    /// Returns the path of the file.
    func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        let fd = open(file, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        guard fd >= 0 else { throw Failed(errno: errno) }
        defer { close(fd) }
        files.append(file)
        guard Glibc.write(fd, text, text.utf8.count) == text.utf8.count else { throw Failed(errno: errno) }
        return file
    }
}
