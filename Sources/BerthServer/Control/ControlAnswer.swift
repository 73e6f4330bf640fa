import BerthControl

/// What a request to the control socket is answered with.
enum ControlAnswer {
    case content(status: UInt16, mediaType: StaticString, [UInt8])
    /// The answer goes on after these octets.
    case followed(mediaType: StaticString, [UInt8])
    /// It comes when every loop serves with this generation.
    case whenInstalled(UInt64, ReloadResult)

    /// It is made of what the loops say about their requests.
    case whenCollected(RequestCollection, (RequestCollection) throws(ProblemDocument) -> ControlAnswer)

    static let json: StaticString = "application/json"

    static func json(_ value: some Encodable, status: UInt16 = 200) throws(ProblemDocument) -> ControlAnswer {
        do { return .content(status: status, mediaType: json, try ControlJSON.encode(value)) } catch {
            throw ProblemDocument(.internalError, detail: "the answer cannot be written as JSON")
        }
    }
}
