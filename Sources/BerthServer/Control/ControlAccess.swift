import CBerthSystem
import Glibc

/// Who may use the control socket: root, the daemon's own user, and members of its group.
enum ControlAccess {
    /// Control thread only: for a caller who is none of these, the user database is asked for his groups, which may block.
    static func isPermitted(_ peer: cberth_credentials, user: uid_t = geteuid(), group: gid_t = getegid()) -> Bool {
        if peer.uid == 0 || peer.uid == user || peer.gid == group { return true }
        // The kernel names the first group only; `usermod -aG` gives others.
        guard let entry = getpwuid(peer.uid), let name = entry.pointee.pw_name else { return false }
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        // More groups than there is room for: those that fit are looked at.
        _ = getgrouplist(name, peer.gid, &groups, &count)
        return groups.prefix(Int(min(max(count, 0), 256))).contains(group)
    }
}
