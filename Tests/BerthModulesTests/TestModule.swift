import BerthModules
import CBerthModule
import Foundation

/// One built-in module, made as the host makes it, with one context.
final class TestModule {
    /// What a module that cannot start said.
    struct Refusal: Error {
        let text: String
    }

    let table: UnsafeMutablePointer<berth_module>
    private var instance: UnsafeMutableRawPointer?
    private(set) var context: UnsafeMutableRawPointer?

    /// Settings are name, value and, by their order, "site.toml:1:1", "site.toml:2:1", ...
    init(
        _ register: berth_module_register_function, _ settings: [(String, String)] = [], root: String = "",
        siteID: UInt32 = 7
    ) throws {
        TestHost.current = TestHost()
        TestHost.slotPointer.pointee = nil
        table = .allocate(capacity: 1)
        table.initialize(to: berth_module())
        table.pointee.size = UInt32(MemoryLayout<berth_module>.size)
        let host = TestHost.current
        var failure = berth_failure()
        guard register(TestHost.table, table, &failure) == 0 else { throw Refusal(text: Self.text(failure)) }

        let entries = UnsafeMutablePointer<berth_setting>.allocate(capacity: max(1, settings.count))
        defer { entries.deallocate() }
        for (index, setting) in settings.enumerated() {
            entries.advanced(by: index).initialize(
                to: berth_setting(
                    name: host.keep(setting.0), value: host.keep(setting.1),
                    location: host.keep("site.toml:\(index + 1):1")))
        }
        var all = berth_settings(
            size: UInt32(MemoryLayout<berth_settings>.size), count: UInt32(settings.count), settings: entries,
            site: host.keep("shop"), application_path: host.keep("/"), root: host.keep(root), site_id: siteID,
            loop_count: 1)
        if let create = table.pointee.create_instance, create(TestHost.table, &all, &instance, &failure) != 0 {
            throw Refusal(text: Self.text(failure))
        }
        context = instance
        if let create = table.pointee.create_context, create(instance, 0, &context, &failure) != 0 {
            throw Refusal(text: Self.text(failure))
        }
    }

    deinit {
        endContext()
        table.pointee.destroy_instance?(instance)
        table.deallocate()
    }

    /// Lets the context go, as at a reload.
    func endContext() {
        guard let context, let destroy = table.pointee.destroy_context else { return }
        destroy(context)
        self.context = nil
    }

    static func text(_ failure: berth_failure) -> String {
        withUnsafeBytes(of: failure.text) { String(decoding: $0.prefix(Int(failure.length)), as: UTF8.self) }
    }

    func tick(_ wall: Int64) { table.pointee.tick?(context, wall) }

    /// Runs one stage to its end, the pool's jobs included, and the end stage after it. Answers what it came to.
    @discardableResult
    func run(_ stage: Int, _ request: TestRequest = TestRequest()) -> (answer: Int32, response: TestHost.Response) {
        let answer = runWithoutEnd(stage, request)
        let host = TestHost.current
        request.with { raw in _ = table.pointee.stages.11?(context, raw) }
        return (answer, host.response)
    }

    /// The same without the end stage.
    func runWithoutEnd(_ stage: Int, _ request: TestRequest) -> Int32 {
        let host = TestHost.current
        host.response = TestHost.Response()
        host.isStarted = false
        host.job = nil
        TestHost.slotPointer.pointee = nil
        return request.with { raw in
            var answer = function(stage)?(context, raw) ?? 99
            var turns = 0
            while answer == Int32(BERTH_PENDING), let job = host.job, turns < 10 {
                host.job = nil
                turns += 1
                let result = job.work(job.argument)
                answer = table.pointee.resumed?(context, raw, UInt32(BERTH_EVENT_BLOCKING_DONE), result) ?? 99
            }
            return answer
        }
    }

    private func function(_ stage: Int) -> berth_stage_function? {
        withUnsafeBytes(of: table.pointee.stages) {
            $0.bindMemory(to: berth_stage_function?.self)[stage]
        }
    }
}

/// A request as the host shows it to modules.
struct TestRequest {
    var method = "GET"
    var path = "/"
    /// The raw target; made of path and query when left out.
    var target: String?
    var query = ""
    var fields: [(String, String)] = []
    var user = ""
    var authenticationType = ""
    var contentLength: Int64 = 0
    var flags: UInt32 = 0
    var applicationPathLength: UInt32 = 1
    var status: UInt16 = 200
    var substatus: UInt16 = 0
    var errorNumber: Int32 = 0
    var version: UInt16 = 0x0101
    var octetsSent: UInt64 = 0
    var octetsReceived: UInt64 = 0
    var duration: UInt64 = 0
    var family: UInt8 = 4
    var remote: [UInt8] = [10, 0, 0, 1]
    var local: [UInt8] = [127, 0, 0, 1]
    var localPort: UInt16 = 8080
    var host = "shop.example"

    /// The fields that a module asked for here goes by the number of.
    private static let numbers: [String: UInt16] = [
        "user-agent": UInt16(BERTH_FIELD_USER_AGENT), "referer": UInt16(BERTH_FIELD_REFERER),
        "cookie": UInt16(BERTH_FIELD_COOKIE),
    ]

    func with<Result>(_ body: (UnsafeMutablePointer<berth_request>) -> Result) -> Result {
        let keeper = TestHost.current
        var head: [UInt8] = []
        var lines: [berth_field] = []
        for (name, value) in fields {
            var line = berth_field()
            line.id = Self.numbers[name.lowercased()] ?? 0
            line.name_offset = UInt32(head.count)
            line.name_length = UInt16(name.utf8.count)
            head += Array(name.utf8)
            line.value_offset = UInt32(head.count)
            line.value_length = UInt16(value.utf8.count)
            head += Array(value.utf8)
            lines.append(line)
        }
        var request = berth_request()
        request.size = UInt32(MemoryLayout<berth_request>.size)
        request.flags = flags
        request.id = 42
        request.head = keeper.keep(head).start
        request.field_count = UInt32(lines.count)
        request.version = version
        request.method = keeper.keep(method)
        request.target = keeper.keep(target ?? path + (query.isEmpty ? "" : "?" + query))
        request.path = keeper.keep(path)
        request.query = keeper.keep(query)
        request.host = keeper.keep(host)
        request.user = keeper.keep(user)
        request.authentication_type = keeper.keep(authenticationType)
        request.content_length = contentLength
        request.received_at = keeper.now
        request.finished_at = keeper.now + duration
        request.received_time = keeper.wall
        request.octets_sent = octetsSent
        request.octets_received = octetsReceived
        request.site_id = 7
        request.application_path_length = applicationPathLength
        request.status = status
        request.substatus = substatus
        request.error_number = errorNumber
        request.local_port = localPort
        request.remote_port = 50_000
        request.address_family = family
        withUnsafeMutableBytes(of: &request.local_address) { $0.copyBytes(from: local) }
        withUnsafeMutableBytes(of: &request.remote_address) { $0.copyBytes(from: remote) }
        return lines.withUnsafeBufferPointer { lines in
            request.fields = lines.baseAddress
            return body(&request)
        }
    }
}

/// A folder that is removed with its content when the test is over.
final class TemporaryFolder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "berth-modules-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Whether the folder lies on a file system in memory: what is mounted nearest above it, by proc(5).
    var isOnTmpfs: Bool {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        var nearest: (length: Int, kind: Substring) = (0, "")
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, words[1] == "/" || (path + "/").hasPrefix(words[1] + "/") else { continue }
            if words[1].count >= nearest.length { nearest = (words[1].count, words[2]) }
        }
        return nearest.kind == "tmpfs"
    }

    /// Writes a file, folders included; its date is an hour ago unless told otherwise.
    @discardableResult
    func write(_ name: String, _ text: String, modified: TimeInterval? = nil) -> String {
        write(name, Array(text.utf8), modified: modified)
    }

    @discardableResult
    func write(_ name: String, _ octets: [UInt8], modified: TimeInterval? = nil) -> String {
        let file = path + "/" + name
        let folder = (file as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: file, contents: Data(octets))
        let date = Date(timeIntervalSince1970: modified ?? 1_700_000_000)
        try? FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
        return file
    }

    func read(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path + "/" + name) ?? Data(), as: UTF8.self)
    }
}
