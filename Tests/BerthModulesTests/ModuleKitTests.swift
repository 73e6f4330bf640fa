import BerthModuleKit
import CBerthModule
import Testing

/// What all loops of `Answering` share.
private struct Greeting: Sendable {
    let text: String
}

/// A handler as an author would write it.
private struct Answering: HandlerModule {
    static let name: StaticString = "answering"
    static let stages: Stages = [.execute, .end, .begin, .tick]

    let greeting: Greeting
    var count = 0

    static func start(_ settings: Settings) throws(ModuleFailure) -> Greeting {
        guard let text = settings.configuration else { throw ModuleFailure("write configuration = \"a greeting\"") }
        return Greeting(text: text)
    }

    init(shared: Greeting, loop: Int) { greeting = shared }

    mutating func handle(_ request: Request) -> Outcome {
        count += 1
        switch String(request.path) {
        case "/count": return request.respond("\(count)")
        case "/literal": return request.respond(status: 404, "literal")
        case "/field":
            guard (try? request.addField("X-Agent", request.field("user-agent") ?? request.method)) != nil else {
                return .error
            }
            return request.respond("field")
        case "/read": return read(request)
        case "/stream": return stream(request)
        case "/block":
            guard (try? request.runBlocking(argument: nil) { _ in 42 }) != nil else { return .error }
            return .pending
        case "/twice":
            _ = request.respond("once")
            return request.respond("twice")
        default: return request.respond(greeting.text)
        }
    }

    private func read(_ request: Request) -> Outcome {
        var text = ""
        return withUnsafeTemporaryAllocation(byteCount: 4, alignment: 1) { buffer in
            do throws(RequestError) {
                while case .octets(let count) = try request.read(into: buffer) {
                    text += String(decoding: buffer[..<count], as: UTF8.self) + "|"
                }
            } catch {
                return .finish
            }
            return request.respond(text)
        }
    }

    private func stream(_ request: Request) -> Outcome {
        withUnsafeTemporaryAllocation(byteCount: 3, alignment: 1) { room in
            room.copyBytes(from: "abc".utf8)
            do throws(RequestError) {
                try request.start(length: 3)
                return try request.write(UnsafeRawBufferPointer(room)) == 3 ? .finish : .pending
            } catch {
                return .error
            }
        }
    }

    mutating func resume(_ request: Request, _ event: Event) -> Outcome {
        guard case .blockingDone(let value) = event else { return .pending }
        return request.respond("blocked \(value)")
    }

    mutating func run(_ stage: Stage, _ request: Request) -> Outcome {
        if stage == .begin { count += 100 }
        return .continue
    }

    mutating func tick(wallSeconds: Int64) { count = Int(wallSeconds) }
}

extension ModuleTests {
    @Suite("BerthModuleKit")
    struct ModuleKitTests {
        func module() throws -> TestModule {
            try TestModule(
                { registerModule(Answering.self, $0, $1, $2) }, [("configuration", "Good day")])
        }

        func text(_ module: TestModule, _ path: String, _ fields: [(String, String)] = []) -> String {
            module.run(7, TestRequest(path: path, fields: fields)).response.text
        }

        @Test("a handler answers with literals and with text of its own")
        func answers() throws {
            let module = try module()
            #expect(text(module, "/") == "Good day")
            let response = module.run(7, TestRequest(path: "/literal")).response
            #expect(response.status == 404)
            #expect(response.text == "literal")
            #expect(response["Content-Type"] == "text/plain")
        }

        @Test("a handler keeps state from request to request, in every stage it names")
        func state() throws {
            let module = try module()
            #expect(text(module, "/count") == "1")
            #expect(text(module, "/count") == "2")
            module.run(0)
            #expect(text(module, "/count") == "103")
            module.tick(1000)
            #expect(text(module, "/count") == "1001")
        }

        @Test("only the stages it names are filled")
        func stages() throws {
            let module = try module()
            let table = module.table
            defer { withExtendedLifetime(module) {} }
            #expect(table.pointee.stages.0 != nil && table.pointee.stages.7 != nil && table.pointee.stages.11 != nil)
            #expect(table.pointee.stages.1 == nil && table.pointee.stages.10 == nil && table.pointee.stages.12 == nil)
            #expect(table.pointee.kinds == UInt32(BERTH_KIND_HANDLER) | UInt32(BERTH_KIND_CHAIN))
        }

        @Test("fields are found without regard to case and added to the answer")
        func fields() throws {
            let module = try module()
            let response = module.run(7, TestRequest(path: "/field", fields: [("USER-agent", "curl")])).response
            #expect(response["X-Agent"] == "curl")
        }

        @Test("content is read in pieces, and written in pieces")
        func content() throws {
            let module = try module()
            TestHost.current.entity = Array("0123456789".utf8)
            #expect(text(module, "/read") == "0123|4567|89|")
            #expect(text(module, "/stream") == "abc")
        }

        @Test("blocking work comes back to resume with its value")
        func blocking() throws {
            #expect(text(try module(), "/block") == "blocked 42")
        }

        @Test("an answer the host refuses is an error")
        func twice() throws {
            #expect(try module().run(7, TestRequest(path: "/twice")).answer == Int32(BERTH_ERROR))
        }

        @Test("a module that cannot start says why")
        func failure() {
            #expect {
                try TestModule({ registerModule(Answering.self, $0, $1, $2) })
            } throws: { ($0 as? TestModule.Refusal)?.text == "write configuration = \"a greeting\"" }
        }
    }
}
