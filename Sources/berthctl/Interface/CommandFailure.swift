package import BerthControl

/// Why a command did not do what was asked.
package struct CommandFailure: Error, Equatable {
    package var message: String
    package var hint: String?
    package var status: ExitStatus
    /// The identifier that programs compare.
    package var type: String
    /// What the daemon said, where it was the daemon.
    package var problem: ProblemDocument?

    package init(_ message: String, hint: String? = nil, status: ExitStatus, type: String) {
        (self.message, self.hint, self.status) = (message, hint, status)
        self.type = "urn:berth:client:" + type
    }

    package init(usage message: String) { self.init(message, status: .usage, type: "usage") }

    package init(_ failure: ControlFailure) {
        (message, hint) = (failure.message, failure.hint)
        switch failure {
        case .notReachable: (status, type) = (.notReachable, "urn:berth:client:not-reachable")
        case .notPermitted: (status, type) = (.notPermitted, "urn:berth:client:not-permitted")
        case .timedOut: (status, type) = (.notReachable, "urn:berth:client:timed-out")
        case .connectionLost: (status, type) = (.notReachable, "urn:berth:client:connection-lost")
        case .malformedAnswer: (status, type) = (.failed, "urn:berth:client:malformed-answer")
        case .answerTooLarge: (status, type) = (.failed, "urn:berth:client:answer-too-large")
        case .refused(let problem):
            type = problem.type
            self.problem = problem
            switch problem.status {
            case 401, 403: status = .notPermitted
            case 404: status = .notFound
            default: status = problem.kind == .configurationHasErrors ? .configurationHasErrors : .failed
            }
            if let place = problem.place { message = "\(place): \(message)" }
        }
    }

    /// A problem document, as `--json` prints it; the status is 0 where no response had one.
    package var json: String {
        var document = problem ?? ProblemDocument(.internalError, detail: message, nextStep: hint)
        if problem == nil {
            let name = type.split(separator: ":").last ?? ""
            document.type = type
            document.title = String(name.map { $0 == "-" ? " " : $0 })
            document.status = 0
        }
        return (try? ControlJSON.encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
