import BerthControl
import BerthConfiguration
import BerthEventLoop
import Glibc

/// The file with the daemon's state, replaced as a whole so that a crash leaves the one before. Control thread only; blocks.
struct StateFile {
    /// Octets that are read. Ours: `DaemonState.namesMax` names with room.
    private static let sizeMax = 4 << 20

    let directory: String
    var path: String { directory + "/state.json" }

    init(directory: String) { self.directory = directory }

    /// What was remembered. Nothing where there is no file; with a reason where there is one that cannot be used.
    func read() -> (state: DaemonState, problem: String?) {
        do throws(FileAccess.Failure) {
            let octets = try FileAccess.system.read(path, Self.sizeMax)
            guard let state = try? ControlJSON.decode(DaemonState.self, from: octets), state.version == 1 else {
                return (DaemonState(), "it is not a state file of this release")
            }
            return (state, nil)
        } catch .notFound {
            return (DaemonState(), nil)
        } catch .system(let code) {
            return (DaemonState(), String(cString: strerror(code)))
        } catch {
            return (DaemonState(), "it is no file, or larger than \(Self.sizeMax) octets")
        }
    }

    /// Nil: it is on the disk.
    func write(_ state: DaemonState) -> SystemError? {
        guard let octets = try? ControlJSON.encode(state, pretty: true) else { return SystemError("encode", EINVAL) }
        let next = path + ".new"
        let fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard fd >= 0 else { return SystemError("open", errno) }
        var rest = (octets + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return failed("write", fd) }
            rest = rest.dropFirst(count)
        }
        guard fsync(fd) == 0 else { return failed("fsync", fd) }
        close(fd)
        return rename(next, path) == 0 ? nil : SystemError("rename", errno)
    }

    private func failed(_ operation: StaticString, _ fd: Int32) -> SystemError {
        let code = errno
        close(fd)
        return SystemError(operation, code)
    }
}
