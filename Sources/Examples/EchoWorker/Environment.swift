import Glibc

/// What the host tells its worker.
struct Environment: Sendable {
    /// Every variable, "NAME=value", sorted.
    let all: [String]

    init() {
        var all: [String] = []
        var next = environ
        while let entry = next.pointee {
            all.append(String(cString: entry))
            next += 1
        }
        self.all = all.sorted()
    }

    subscript(_ name: String) -> String? {
        all.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// The pairing token: who doesn't send it is not the host.
    var token: String? { self["ASPNETCORE_TOKEN"].flatMap { $0.isEmpty ? nil : $0 } }

    /// "" or "/api": the path the application is mounted at.
    var pathBase: String {
        let path = self["ASPNETCORE_APPL_PATH"] ?? "/"
        return path == "/" ? "" : path
    }
}

/// Where the worker listens.
enum Listening {
    struct Failure: Error {
        let description: String
    }

    /// The inherited descriptor (LISTEN_FDS), else the Unix socket BERTH_SOCKET, else 127.0.0.1 at ASPNETCORE_PORT or PORT.
    static func open(_ environment: Environment) throws(Failure) -> Int32 {
        let isForUs = environment["LISTEN_PID"].map { $0 == String(getpid()) } ?? true
        if isForUs, let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count >= 1 { return 3 }
        if let path = environment["BERTH_SOCKET"] { return try openUnix(path) }
        guard let port = environment["ASPNETCORE_PORT"] ?? environment["PORT"] else {
            throw Failure(description: "none of LISTEN_FDS, BERTH_SOCKET, ASPNETCORE_PORT and PORT is set")
        }
        if port.hasPrefix("/") { return try openUnix(port) }
        guard let number = UInt16(port) else { throw Failure(description: "'\(port)' is no port") }
        return try openLoopback(number)
    }

    private static func openUnix(_ path: String) throws(Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Failure(description: "'\(path)' is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
        unlink(path)
        return try listening(on: &address, family: AF_UNIX)
    }

    private static func openLoopback(_ port: UInt16) throws(Failure) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return try listening(on: &address, family: AF_INET)
    }

    private static func listening<Address>(on address: inout Address, family: Int32) throws(Failure) -> Int32 {
        let fd = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw failure("socket") }
        var one: Int32 = 1
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        let size = socklen_t(MemoryLayout<Address>.size)
        let isBound = withUnsafePointer(to: &address) {
            bind(fd, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), size) == 0
        }
        guard isBound else { throw failure("bind") }
        guard listen(fd, 511) == 0 else { throw failure("listen") }
        return fd
    }

    private static func failure(_ operation: String) -> Failure {
        Failure(description: "\(operation): \(String(cString: strerror(errno)))")
    }
}
