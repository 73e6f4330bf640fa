/// Who answers the requests of an application.
public enum HostingModel: String, Sendable, CaseIterable {
    case inProcess = "in-process"
    case outOfProcess = "out-of-process"
    case staticFiles = "static"
}
