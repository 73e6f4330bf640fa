import CBerthSystem

/// A listening descriptor as one loop knows it. All loops share the descriptor.
struct Endpoint {
    var fd: Int32
    var address: cberth_address
    /// The address names one interface, so that every connection has it as its local address.
    var isSpecific: Bool
    var isUnix: Bool
    /// Somebody else holds the socket too, and takes what is in its backlog when this daemon ends.
    var isInherited: Bool
    var isRegistered: Bool
}
