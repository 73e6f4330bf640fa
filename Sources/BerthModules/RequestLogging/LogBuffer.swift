internal import CBerthSystem

/// Lines of one loop on their way to a file. Plain memory, owned by a context; lent to the writer while `isQueued`.
struct LogBuffer {
    /// Octets of one buffer. Source: IIS buffers 64 KB (`flushByEntryCountW3CLog` 0).
    static let capacity = 65_536

    let octets: UnsafeMutablePointer<UInt8>
    var count = 0
    var lineCount: UInt64 = 0
    /// When the first line was written: wall clock seconds, and the period of the file it belongs to.
    var firstLineAt: Int64 = 0
    var period: Int64 = 0
    /// 1 while the writer has it. Set by the loop, cleared by the writer; apart from the rest, which only one of them may touch.
    let isQueued: UnsafeMutablePointer<UInt64>
    /// Where it is to be written. Kept by the context that owns the buffer.
    let file: Unmanaged<LogFile>
    /// Next in the writer's queue; guarded by the writer's lock.
    var next: UnsafeMutablePointer<LogBuffer>?

    static func make(_ file: Unmanaged<LogFile>) -> UnsafeMutablePointer<LogBuffer> {
        let buffer = UnsafeMutablePointer<LogBuffer>.allocate(capacity: 1)
        let isQueued = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        isQueued.initialize(to: 0)
        buffer.initialize(to: LogBuffer(octets: .allocate(capacity: capacity), isQueued: isQueued, file: file))
        return buffer
    }
}

extension UnsafeMutablePointer<LogBuffer> {
    /// Whether the writer has it.
    var isWithWriter: Bool {
        cberth_atomic_load(pointee.isQueued) != 0
    }

    /// Writes what is in it, and empties it. Blocks.
    func writeOut() {
        guard pointee.count > 0 else { return }
        pointee.file._withUnsafeGuaranteedRef {
            $0.append(
                UnsafeRawBufferPointer(start: pointee.octets, count: pointee.count), lineCount: pointee.lineCount,
                firstLineAt: pointee.firstLineAt)
        }
        pointee.count = 0
        pointee.lineCount = 0
    }

    func free() {
        pointee.octets.deallocate()
        pointee.isQueued.deallocate()
        deallocate()
    }
}
