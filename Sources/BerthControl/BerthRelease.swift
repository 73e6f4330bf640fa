/// The release that this daemon and its tools belong to: they are built and installed together.
public enum BerthRelease {
    public static let version = "0.1.0"
}
