/// How the configuration that a site serves with relates to the files on disk.
public enum SiteCondition: String, WireChoice {
    /// Serves what the files say.
    case ok
    /// The files have errors; the site keeps serving with the last good generation of them.
    case stale
    /// The files have errors and there is no good generation to fall back on: the site does not serve.
    case rejected
    case unknown
}
