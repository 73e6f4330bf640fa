import BerthActivation
import Glibc

/// A user or group that the system does not know.
struct IdentityError: Error {
    let text: String
}

/// Looks names of users and groups up. Control thread only; may block on the name service.
enum WorkerIdentities {
    /// Nil: no name was given, the worker runs as the daemon.
    static func identity(user: String?, group: String?) throws(IdentityError) -> WorkerIdentity? {
        guard let user else {
            if group != nil {
                throw IdentityError(text: "a group is given without a user; write both, or `user` alone")
            }
            return nil
        }
        guard let entry = getpwnam(user) else {
            throw IdentityError(text: "there is no user \"\(user)\" on this machine; create it or correct `user`")
        }
        var gid = entry.pointee.pw_gid
        if let group {
            guard let found = getgrnam(group) else {
                throw IdentityError(
                    text: "there is no group \"\(group)\" on this machine; create it or correct `group`")
            }
            gid = found.pointee.gr_gid
        }
        return WorkerIdentity(
            user: entry.pointee.pw_uid, group: gid, name: user, home: entry.pointee.pw_dir.map { String(cString: $0) })
    }
}
