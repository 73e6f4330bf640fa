import BerthConfiguration
import BerthEventLoop
import Glibc

/// A folder that only its maker may enter, removed with everything in it when its owner lets go.
struct TemporaryFolder: ~Copyable {
    let path: String

    /// The longest folder to make it in: a Unix socket inside has to fit into the 107 octets of its address.
    private static let baseLengthMax = 64

    /// Makes `berth-XXXXXX` in `TMPDIR`, else in `/tmp`.
    init() throws(SystemError) {
        let wanted = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let base = wanted.hasPrefix("/") && wanted.utf8.count <= Self.baseLengthMax ? wanted : "/tmp"
        var template = Array("\(base)/berth-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path, depth: 0) }

    /// What cannot be removed stays; links are removed, not followed.
    private static func remove(_ path: String, depth: Int) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        if depth < 64, let names = try? FileAccess.system.list(path, 65536) {
            for name in names { remove(path + "/" + name, depth: depth + 1) }
        }
        rmdir(path)
    }
}
