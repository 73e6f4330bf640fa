extension ProblemDocument {
    /// The problems of this release. The raw value is the last part of `type`; it never changes its meaning.
    public enum Kind: String, Sendable, CaseIterable {
        case badRequest = "bad-request"
        case notPermitted = "not-permitted"
        case resourceNotFound = "resource-not-found"
        case siteNotFound = "site-not-found"
        case poolNotFound = "pool-not-found"
        case methodNotAllowed = "method-not-allowed"
        /// The state of the site or pool does not let the action happen: starting a rejected site.
        case stateConflict = "state-conflict"
        case contentTooLarge = "content-too-large"
        case unsupportedMediaType = "unsupported-media-type"
        case configurationHasErrors = "configuration-has-errors"
        case internalError = "internal-error"
        /// The daemon has taken on as much as it can at once.
        case busy
        case daemonStarting = "daemon-starting"
        case daemonStopping = "daemon-stopping"
        /// What was asked for has begun, and was not done in time.
        case timedOut = "timed-out"
        /// This release cannot answer it.
        case notAvailable = "not-available"

        public static let typePrefix = "urn:berth:problem:"

        public var type: String { Self.typePrefix + rawValue }

        /// The status of the response (RFC 9110 §15).
        public var status: Int {
            switch self {
            case .badRequest: 400
            case .notPermitted: 403
            case .resourceNotFound, .siteNotFound, .poolNotFound: 404
            case .methodNotAllowed: 405
            case .stateConflict: 409
            case .contentTooLarge: 413
            case .unsupportedMediaType: 415
            case .configurationHasErrors: 422
            case .internalError: 500
            case .busy, .daemonStarting, .daemonStopping: 503
            case .timedOut: 504
            case .notAvailable: 501
            }
        }

        public var title: String {
            switch self {
            case .badRequest: "The request cannot be understood"
            case .notPermitted: "The caller may not do this"
            case .resourceNotFound: "There is no such resource"
            case .siteNotFound: "There is no such site"
            case .poolNotFound: "There is no such application pool"
            case .methodNotAllowed: "The resource does not know this method"
            case .stateConflict: "The present state does not allow this"
            case .contentTooLarge: "The content is too large"
            case .unsupportedMediaType: "The content is of the wrong type"
            case .configurationHasErrors: "The configuration has errors"
            case .internalError: "The daemon made a mistake"
            case .busy: "The daemon is busy"
            case .daemonStarting: "The daemon is still starting"
            case .daemonStopping: "The daemon is stopping"
            case .timedOut: "It took too long"
            case .notAvailable: "It is not available in this release"
            }
        }
    }
}
