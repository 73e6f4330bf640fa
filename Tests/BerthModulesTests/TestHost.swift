import CBerthModule
import Foundation

/// A host of modules over memory: what `berth_host` promises, for one request at a time, with a clock that stands still.
///
/// One test uses it at a time (its state is what the C functions find), so suites over it are serialized.
final class TestHost {
    /// What a request came to.
    struct Response {
        var status = 0
        var substatus = 0
        var fields: [(name: String, value: String)] = []
        var content: [UInt8] = []
        var contentLength: Int64 = -1
        /// What `set_status` said, for a response the host makes.
        var reason = ""
        var isFile = false

        subscript(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
        var text: String { String(decoding: content, as: UTF8.self) }
    }

    nonisolated(unsafe) static var current = TestHost()

    var response = Response()
    var isStarted = false
    var user = ""
    var authenticationType = ""
    var entityLimit: UInt64 = .max
    var entity: [UInt8] = []
    var log: [String] = []
    var wall: Int64 = 1_795_264_496  // 2026-11-21 12:34:56 UTC
    var now: UInt64 = 1_000_000_000_000
    var slot: UnsafeMutableRawPointer?
    var memory: [UnsafeMutableRawPointer] = []
    var job: (work: @convention(c) (UnsafeMutableRawPointer?) -> Int64, argument: UnsafeMutableRawPointer?)?
    var isPoolFull = false
    var blockingCount = 0

    /// What the module keeps from the request, so that it lives long enough.
    private var strings: [UnsafeMutablePointer<UInt8>] = []

    deinit {
        memory.forEach { $0.deallocate() }
        strings.forEach { $0.deallocate() }
    }

    static func string(_ octets: berth_octets) -> String {
        String(decoding: UnsafeBufferPointer(start: octets.start, count: Int(octets.count)), as: UTF8.self)
    }

    /// Octets that live as long as the host.
    func keep(_ text: String) -> berth_octets { keep(Array(text.utf8)) }

    func keep(_ octets: [UInt8]) -> berth_octets {
        let start = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, octets.count))
        for (index, octet) in octets.enumerated() { start[index] = octet }
        strings.append(start)
        return berth_octets(start: UnsafePointer(start), count: UInt64(octets.count))
    }

    /// The table. Its functions reach the host through `current`.
    nonisolated(unsafe) static let table: UnsafePointer<berth_host> = {
        let table = UnsafeMutablePointer<berth_host>.allocate(capacity: 1)
        table.initialize(
            to: berth_host(
                size: UInt32(MemoryLayout<berth_host>.size), abi_version: UInt32(BERTH_ABI_VERSION),
                respond: { _, head, pieces, count in
                    let host = TestHost.current
                    guard TestHost.begin(host, head) else { return Int32(BERTH_INVALID) }
                    for index in 0..<Int(count) {
                        guard let piece = pieces?[index] else { continue }
                        host.response.content += UnsafeBufferPointer(start: piece.start, count: Int(piece.count))
                    }
                    host.response.contentLength = Int64(host.response.content.count)
                    return 0
                },
                start_response: { _, head in TestHost.begin(TestHost.current, head) ? 0 : Int32(BERTH_INVALID) },
                write_response: { _, octets, count in
                    TestHost.current.response.content += UnsafeBufferPointer(start: octets, count: Int(count))
                    return Int64(count)
                },
                send_file: { _, fd, offset, length in
                    var room = [UInt8](repeating: 0, count: Int(length))
                    let got = pread(fd, &room, room.count, off_t(offset))
                    TestHost.current.response.content = Array(room.prefix(max(0, got)))
                    TestHost.current.response.isFile = true
                    return 0
                },
                flush_response: { _ in 0 },
                finish_response: { _ in 0 },
                add_response_field: { _, name, value in
                    TestHost.current.response.fields.append((TestHost.string(name), TestHost.string(value)))
                    return 0
                },
                read_entity: { _, buffer, capacity in
                    let host = TestHost.current
                    let count = min(Int(capacity), host.entity.count)
                    for index in 0..<count { buffer[index] = host.entity[index] }
                    host.entity.removeFirst(count)
                    return Int64(count)
                },
                set_user: { request, user, type in
                    let host = TestHost.current
                    host.user = TestHost.string(user)
                    host.authenticationType = TestHost.string(type)
                    request.pointee.user = host.keep(
                        Array(UnsafeBufferPointer(start: user.start, count: Int(user.count))))
                    request.pointee.authentication_type = host.keep(host.authenticationType)
                    return 0
                },
                set_status: { _, status, substatus, reason in
                    TestHost.current.response.status = Int(status)
                    TestHost.current.response.substatus = Int(substatus)
                    TestHost.current.response.reason = TestHost.string(reason)
                    return 0
                },
                limit_entity: { _, limit in
                    TestHost.current.entityLimit = min(TestHost.current.entityLimit, limit)
                    return 0
                },
                allocate: { _, size in
                    guard size <= 16_384 else { return nil }
                    let memory = UnsafeMutableRawPointer.allocate(byteCount: Int(size) + 1, alignment: 16)
                    TestHost.current.memory.append(memory)
                    return memory
                },
                slot: { _ in TestHost.slotPointer },
                handle: { _ in 1 },
                complete: { _, _ in },
                run_blocking: { _, _, work, argument in
                    let host = TestHost.current
                    if host.isPoolFull { return Int32(BERTH_BUSY) }
                    host.job = (work, argument)
                    host.blockingCount += 1
                    return 0
                },
                log: { _, level, text in TestHost.current.log.append("\(level) \(TestHost.string(text))") },
                wall_seconds: { TestHost.current.wall },
                monotonic_nanoseconds: { TestHost.current.now }))
        return UnsafePointer(table)
    }()

    nonisolated(unsafe) static let slotPointer: UnsafeMutablePointer<UnsafeMutableRawPointer?> = {
        let pointer = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 1)
        pointer.initialize(to: nil)
        return pointer
    }()

    private static func begin(_ host: TestHost, _ head: UnsafePointer<berth_response_head>) -> Bool {
        guard !host.isStarted, (200...999).contains(head.pointee.status) else { return false }
        host.isStarted = true
        host.response.status = Int(head.pointee.status)
        host.response.substatus = Int(head.pointee.substatus)
        host.response.contentLength = head.pointee.content_length
        for index in 0..<Int(head.pointee.field_count) {
            guard let field = head.pointee.fields?[index] else { continue }
            host.response.fields.append((string(field.name), string(field.value)))
        }
        return true
    }
}
