/// Why the program ends before it has served anything: one line for people, and the exit status.
struct ProgramFailure: Error, Equatable {
    var status: ProgramStatus
    var message: String

    init(_ status: ProgramStatus, _ message: String) { (self.status, self.message) = (status, message) }
}
