import BerthControl
import Glibc

/// Reads a file that the caller named.
enum TextFile {
    static func read(_ path: String) throws(CommandFailure) -> String {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw failure(path, errno) }
        defer { close(fd) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw failure(path, errno)
            }
            octets += buffer[..<count]
            guard octets.count <= ControlRoute.contentSizeMax else {
                throw CommandFailure(
                    "\(path) is larger than \(ControlRoute.contentSizeMax) octets", status: .failed, type: "file")
            }
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw CommandFailure("\(path) is not UTF-8 text", status: .configurationHasErrors, type: "file")
        }
        return text
    }

    private static func failure(_ path: String, _ code: Int32) -> CommandFailure {
        let status: ExitStatus =
            switch code {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM: .notPermitted
            default: .failed
            }
        let reason = String(cString: strerror(code))
        return CommandFailure(
            "\(path): \(reason.prefix(1).lowercased() + reason.dropFirst())", status: status, type: "file")
    }
}
