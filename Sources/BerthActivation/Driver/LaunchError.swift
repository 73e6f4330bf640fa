/// Why an attempt ended before there was a process.
struct LaunchError: Error {
    let cause: StartFailure.Cause
    init(_ cause: StartFailure.Cause) { self.cause = cause }
}
