import BerthEventLoop

/// When a worker that does its work is replaced all the same. Source: IIS `<recycling><periodicRestart>`.
public struct Recycling: Equatable, Sendable {
    /// Why a worker is replaced.
    public enum Reason: Equatable, Sendable {
        case time
        case requests
        case privateMemory
        case schedule
        case administrator
        case configurationChange
        /// It said that it is not well, or did not answer when it was asked.
        case unhealthy
    }

    /// Age of a worker in seconds, 0: off. 29 hours, so that the hour of the day drifts. Source: `periodicRestart.time`.
    public var timeLimit: UInt64 = 29 * 3600
    /// Requests that a worker has served, 0: off. Source: `periodicRestart.requests`.
    public var requestLimit: UInt64 = 0
    /// Resident octets that are its own, 0: off. Source: `periodicRestart.privateMemory`.
    public var privateMemoryLimit: UInt64 = 0
    /// Minutes after midnight, local time. Source: `periodicRestart.schedule`.
    public var schedule: [Int] = []

    public init() {}

    /// How often memory and the schedule are looked at, in seconds: a schedule has minutes.
    public static let sampleSeconds: UInt64 = 60

    /// Whether anything has to be sampled at all.
    var needsSampling: Bool { privateMemoryLimit > 0 || !schedule.isEmpty }

    /// When the age of a worker that became ready at `instant` is reached.
    func timeDeadline(readyAt instant: MonotonicInstant) -> MonotonicInstant {
        timeLimit == 0 ? .distantFuture : instant.adding(seconds: timeLimit)
    }

    /// Whether the schedule has a time in the minutes after `previous` up to `minute`, both of the day; midnight may lie between.
    func isDue(after previous: Int, upTo minute: Int) -> Bool {
        schedule.contains { previous <= minute ? $0 > previous && $0 <= minute : $0 > previous || $0 <= minute }
    }
}

/// In the words of the journal.
extension Recycling.Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .time: "its age"
        case .requests: "its number of requests"
        case .privateMemory: "its memory"
        case .schedule: "the schedule"
        case .administrator: "an administrator"
        case .configurationChange: "changed configuration"
        case .unhealthy: "unhealthy"
        }
    }
}
