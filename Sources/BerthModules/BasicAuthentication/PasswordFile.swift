internal import CBerthSystem
internal import CCrypt
internal import Glibc

/// The users of a htpasswd file, as one reading found them. Immutable.
///
/// A line is `user:hash`; empty lines and those beginning with `#` are left out. Hashes are those that crypt(3) verifies and
/// that are strong enough to be used: `$y$`, `$gy$`, `$7$`, `$2a$`, `$2b$`, `$2y$`, `$6$`, `$5$`.
struct PasswordFile {
    /// Longest file that is read, in octets. Ours.
    static let octetsMax = 4 << 20

    /// What tells a changed file from the one that was read.
    struct Identity: Equatable {
        var size: UInt64 = 0
        var seconds: Int64 = 0
        var nanoseconds: UInt32 = 0
        var inode: UInt64 = 0

        init() {}

        init(_ status: cberth_file_status) {
            (size, inode) = (status.size, status.inode)
            (seconds, nanoseconds) = (status.modified_seconds, status.modified_nanoseconds)
        }
    }

    /// By the octets of the name: two names that only look the same are two users.
    private let hashes: [[UInt8]: String]
    /// Hashes to work on for users who aren't there, so that they cost the same.
    private let all: [String]
    /// Lines that cannot be used: "file:line: what is wrong".
    let problems: [String]

    var userCount: Int { hashes.count }

    init(_ octets: [UInt8], path: String) {
        var hashes: [[UInt8]: String] = [:]
        var problems: [String] = []
        let lines = octets.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let octets = line.last == 0x0d ? line.dropLast() : line
            guard let text = String(validating: octets, as: UTF8.self) else {
                problems.append("\(path):\(index + 1): this is not UTF-8; the line is left out")
                continue
            }
            if text.allSatisfy({ $0 == " " || $0 == "\t" }) || text.hasPrefix("#") { continue }
            let place = "\(path):\(index + 1)"
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count >= 2, !parts[0].isEmpty else {
                problems.append("\(place): this is no 'user:hash'; the line is left out")
                continue
            }
            let user = String(parts[0])
            guard user.utf8.count <= BasicCredentials.userMax else {
                problems.append(
                    "\(place): the user name is longer than \(BasicCredentials.userMax) octets; the line is left out")
                continue
            }
            let hash = String(parts[1])
            guard Self.isVerifiable(hash) else {
                problems.append(
                    "\(place): user '\(user)' has a hash of the kind \(Self.kind(hash)), which is not verified here; make one with 'htpasswd -B' or 'mkpasswd'"
                )
                continue
            }
            guard hashes[Array(user.utf8)] == nil else {
                problems.append("\(place): user '\(user)' is there already; the first line counts")
                continue
            }
            hashes[Array(user.utf8)] = hash
        }
        self.hashes = hashes
        all = hashes.values.sorted()
        self.problems = problems
    }

    /// Whether this is the user's password. Costs what crypt(3) costs, also for a user who isn't there. Blocks.
    ///
    /// `seed` picks the hash that is worked on for an unknown user, always the same for one name.
    func verify(user: [UInt8], password: UnsafePointer<CChar>, seed: UInt64) -> Bool {
        guard !all.isEmpty else { return false }
        let known = hashes[user]
        let hash = known ?? all[Int(seed % UInt64(all.count))]
        let isEqual = hash.withCString { setting in
            withUnsafeTemporaryAllocation(of: crypt_data.self, capacity: 1) { data in
                guard let data = data.baseAddress else { return false }
                memset(data, 0, MemoryLayout<crypt_data>.size)
                defer { explicit_bzero(data, MemoryLayout<crypt_data>.size) }
                guard let result = crypt_r(password, setting, data) else { return false }
                return Self.isEqual(result, setting)
            }
        }
        return isEqual && known != nil
    }

    /// Whether both texts are the same, in a time that depends on their lengths only.
    private static func isEqual(_ first: UnsafePointer<CChar>, _ second: UnsafePointer<CChar>) -> Bool {
        let count = strlen(first)
        guard count == strlen(second), count > 0 else { return false }
        var difference: CChar = 0
        for index in 0..<count { difference |= first[index] ^ second[index] }
        return difference == 0
    }

    private static func isVerifiable(_ hash: String) -> Bool {
        let kinds = ["$y$", "$gy$", "$7$", "$2a$", "$2b$", "$2y$", "$6$", "$5$"]
        guard kinds.contains(where: hash.hasPrefix) else { return false }
        let verdict = hash.withCString { crypt_checksalt($0) }
        return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY || verdict == CRYPT_SALT_TOO_CHEAP
    }

    /// The kind of a hash, without the hash: it goes to a log.
    private static func kind(_ hash: String) -> String {
        if hash.hasPrefix("{"), let end = hash.firstIndex(of: "}") { return String(hash[...end]) }
        if hash.hasPrefix("$"), let end = hash.dropFirst().firstIndex(of: "$"),
            hash.distance(from: hash.startIndex, to: end) < 8
        {
            return String(hash[...end])
        }
        return "DES or plain text"
    }
}
