import BerthEventLoop
import CBerthSystem

/// Pipes through which content passes from one socket to another without being copied. Loop thread only.
struct PipePool: BitwiseCopyable {
    /// Octets one holds at least; what one client may have waiting here.
    static let pipeSize = 262_144
    /// Pipes in use at once; the rest is copied. Ours: 32 MiB, half of what the kernel lets a user without privileges have.
    static let pipesMax = 128
    /// Those kept open without a use.
    private static let keptMax = 32

    private struct Ends: BitwiseCopyable {
        var reading: Int32
        var writing: Int32
    }

    private var indices: IndexAllocator
    private let ends: UnsafeMutablePointer<Ends>

    init?() {
        guard let indices = IndexAllocator(capacity: Self.pipesMax) else { return nil }
        self.indices = indices
        ends = .allocate(capacity: Self.pipesMax)
        ends.initialize(repeating: Ends(reading: -1, writing: -1), count: Self.pipesMax)
    }

    /// An empty pipe, or 0 when all are in use or no descriptor is to be had.
    mutating func take(_ system: UnsafePointer<cberth_system>) -> UInt32 {
        guard let index = indices.allocate() else { return 0 }
        if ends[index].reading < 0 {
            var pair: (Int32, Int32) = (-1, -1)
            let result = withUnsafeMutablePointer(to: &pair) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                    system.pointee.pipe_create(system, $0, Int32(Self.pipeSize))
                }
            }
            if result < 0 {
                indices.free(index)
                return 0
            }
            ends[index] = Ends(reading: pair.0, writing: pair.1)
        }
        return UInt32(truncatingIfNeeded: index &+ 1)
    }

    /// - Parameter isEmpty: nothing is left in it, so that the next one may have it.
    mutating func giveBack(_ pipe: UInt32, isEmpty: Bool, _ system: UnsafePointer<cberth_system>) {
        let index = Int(pipe) &- 1
        if !isEmpty || index >= Self.keptMax {
            _ = system.pointee.close(system, ends[index].reading)
            _ = system.pointee.close(system, ends[index].writing)
            ends[index] = Ends(reading: -1, writing: -1)
        }
        indices.free(index)
    }

    @inline(__always) func readingEnd(_ pipe: UInt32) -> Int32 { ends[Int(pipe) &- 1].reading }
    @inline(__always) func writingEnd(_ pipe: UInt32) -> Int32 { ends[Int(pipe) &- 1].writing }
}
