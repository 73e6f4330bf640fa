import BerthActivation
import BerthEventLoop
import CBerthSystem
import Glibc

/// The files that standard output and error of workers go to as well, where an application asks for one.
///
/// A file for each worker process, named `PATH_yyyyMMddHHmmss_PID.log` after its start in UTC; PID is the daemon's, as ANCM
/// names it after the worker process of IIS. A file that cannot be made is told once, and the application runs without.
/// Control thread only. Source: ANCM `stdoutLogFile`.
struct WorkerLogFiles {
    private let system: UnsafePointer<cberth_system>
    private var descriptors: [Int32: Int32] = [:]

    init(system: UnsafePointer<cberth_system>) { self.system = system }

    /// A worker of an application with a log file was started.
    ///
    /// - Parameter prefix: absolute.
    mutating func open(prefix: String, pid: Int32, startedWall: Int64) {
        close(pid: pid)
        var seconds = time_t(startedWall / 1_000_000_000)
        var time = tm()
        gmtime_r(&seconds, &time)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let stamp =
            "\(time.tm_year + 1900)\(two(time.tm_mon + 1))\(two(time.tm_mday))"
            + "\(two(time.tm_hour))\(two(time.tm_min))\(two(time.tm_sec))"
        let path = "\(prefix)_\(stamp)_\(getpid()).log"
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            // That it exists is no error; what else is wrong shows when the file is opened.
            _ = system.pointee.make_directory(system, folder, 0o755)
        }
        let fd = system.pointee.open_append(system, path, 0o640)
        if fd < 0 {
            DaemonLog.warning(
                "the log file \(path) of pid \(pid) cannot be opened: \(SystemError("open", -fd).reason); it runs without one"
            )
            return
        }
        descriptors[pid] = fd
    }

    /// A worker wrote a line.
    mutating func write(_ line: OutputLine) {
        guard let fd = descriptors[line.pid] else { return }
        var text = line.text + "\n"
        let written = text.withUTF8 { octets in
            octets.baseAddress.map { system.pointee.write_some(system, fd, $0, octets.count) } ?? 0
        }
        if written < 0 {
            DaemonLog.warning(
                "the log file of pid \(line.pid) cannot be written: \(SystemError("write", Int32(-written)).reason); "
                    + "nothing more is written to it")
            close(pid: line.pid)
        }
    }

    /// A worker has ended.
    mutating func close(pid: Int32) {
        if let fd = descriptors.removeValue(forKey: pid) { _ = system.pointee.close(system, fd) }
    }
}
