/// Limits on the path of a request target.
public struct CookingLimits: Equatable, Sendable, BitwiseCopyable {
    /// Longest segment in characters after decoding, 1 through 32 766; 0 for no limit.
    ///
    /// HTTP.sys `UrlSegmentMaxLength` is 260. Default 0 here: RFC 9112 §3 wants request lines of 8 000 octets to pass, which
    /// may be one segment.
    public let segmentLengthMax: Int
    /// Most segments, 1 through 16 383; 0 for no limit. Source: HTTP.sys `UrlSegmentMaxCount`, default 255.
    public let segmentsMax: Int
    /// Whether escaped control characters are taken, but for NUL, CR and LF, which nobody may get into a path.
    /// Source: HTTP.sys `AllowRestrictedChars`, default off.
    public let allowsControls: Bool
    /// A path of at most this many octets cannot break either limit.
    @usableFromInline let harmlessLength: Int

    public init(segmentLengthMax: Int = 0, segmentsMax: Int = 255, allowsControls: Bool = false) {
        self.allowsControls = allowsControls
        self.segmentLengthMax = min(max(segmentLengthMax, 0), 32_766)
        self.segmentsMax = min(max(segmentsMax, 0), 16_383)
        harmlessLength = min(
            self.segmentLengthMax == 0 ? Int.max : self.segmentLengthMax,
            self.segmentsMax == 0 ? Int.max : self.segmentsMax)
    }
}
