internal import CBerthModule

/// What one site allows. Plain memory, made once, read by every loop.
struct FilteringRules {
    /// Rules that cost something and are rarely there.
    struct Features: OptionSet {
        let rawValue: UInt32
        static let verbs = Features(rawValue: 1)
        static let urlSequences = Features(rawValue: 2)
        static let querySequences = Features(rawValue: 4)
        static let headerLimits = Features(rawValue: 8)
    }

    enum PathVerdict { case pass, hiddenSegment, extensionDenied, tooManySegments }

    let host: HostTable
    let features: Features
    /// Octets. Source: IIS `maxAllowedContentLength`, default 30000000.
    let contentLengthMax: Int
    /// Octets, without the query. Source: IIS `maxUrl`, default 4096.
    let urlMax: Int
    /// Octets. Source: IIS `maxQueryString`, default 2048.
    let queryStringMax: Int
    /// 0: no limit. Source: IIS site limit `maxUrlSegments`, default 32.
    let segmentsMax: Int
    /// Source: IIS `allowDoubleEscaping`, default false.
    let allowsDoubleEscaping: Bool
    /// Source: IIS `allowHighBitCharacters`, default true.
    let allowsHighBit: Bool
    /// Source: IIS `unescapeQueryString`, default true.
    let unescapesQueryString: Bool
    let verbs: AllowedNames
    let extensions: AllowedNames
    let hiddenSegments: NameSet
    let urlSequences: DeniedSequences
    let querySequences: DeniedSequences
    let alwaysAllowedURLs: NameSet
    let alwaysAllowedQueryStrings: NameSet
    let headerLimits: FieldLimits

    /// Source: IIS `hiddenSegments`, stock list.
    static let stockHiddenSegments = [
        "web.config", "bin", "App_code", "App_GlobalResources", "App_LocalResources", "App_WebReferences", "App_Data",
        "App_Browsers",
    ]

    /// Source: IIS `fileExtensions`, stock list; the last line is ours: what must not be served from a Linux folder.
    static let stockDeniedExtensions = [
        ".asa", ".asax", ".ascx", ".master", ".skin", ".browser", ".sitemap", ".config", ".cs", ".csproj", ".vb",
        ".vbproj", ".webinfo", ".licx", ".resx", ".resources", ".mdb", ".vjsproj", ".java", ".jsl", ".ldb", ".dsdgm",
        ".ssdgm", ".lsad", ".ssmap", ".cd", ".dsprototype", ".lsaprototype", ".sdm", ".sdmDocument", ".mdf", ".ldf",
        ".ad", ".dd", ".ldd", ".sd", ".adprototype", ".lddprototype", ".exclude", ".refresh", ".compiled", ".msgx",
        ".vsdisco", ".rules",
        ".conf", ".toml", ".key", ".pem", ".env",
    ]

    init(_ host: HostTable, _ reader: inout SettingsReader) {
        self.host = host
        contentLengthMax = reader.number("max_content_length", default: 30_000_000, in: 0...4_294_967_295)
        urlMax = reader.number("max_url", default: 4096, in: 0...65_534)
        queryStringMax = reader.number("max_query_string", default: 2048, in: 0...65_534)
        segmentsMax = reader.number("max_url_segments", default: 32, in: 0...16_383)
        allowsDoubleEscaping = reader.isOn("allow_double_escaping", default: false)
        allowsHighBit = reader.isOn("allow_high_bit", default: true)
        unescapesQueryString = reader.isOn("unescape_query_string", default: true)

        let allowedVerbs = reader.list("verbs").map(\.value)
        let deniedVerbs = reader.list("deny_verbs").map(\.value)
        // Methods are compared with case (RFC 9110 §9.1).
        verbs = AllowedNames(allowed: allowedVerbs, denied: deniedVerbs, ignoresCase: false)

        let extensionSettings = reader.list("deny_file_extensions")
        let allowedExtensions = reader.list("file_extensions")
        for setting in extensionSettings + allowedExtensions
        where !setting.value.hasPrefix(".") || setting.value.count < 2 {
            reader.problem("'\(setting.value)' is no file name extension; write one like \".bak\"", at: setting)
        }
        extensions = AllowedNames(
            allowed: allowedExtensions.map(\.value),
            denied: extensionSettings.isEmpty ? Self.stockDeniedExtensions : extensionSettings.map(\.value),
            ignoresCase: true)

        let segments = reader.list("hidden_segments")
        for setting in segments where setting.value.isEmpty || setting.value.contains("/") {
            reader.problem("'\(setting.value)' is no segment of a path; write a name without a slash", at: setting)
        }
        hiddenSegments = NameSet(
            segments.isEmpty ? Self.stockHiddenSegments : segments.map(\.value), ignoresCase: true)

        let sequences = reader.list("deny_url_sequences")
        let querySequenceSettings = reader.list("deny_query_string_sequences")
        for setting in sequences + querySequenceSettings where setting.value.isEmpty {
            reader.problem("an empty sequence would refuse every request; leave it out", at: setting)
        }
        urlSequences = DeniedSequences(sequences.map(\.value))
        querySequences = DeniedSequences(querySequenceSettings.map(\.value))
        alwaysAllowedURLs = NameSet(reader.list("always_allowed_urls").map(\.value), ignoresCase: true)
        alwaysAllowedQueryStrings = NameSet(
            reader.list("always_allowed_query_strings").map(\.value), ignoresCase: true)

        var limits: [(name: String, limit: Int)] = []
        for setting in reader.table("header_limits") {
            if let limit = Int(setting.value), (0...65_535).contains(limit) {
                limits.append((setting.name, limit))
            } else {
                reader.problem("'\(setting.value)' is no size of a field; write 0 to 65535 octets", at: setting)
            }
        }
        headerLimits = FieldLimits(limits)

        var features: Features = []
        if !allowedVerbs.isEmpty || !deniedVerbs.isEmpty { features.insert(.verbs) }
        if !sequences.isEmpty { features.insert(.urlSequences) }
        if !querySequenceSettings.isEmpty { features.insert(.querySequences) }
        if !limits.isEmpty { features.insert(.headerLimits) }
        self.features = features
    }

    /// Gives back what the rules hold. They are not used afterwards.
    func deallocate() {
        verbs.deallocate()
        extensions.deallocate()
        hiddenSegments.deallocate()
        urlSequences.deallocate()
        querySequences.deallocate()
        alwaysAllowedURLs.deallocate()
        alwaysAllowedQueryStrings.deallocate()
        headerLimits.deallocate()
    }
}

extension UnsafePointer<FilteringRules> {
    // On the pointer, since a method of the value would copy it.

    /// Counts segments, looks for hidden ones and at the extension of the last. One pass.
    func checkPath(_ path: berth_octets) -> FilteringRules.PathVerdict {
        guard let start = path.start, path.count > 0 else { return .pass }
        let end = start + path.length
        var segments = 0
        // Behind the slash that begins every path.
        var segmentStart = start + 1
        var lastDot = end
        var next = segmentStart
        while next < end {
            let special = Self.firstSpecial(next, end - next)
            if special == 8 {
                next += 8
                continue
            }
            next += special
            if next.pointee == 0x2f {
                if next > segmentStart {
                    segments &+= 1
                    if isHidden(segmentStart, next) { return .hiddenSegment }
                }
                segmentStart = next + 1
                lastDot = end
            } else if next.pointee == 0x2e {
                lastDot = next
            }
            next += 1
        }
        if end > segmentStart {
            segments &+= 1
            if isHidden(segmentStart, end) { return .hiddenSegment }
        }
        if segments > pointee.segmentsMax, pointee.segmentsMax > 0 { return .tooManySegments }
        if lastDot < end, !pointee.extensions.allows(berth_octets(lastDot, end - lastDot)) { return .extensionDenied }
        return .pass
    }

    /// The place of the first octet below 0x30, which slash and dot are, among the next eight or as many as there are; 8: none.
    @inline(__always)
    private static func firstSpecial(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let octets = UnsafeRawPointer(start)
        var word: UInt64
        if count >= 8 {
            word = octets.loadUnaligned(as: UInt64.self).littleEndian
        } else {
            // What is behind the end becomes 0xff.
            word = .max &<< UInt64(count &* 8)
            if count >= 4 {
                word |= UInt64(octets.loadUnaligned(as: UInt32.self).littleEndian)
                let last = octets.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self).littleEndian
                word |= UInt64(last) &<< UInt64((count &- 4) &* 8)
            } else {
                for place in 0..<count { word |= UInt64(start[place]) &<< UInt64(place &* 8) }
            }
        }
        // The top bit of each octet that is below 0x30. A borrow can only spoil octets behind the first of them.
        let below = (word &- 0x3030_3030_3030_3030) & ~word & 0x8080_8080_8080_8080
        return below.trailingZeroBitCount &>> 3
    }

    @inline(__always)
    private func isHidden(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        pointee.hiddenSegments.contains(berth_octets(start, end - start))
    }
}
