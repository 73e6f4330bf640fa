import CBerthBytes
public import CBerthSystem

/// Which of the registered prefixes a request belongs to: immutable, shared by all loops, built off them.
///
/// One hash over the host and a walk over that host's paths, longest first; ten thousand sites cost what one costs.
/// Strong wildcard, exact host (bound to the local address first), longest subdomain wildcard, IP-bound, weak wildcard: the
/// first of these with a path that fits ends the search. Paths match by whole segments, without regard to case.
/// Source: HTTP.sys routing of incoming requests.
public final class RoutingTable: @unchecked Sendable {
    /// Where a request goes.
    public enum Outcome {
        /// Index of the target, and duplicate slashes at the start of the path that were skipped.
        case target(Int, skipped: Int)
        /// No prefix of the endpoint accepts the host: 400 Hostname.
        case noHost
        /// A prefix accepts the host, none the path: 404 NotFound.
        case noPath
    }

    private struct PathEntry {
        /// Lower case, without the slash at the end; empty for "/".
        var text: UnsafePointer<UInt8>
        var length: Int
        var target: Int
    }

    /// A run in `paths`.
    private struct PathList {
        var start = 0
        var count = 0
    }

    private enum Kind: UInt8 { case name = 1, nameOnAddress, subdomains, subdomainsOnAddress, address }

    private struct HostEntry {
        var hash: UInt64
        var kind: UInt8
        var text: UnsafePointer<UInt8>
        var length: Int
        var address: cberth_address
        var list: PathList
    }

    /// What one port (and so one scheme) carries.
    private struct Port {
        var strong = PathList()
        var weak = PathList()
        var hasNames = false
        var hasBoundNames = false
        var hasSubdomains = false
        var hasBoundSubdomains = false
        var hasAddresses = false
        var hostStart = 0
        /// Slots of the hash table minus 1.
        var hostMask = 0
    }

    private let text: UnsafeMutablePointer<UInt8>
    private let paths: UnsafeMutablePointer<PathEntry>
    private let hosts: UnsafeMutablePointer<HostEntry>
    private let ports: UnsafeMutablePointer<Port>
    private let portNumbers: [UInt32]

    /// - Parameter prefixes: with the index of the target of each. Of two equal prefixes the first holds; the configuration
    ///   refuses the second before it comes here.
    public init(_ prefixes: [(prefix: URLPrefix, target: Int)]) {
        struct Key: Hashable {
            var port: UInt32
            var kind: UInt8  // 0 strong, 255 weak, else Kind
            var host: String
            var address: [UInt8]
        }
        var lists: [Key: [(path: [UInt8], target: Int)]] = [:]
        var order: [Key] = []
        for (prefix, target) in prefixes {
            func key(_ kind: UInt8, _ host: String = "", _ address: cberth_address? = nil) -> Key {
                Key(port: prefix.port, kind: kind, host: host, address: address.map(Self.octets) ?? [])
            }
            let k: Key =
                switch prefix.host {
                case .strongWildcard: key(0)
                case .name(let name, on: nil): key(Kind.name.rawValue, name.lowercased())
                case .name(let name, on: let address?): key(Kind.nameOnAddress.rawValue, name.lowercased(), address)
                case .subdomains(of: let name, on: nil): key(Kind.subdomains.rawValue, name.lowercased())
                case .subdomains(of: let name, on: let address?):
                    key(Kind.subdomainsOnAddress.rawValue, name.lowercased(), address)
                case .address(let address): key(Kind.address.rawValue, "", address)
                case .weakWildcard: key(255)
                }
            var path = Array(prefix.path.utf8).map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
            while path.last == 0x2f { path.removeLast() }
            if lists[k] == nil { order.append(k) }
            if !(lists[k]?.contains { $0.path == path } ?? false) { lists[k, default: []].append((path, target)) }
        }

        let pathCount = lists.values.reduce(0) { $0 + $1.count }
        let textCount = lists.reduce(1) { $0 + $1.key.host.utf8.count + $1.value.reduce(0) { $0 + $1.path.count } }
        text = .allocate(capacity: textCount)
        paths = .allocate(capacity: max(pathCount, 1))
        portNumbers = Array(Set(order.map(\.port))).sorted()
        ports = .allocate(capacity: max(portNumbers.count, 1))
        ports.initialize(repeating: Port(), count: max(portNumbers.count, 1))

        var textEnd = 0
        var pathEnd = 0
        func store(_ octets: some Collection<UInt8>, _ text: UnsafeMutablePointer<UInt8>) -> UnsafePointer<UInt8> {
            let start = text + textEnd
            for octet in octets {
                text[textEnd] = octet
                textEnd += 1
            }
            return UnsafePointer(start)
        }
        var hostSlots = 0
        for port in portNumbers {
            let count = order.count { $0.port == port && $0.kind != 0 && $0.kind != 255 }
            var slots = 1
            while slots < count * 2 { slots *= 2 }
            hostSlots += slots
        }
        hosts = .allocate(capacity: max(hostSlots, 1))
        let empty = HostEntry(
            hash: 0, kind: 0, text: UnsafePointer(text), length: 0, address: cberth_address(), list: PathList())
        hosts.initialize(repeating: empty, count: max(hostSlots, 1))

        var hostStart = 0
        let byPort = Dictionary(grouping: order, by: \.port)
        for (index, number) in portNumbers.enumerated() {
            var port = Port()
            let keys = byPort[number] ?? []
            let count = keys.count { $0.kind != 0 && $0.kind != 255 }
            var slots = 1
            while slots < count * 2 { slots *= 2 }
            port.hostStart = hostStart
            port.hostMask = slots - 1
            for key in keys {
                let entries = (lists[key] ?? []).sorted { $0.path.count > $1.path.count }
                let list = PathList(start: pathEnd, count: entries.count)
                for entry in entries {
                    let start = store(entry.path, text)
                    (paths + pathEnd).initialize(
                        to: PathEntry(text: start, length: entry.path.count, target: entry.target))
                    pathEnd += 1
                }
                switch key.kind {
                case 0: port.strong = list
                case 255: port.weak = list
                default:
                    guard let kind = Kind(rawValue: key.kind) else { continue }
                    switch kind {
                    case .name: port.hasNames = true
                    case .nameOnAddress: port.hasBoundNames = true
                    case .subdomains: port.hasSubdomains = true
                    case .subdomainsOnAddress: port.hasBoundSubdomains = true
                    case .address: port.hasAddresses = true
                    }
                    var address = cberth_address()
                    if !key.address.isEmpty {
                        address.family = key.address[0]
                        withUnsafeMutableBytes(of: &address.bytes) { $0.copyBytes(from: key.address[1...]) }
                    }
                    let start = store(key.host.utf8, text)
                    let length = key.host.utf8.count
                    let hash = Self.hash(kind, start, length, address)
                    var slot = Int(truncatingIfNeeded: hash) & port.hostMask
                    while hosts[hostStart + slot].kind != 0 { slot = (slot + 1) & port.hostMask }
                    hosts[hostStart + slot] = HostEntry(
                        hash: hash, kind: kind.rawValue, text: start, length: length, address: address, list: list)
                }
            }
            ports[index] = port
            hostStart += slots
        }
    }

    deinit {
        text.deallocate()
        paths.deallocate()
        hosts.deallocate()
        ports.deallocate()
    }

    /// Which table a port has, for `route`; nil when nothing is registered there. Off the request path.
    public func indexOfPort(_ port: UInt32) -> Int? { portNumbers.firstIndex(of: port) }

    /// Every port something is registered on.
    public var registeredPorts: [UInt32] { portNumbers }

    /// Finds the target of a request.
    ///
    /// - Parameters:
    ///   - port: from `indexOfPort`.
    ///   - host: without port, any case; empty when the request names none.
    ///   - path: cooked, beginning with "/".
    /// Cost: about 150 instructions for an exact host with one path.
    public func route(
        port index: Int, localAddress: UnsafePointer<cberth_address>, host: UnsafePointer<UInt8>, hostLength: Int,
        path: UnsafePointer<UInt8>, pathLength: Int
    ) -> Outcome {
        let port = ports + index
        var accepted = false
        // Duplicate slashes at the start count for nothing here, and stay in the path that the application gets.
        var skipped = 0
        while skipped &+ 1 < pathLength && path[skipped] == 0x2f && path[skipped &+ 1] == 0x2f { skipped &+= 1 }

        if port.pointee.strong.count != 0 {
            accepted = true
            if let found = match(port.pointee.strong, path, pathLength, skipped) { return found }
        }
        if hostLength > 0 {
            if port.pointee.hasBoundNames,
                let list = lookUp(port, .nameOnAddress, host, hostLength, localAddress.pointee)
            {
                accepted = true
                if let found = match(list, path, pathLength, skipped) { return found }
            }
            if port.pointee.hasNames, let list = lookUp(port, .name, host, hostLength, cberth_address()) {
                accepted = true
                if let found = match(list, path, pathLength, skipped) { return found }
            }
            if port.pointee.hasSubdomains || port.pointee.hasBoundSubdomains {
                var dot = 0
                while dot < hostLength {
                    if host[dot] != 0x2e || dot == 0 {
                        dot &+= 1
                        continue
                    }
                    let suffix = host + (dot &+ 1)
                    let length = hostLength &- dot &- 1
                    dot &+= 1
                    if length <= 0 { break }
                    if port.pointee.hasBoundSubdomains,
                        let list = lookUp(port, .subdomainsOnAddress, suffix, length, localAddress.pointee)
                    {
                        accepted = true
                        if let found = match(list, path, pathLength, skipped) { return found }
                    }
                    if port.pointee.hasSubdomains,
                        let list = lookUp(port, .subdomains, suffix, length, cberth_address())
                    {
                        accepted = true
                        if let found = match(list, path, pathLength, skipped) { return found }
                    }
                }
            }
        }
        if port.pointee.hasAddresses, let list = lookUp(port, .address, host, 0, localAddress.pointee) {
            accepted = true
            if let found = match(list, path, pathLength, skipped) { return found }
        }
        if port.pointee.weak.count != 0 {
            accepted = true
            if let found = match(port.pointee.weak, path, pathLength, skipped) { return found }
        }
        return accepted ? .noPath : .noHost
    }

    @inline(__always)
    private func match(_ list: PathList, _ path: UnsafePointer<UInt8>, _ pathLength: Int, _ skipped: Int) -> Outcome? {
        var entry = UnsafePointer(paths) + list.start
        let end = entry + list.count
        let available = pathLength &- skipped
        while entry < end {
            let length = entry.pointee.length
            if length == 0 { return .target(entry.pointee.target, skipped: skipped) }
            if length <= available
                && (length == available || path[skipped &+ length] == 0x2f)
                && Self.equalIgnoringCase(path + skipped, entry.pointee.text, length)
            {
                return .target(entry.pointee.target, skipped: skipped)
            }
            entry += 1
        }
        return nil
    }

    @inline(__always)
    private func lookUp(
        _ port: UnsafeMutablePointer<Port>, _ kind: Kind, _ host: UnsafePointer<UInt8>, _ length: Int,
        _ address: cberth_address
    ) -> PathList? {
        let hash = Self.hash(kind, host, length, address)
        var slot = Int(truncatingIfNeeded: hash) & port.pointee.hostMask
        while true {
            let entry = hosts + (port.pointee.hostStart &+ slot)
            if entry.pointee.kind == 0 { return nil }
            if entry.pointee.hash == hash && entry.pointee.kind == kind.rawValue && entry.pointee.length == length
                && Self.equalIgnoringCase(host, entry.pointee.text, length)
                && Self.equal(address, entry.pointee.address)
            {
                return entry.pointee.list
            }
            slot = (slot &+ 1) & port.pointee.hostMask
        }
    }

    /// Octet for octet, by words that may overlap.
    @inline(__always)
    private static func equal(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let (a, b) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        if count >= 8 {
            var i = 0
            while i &+ 8 < count {
                if a.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                    != b.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                {
                    return false
                }
                i &+= 8
            }
            i = count &- 8
            return a.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                == b.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        }
        if count >= 4 {
            let i = count &- 4
            return a.loadUnaligned(as: UInt32.self) == b.loadUnaligned(as: UInt32.self)
                && a.loadUnaligned(fromByteOffset: i, as: UInt32.self)
                    == b.loadUnaligned(fromByteOffset: i, as: UInt32.self)
        }
        var i = 0
        while i < count {
            if a.load(fromByteOffset: i, as: UInt8.self) != b.load(fromByteOffset: i, as: UInt8.self) { return false }
            i &+= 1
        }
        return true
    }

    /// `known` is in lower case.
    @inline(__always)
    private static func equalIgnoringCase(_ given: UnsafePointer<UInt8>, _ known: UnsafePointer<UInt8>, _ count: Int)
        -> Bool
    {
        if equal(given, known, count) { return true }
        var i = 0
        while i < count {
            var octet = given[i]
            if octet &- 0x41 < 26 { octet |= 0x20 }
            if octet != known[i] { return false }
            i &+= 1
        }
        return true
    }

    @inline(__always)
    private static func equal(_ a: cberth_address, _ b: cberth_address) -> Bool {
        if a.family != b.family { return false }
        let (p, q) = (words(a), words(b))
        return p.0 == q.0 && p.1 == q.1
    }

    @inline(__always)
    private static func words(_ a: cberth_address) -> (UInt64, UInt64) {
        unsafeBitCast(a.bytes, to: (UInt64, UInt64).self)
    }

    @inline(__always)
    private static func hash(_ kind: Kind, _ host: UnsafePointer<UInt8>, _ length: Int, _ address: cberth_address)
        -> UInt64
    {
        var h = (UInt64(kind.rawValue) &+ 1) &* 0x9e37_79b9_7f4a_7c15
        var i = 0
        while i &+ 8 <= length {
            let word = UnsafeRawPointer(host + i).loadUnaligned(as: UInt64.self) | 0x2020_2020_2020_2020
            h = (h ^ word) &* 0x9e37_79b9_7f4a_7c15
            h ^= h &>> 29
            i &+= 8
        }
        var tail: UInt64 = UInt64(truncatingIfNeeded: length)
        while i < length {
            tail = tail &<< 8 | UInt64(host[i] | 0x20)
            i &+= 1
        }
        h = (h ^ tail) &* 0xbf58_476d_1ce4_e5b9
        if address.family != 0 {
            let (a, b) = words(address)
            h = (h ^ a) &* 0x94d0_49bb_1331_11eb
            h = (h ^ b) &* 0x94d0_49bb_1331_11eb
        }
        return h ^ (h &>> 32)
    }

    private static func octets(_ address: cberth_address) -> [UInt8] {
        [address.family] + withUnsafeBytes(of: address.bytes) { Array($0) }
    }
}
