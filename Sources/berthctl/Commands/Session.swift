package import BerthControl

/// What a command works with: its arguments, the daemon, and the terminal.
package struct Session: Sendable {
    package let invocation: Invocation
    package let client: ControlClient
    package let terminal: Terminal

    package init(
        _ invocation: Invocation, _ environment: ProcessEnvironment, _ terminal: Terminal
    ) throws(CommandFailure) {
        self.invocation = invocation
        self.terminal = terminal
        let limit = try invocation.milliseconds("timeout")
        client = ControlClient(
            socketPath: invocation.text("socket") ?? environment.socketPath ?? ControlClient.socketPathDefault,
            timeLimit: limit.map { .milliseconds($0) })
    }

    package var wantsJSON: Bool { invocation.has("json") }

    package func fetch<Value: Decodable>(
        _ route: ControlRoute, as type: Value.Type = Value.self, content: [UInt8]? = nil
    ) throws(CommandFailure) -> Value {
        do throws(ControlFailure) { return try client.fetch(route, as: type, content: content) } catch {
            throw CommandFailure(error)
        }
    }

    /// Fetches a resource and shows it: the daemon's own words with `--json`, else what `render` makes of it.
    package func show<Value: Decodable>(
        _ route: ControlRoute, as type: Value.Type = Value.self, content: [UInt8]? = nil,
        _ render: (Value, inout Page) -> Void
    ) throws(CommandFailure) -> Value {
        let value: Value
        do throws(ControlFailure) {
            let answer = try client.exchange(route, content: content)
            value = try client.decode(type, from: answer)
            if wantsJSON {
                terminal.write(String(decoding: answer, as: UTF8.self) + "\n")
                return value
            }
        } catch { throw CommandFailure(error) }
        print { render(value, &$0) }
        return value
    }

    package func print(_ fill: (inout Page) -> Void) {
        var page = Page(width: terminal.width, usesColor: terminal.usesColor)
        fill(&page)
        terminal.write(page.text)
    }

    package func print(json value: some Encodable) {
        guard let octets = try? ControlJSON.encode(value) else { return }
        terminal.write(String(decoding: octets, as: UTF8.self) + "\n")
    }

    /// Hands over the content of a followed answer as it comes, until the daemon or the reader of the output goes.
    package func follow(
        _ route: ControlRoute, _ receive: ([UInt8]) throws(ControlFailure) -> Bool
    ) throws(CommandFailure) {
        do throws(ControlFailure) { try client.follow(route, receive: receive) } catch { throw CommandFailure(error) }
    }
}
