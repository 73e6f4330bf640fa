/// When a log file is closed and the next one begun.
public enum LogRollover: String, Sendable, CaseIterable {
    case size, hourly, daily, weekly, monthly
}
