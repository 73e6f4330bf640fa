import CBerthSystem
import Glibc
import Testing

@testable import BerthServer

@Suite("Who may use the control socket")
struct ControlAccessTests {
    /// A user that Debian promises to have, in no group but its own.
    private let nobody: uid_t = 65534

    private func isPermitted(_ uid: uid_t, _ gid: gid_t) -> Bool {
        ControlAccess.isPermitted(cberth_credentials(pid: 1, uid: uid, gid: gid), user: 500, group: 600)
    }

    @Test("root, the daemon's user, and members of its group")
    func permitted() {
        #expect(isPermitted(0, 0))
        #expect(isPermitted(500, 1))
        #expect(isPermitted(501, 600))
    }

    @Test("nobody else, whatever their numbers look like")
    func refused() {
        #expect(!isPermitted(nobody, 65534))
        // The numbers of a user and of a group are different things.
        #expect(!isPermitted(600, 500))
        #expect(!isPermitted(4_000_000_000, 0))
    }
}
