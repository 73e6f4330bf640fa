import BerthEventLoop

/// The descriptors and names behind one start of a worker: what its machine knows nothing about.
struct WorkerRecord {
    let id: WorkerID
    let application: ApplicationID
    /// In the environment of everything that the worker starts.
    let marker: String
    let token: PairingToken
    /// Whom it runs as; nil: the daemon's user.
    let user: UInt32?
    var assigned: AssignedEndpoint
    // -1: none.
    var pid: Int32 = -1
    var pidfd: Int32 = -1
    var standardOutput: Int32 = -1
    var standardError: Int32 = -1
    var listener: Int32 = -1
    /// Holds the socket without being the process that was started.
    var owner: Int32 = -1
    var ownerPidfd: Int32 = -1
    /// The machine has forgotten it; the record waits for the process to be reaped.
    var isForgotten = false

    init(
        id: WorkerID, application: ApplicationID, marker: String, token: PairingToken, user: UInt32?,
        assigned: AssignedEndpoint
    ) {
        (self.id, self.application, self.marker, self.token) = (id, application, marker, token)
        (self.user, self.assigned) = (user, assigned)
    }

    /// The variable by which what the worker started is recognised.
    var markerEntry: String { "\(WorkerEnvironment.markerName)=\(marker)" }

    /// The socket's path, to be removed when the worker is gone.
    var socketPath: String? {
        switch assigned {
        case .port: nil
        case .unixSocket(let path), .inherited(let path): path
        }
    }
}
