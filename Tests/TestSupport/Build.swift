import Glibc

/// What was built together with the tests.
public enum Build {
    /// The folder with the test bundle, the programs and the libraries; `BERTH_BIN` names another.
    public static let folder: String = {
        if let folder = getenv("BERTH_BIN") { return String(cString: folder) }
        let path = realpath("/proc/self/exe", nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        guard let path, let slash = path.lastIndex(of: "/") else { return "." }
        let folder = String(path[..<slash])
        // `swift test` may run the bundle through a helper of the toolchain; then the build is found by the arguments.
        if Files.exists(folder + "/berthd") { return folder }
        for argument in CommandLine.arguments {
            guard let slash = argument.lastIndex(of: "/") else { continue }
            let folder = String(argument[..<slash])
            if Files.exists(folder + "/berthd") { return folder }
        }
        return folder
    }()

    public static func path(_ name: String) -> String { folder + "/" + name }

    /// Whether it was built with a sanitizer, which has memory, addresses and descriptors of its own.
    public static let isSanitized = dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil

    /// The top of the checkout.
    public static let checkout: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// A folder of the release build, when there is one with a daemon in it.
    public static var releaseFolder: String? {
        let folder = checkout + "/.build/release"
        return Files.exists(folder + "/berthd") ? folder : nil
    }
}
