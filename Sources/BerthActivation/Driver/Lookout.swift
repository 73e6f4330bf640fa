import CBerthSystem
import Glibc

/// Looks whether a worker listens, without connecting to it, and whether it is the worker who does.
struct Lookout {
    /// Sockets that listen on one port: addresses of the machine at most.
    private static let listenersMax = 64

    let system: UnsafePointer<cberth_system>
    /// Whether a socket can be bound to `::1`.
    let hasIPv6Loopback: Bool

    init(system: UnsafePointer<cberth_system>) {
        self.system = system
        var endpoint = cberth_endpoint()
        _ = cberth_address_parse("::1", &endpoint.address)
        let fd = system.pointee.listen_on(system, &endpoint, 1)
        hasIPv6Loopback = fd >= 0
        if fd >= 0 { _ = system.pointee.close(system, fd) }
    }

    /// What listens at the place that the worker was given. `port` replaces it where the worker was found already.
    func sightings(for record: WorkerRecord) -> [StartupProbe.Sighting] {
        switch record.assigned {
        case .port(let port): return tcp(port, record)
        case .unixSocket(let path), .inherited(let path):
            var inode: UInt64 = 0
            guard system.pointee.unix_listener(system, path, &inode) == 1 else { return [] }
            return [.init(path: path, ownership: ownership(of: inode, madeBy: nil, record))]
        }
    }

    private func tcp(_ port: UInt16, _ record: WorkerRecord) -> [StartupProbe.Sighting] {
        let listeners = [cberth_listener](unsafeUninitializedCapacity: Self.listenersMax) { buffer, filled in
            guard let start = buffer.baseAddress else { return }
            filled = max(0, Int(system.pointee.tcp_listeners(system, port, start, Int32(buffer.count))))
        }
        return listeners.compactMap { listener in
            var address = listener.address
            var text = [CChar](repeating: 0, count: 64)
            let length = Int(cberth_address_format(&address, &text, text.count))
            let name = String(decoding: text.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
            return StartupProbe.Sighting(
                address: name, port: port, ownership: ownership(of: listener.inode, madeBy: listener.user, record),
                hasIPv6Loopback: hasIPv6Loopback)
        }
    }

    private func ownership(of inode: UInt64, madeBy user: UInt32?, _ record: WorkerRecord) -> StartupProbe.Ownership {
        var isHidden = false
        func holds(_ pid: Int32) -> Bool {
            let result = system.pointee.holds_socket(system, pid, inode)
            if result == -EACCES || result == -EPERM { isHidden = true }
            return result == 1
        }
        if holds(record.pid) { return .worker(pid: record.pid) }
        for pid in ProcessTree(system: system).members(of: record) where pid != record.pid && holds(pid) {
            return .worker(pid: pid)
        }
        // The descriptors of another user's process are not ours to see without privileges. The socket's user is: who
        // could make it as the worker's user is, for our purposes, the worker.
        if isHidden, user == nil || user == record.user { return .worker(pid: record.pid) }
        return .foreign
    }
}
