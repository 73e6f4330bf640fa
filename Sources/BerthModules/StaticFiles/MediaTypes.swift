internal import CBerthModule

/// Which media type a file has, by its extension.
struct MediaTypes {
    /// A part of IIS's stock `mimeMap`, with the types that came since; text is said to be what it is, not in which charset.
    private static let stock: [(String, StaticString)] = [
        (".html", "text/html"), (".htm", "text/html"), (".css", "text/css"), (".js", "text/javascript"),
        (".mjs", "text/javascript"), (".json", "application/json"), (".map", "application/json"),
        (".webmanifest", "application/manifest+json"), (".xml", "text/xml"), (".xsl", "text/xml"), (".xsd", "text/xml"),
        (".xhtml", "application/xhtml+xml"), (".txt", "text/plain"), (".text", "text/plain"), (".log", "text/plain"),
        (".md", "text/markdown"), (".csv", "text/csv"), (".tsv", "text/tab-separated-values"),
        (".ics", "text/calendar"),
        (".vcf", "text/x-vcard"), (".vtt", "text/vtt"), (".rtf", "application/rtf"), (".pdf", "application/pdf"),
        (".svg", "image/svg+xml"), (".svgz", "image/svg+xml"), (".png", "image/png"), (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"), (".gif", "image/gif"), (".webp", "image/webp"), (".avif", "image/avif"),
        (".bmp", "image/bmp"), (".ico", "image/x-icon"), (".tif", "image/tiff"), (".tiff", "image/tiff"),
        (".jxl", "image/jxl"), (".heic", "image/heic"),
        (".woff", "font/woff"), (".woff2", "font/woff2"), (".ttf", "font/ttf"), (".otf", "font/otf"),
        (".eot", "application/vnd.ms-fontobject"),
        (".mp3", "audio/mpeg"), (".m4a", "audio/mp4"), (".aac", "audio/aac"), (".oga", "audio/ogg"),
        (".ogg", "video/ogg"), (".opus", "audio/ogg"), (".wav", "audio/wav"), (".flac", "audio/flac"),
        (".mp4", "video/mp4"), (".m4v", "video/mp4"), (".webm", "video/webm"), (".ogv", "video/ogg"),
        (".mov", "video/quicktime"), (".avi", "video/x-msvideo"), (".mkv", "video/x-matroska"),
        (".m3u8", "application/vnd.apple.mpegurl"), (".ts", "video/vnd.dlna.mpeg-tts"),
        (".mpd", "application/dash+xml"),
        (".zip", "application/x-zip-compressed"), (".gz", "application/x-gzip"), (".tgz", "application/x-compressed"),
        (".tar", "application/x-tar"), (".7z", "application/x-7z-compressed"), (".xz", "application/x-xz"),
        (".bz2", "application/x-bzip2"), (".zst", "application/zstd"), (".br", "application/octet-stream"),
        (".rar", "application/octet-stream"), (".bin", "application/octet-stream"),
        (".dat", "application/octet-stream"),
        (".exe", "application/octet-stream"), (".msi", "application/octet-stream"),
        (".iso", "application/octet-stream"),
        (".deb", "application/octet-stream"), (".rpm", "application/octet-stream"),
        (".dll", "application/octet-stream"),
        (".pdb", "application/octet-stream"), (".blat", "application/octet-stream"),
        (".wasm", "application/wasm"), (".jar", "application/java-archive"),
        (".apk", "application/vnd.android.package-archive"),
        (".doc", "application/msword"), (".xls", "application/vnd.ms-excel"), (".ppt", "application/vnd.ms-powerpoint"),
        (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        (".odt", "application/vnd.oasis.opendocument.text"), (".ods", "application/vnd.oasis.opendocument.spreadsheet"),
        (".odp", "application/vnd.oasis.opendocument.presentation"), (".epub", "application/epub+zip"),
        (".atom", "application/atom+xml"), (".rss", "application/rss+xml"), (".swf", "application/x-shockwave-flash"),
        (".glb", "model/gltf-binary"), (".gltf", "model/gltf+json"),
    ]

    private static let stockTypes = Dictionary(uniqueKeysWithValues: stock)

    /// Those of a site file, which come before the stock's; to be given back.
    private let own: [String: berth_octets]
    /// What a file of unknown kind is; nil: it isn't served (404.3).
    private let fallback: berth_octets?

    /// `additions` by extension, with or without its dot; `*` is every unknown one.
    init(additions: [(String, String)]) {
        var own: [String: berth_octets] = [:]
        for (fileExtension, type) in additions {
            let isAny = fileExtension == "*" || fileExtension.hasPrefix(".")
            let name = isAny ? fileExtension.lowercased() : "." + fileExtension.lowercased()
            own.updateValue(.copy(of: type), forKey: name)?.deallocate()
        }
        fallback = own["*"]
        self.own = own
    }

    func deallocate() { own.values.forEach { $0.deallocate() } }

    /// The type of a file, by the extension of the last segment of its path. Allocates; when a file is loaded.
    func type(of path: berth_octets) -> berth_octets? {
        guard let start = path.start else { return fallback }
        var index = path.length - 1
        while index >= 0, start[index] != 0x2f {
            if start[index] == 0x2e {
                let name = String(path.dropFirst(index)).lowercased()
                return own[name] ?? Self.stockTypes[name].map { berth_octets($0) } ?? fallback
            }
            index -= 1
        }
        return fallback
    }
}
