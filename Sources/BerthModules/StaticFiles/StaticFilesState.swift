internal import CBerthModule
internal import CBerthSystem
internal import Glibc

/// What a request's slot points to while this module has to do with it. The first four octets say which.
enum StaticFilesState: UInt32 {
    /// A `FileEntry` that the response sends.
    case entry = 1
    /// A `LoadJob` that the pool works on, or has just done.
    case load = 2
    /// A `MultipartBody` that the response sends, or the pool is filling.
    case multipart = 3
}

/// A look at the disk on a thread of the pool. Plain memory of its own, since a path may be longer than a request's arena.
struct LoadJob {
    let kind: UInt32 = StaticFilesState.load.rawValue
    let instance: Unmanaged<StaticFilesInstance>
    let folder: Int
    let pathCount: Int
    let wantsDocument: Bool
    /// What the entry has that is to be verified; nil: there is none.
    let expected: FileIdentity?
    // Set by the pool.
    var outcome: FileLoader.Outcome = .failed(-EIO)
    /// The folder, opened anew: a deployment may have put another one in its place.
    var folderFD: Int32 = -1

    static func make(
        _ instance: Unmanaged<StaticFilesInstance>, folder: Int, rest: berth_octets, wantsDocument: Bool,
        expected: FileIdentity?
    ) -> UnsafeMutablePointer<LoadJob> {
        // Without the slashes at its end, which would make the kernel demand a directory where a file is.
        var count = rest.length
        if wantsDocument, let start = rest.start {
            while count > 0, start[count - 1] == 0x2f { count -= 1 }
        }
        let size = MemoryLayout<LoadJob>.stride + max(1, count) + 1
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        let job = memory.bindMemory(to: LoadJob.self, capacity: 1)
        let path = job.path
        if count == 0 {
            path[0] = 0x2e
        } else if let start = rest.start {
            memcpy(path, start, count)
        }
        path[max(1, count)] = 0
        job.initialize(
            to: LoadJob(
                instance: instance, folder: folder, pathCount: max(1, count), wantsDocument: wantsDocument,
                expected: expected))
        return job
    }

    /// Blocks.
    static let run: @convention(c) (UnsafeMutableRawPointer?) -> Int64 = { argument in
        guard let job = argument?.assumingMemoryBound(to: LoadJob.self) else { return -1 }
        job.pointee.instance._withUnsafeGuaranteedRef { instance in
            let system = cberth_system_linux()
            guard let path = instance.folders[job.pointee.folder].path.cString else { return }
            let folder = system.pointee.open_directory(system, path)
            guard folder >= 0 else {
                // Only the administrator can mend this; the client is told it isn't there.
                job.pointee.outcome = .failed(folder)
                return
            }
            job.pointee.folderFD = folder
            let search = FileLoader.Search(
                path: job.path, pathCount: job.pointee.pathCount, wantsDocument: job.pointee.wantsDocument,
                expected: job.pointee.expected, types: instance.types, documents: instance.documents,
                budget: instance.budget)
            job.pointee.outcome = FileLoader.load(search, in: folder)
        }
        return 0
    }
}

extension UnsafeMutablePointer<LoadJob> {
    var path: UnsafeMutablePointer<CChar> {
        UnsafeMutableRawPointer(self + 1).assumingMemoryBound(to: CChar.self)
    }

    /// Gives back the job, not what it found.
    func free() {
        deinitialize(count: 1)
        UnsafeMutableRawPointer(self).deallocate()
    }
}

/// The content of a multipart/byteranges response (RFC 9110 §14.6), put together before the response begins.
struct MultipartBody {
    let kind: UInt32 = StaticFilesState.multipart.rawValue
    /// Kept until the body is there, and sent.
    let entry: UnsafeMutablePointer<FileEntry>
    let octets: UnsafeMutablePointer<UInt8>
    let count: Int
    /// Places in `octets` that are filled from the file: where, from where in the file, how many.
    let parts: UnsafeMutablePointer<Part>
    let partCount: Int
    /// Octets of the boundary.
    static let boundaryLength = 32
    let boundary: UnsafeMutablePointer<UInt8>

    struct Part {
        let place: Int
        let offset: Int
        let count: Int
    }

    /// Octets a body of a larger file may have, since it is put together in memory. Ours; over it, the whole file is sent.
    static let octetsMax = 1 << 20

    /// Lays out the body. The parts of the file itself are not filled yet. Nil without random octets.
    static func make(
        _ entry: UnsafeMutablePointer<FileEntry>, _ ranges: [Range<Int>]
    ) -> UnsafeMutablePointer<MultipartBody>? {
        var random: (UInt64, UInt64) = (0, 0)
        guard cberth_random(&random, 16) == 0 else { return nil }
        let boundary = UnsafeMutablePointer<UInt8>.allocate(capacity: boundaryLength)
        withUnsafeBytes(of: &random) { octets in
            for (index, octet) in octets.enumerated() {
                boundary[2 * index] = OctetWriter.hexDigit(octet >> 4)
                boundary[2 * index + 1] = OctetWriter.hexDigit(octet & 15)
            }
        }
        // Boundary, two fields and what stands between: less than this a part.
        let type = entry.pointee.fields[0].value
        let frame = 192 + boundaryLength + type.length
        let total = ranges.reduce(0) { $0 + $1.count + frame } + frame
        let octets = UnsafeMutablePointer<UInt8>.allocate(capacity: total)
        let parts = UnsafeMutablePointer<Part>.allocate(capacity: ranges.count)
        var text = OctetWriter(end: octets)
        for (index, range) in ranges.enumerated() {
            text.put("\r\n--")
            text.copy(boundary, boundaryLength)
            text.put("\r\nContent-Type: ")
            if let start = type.start { text.copy(start, type.length) }
            text.put("\r\nContent-Range: ")
            text.contentRange(range, of: entry.pointee.size)
            text.put("\r\n\r\n")
            parts.advanced(by: index).initialize(
                to: Part(place: text.end - octets, offset: range.lowerBound, count: range.count))
            text.end += range.count
        }
        text.put("\r\n--")
        text.copy(boundary, boundaryLength)
        text.put("--\r\n")
        let body = UnsafeMutablePointer<MultipartBody>.allocate(capacity: 1)
        body.initialize(
            to: MultipartBody(
                entry: entry, octets: octets, count: text.end - octets, parts: parts, partCount: ranges.count,
                boundary: boundary))
        return body
    }

    /// Reads the parts from the file; 0, or -1 when it is shorter by now. Blocks.
    static let run: @convention(c) (UnsafeMutableRawPointer?) -> Int64 = { argument in
        guard let body = argument?.assumingMemoryBound(to: MultipartBody.self) else { return -1 }
        let system = cberth_system_linux()
        for index in 0..<body.pointee.partCount {
            let part = body.pointee.parts[index]
            var count = 0
            while count < part.count {
                let got = system.pointee.read_at(
                    system, body.pointee.entry.pointee.fd, body.pointee.octets + part.place + count, part.count - count,
                    UInt64(part.offset + count))
                if got == -Int(EINTR) { continue }
                guard got > 0 else { return -1 }
                count += got
            }
        }
        return 0
    }
}

extension UnsafeMutablePointer<MultipartBody> {
    /// Copies the parts of a small file. Does not block.
    func fillFromMemory() {
        guard let content = pointee.entry.pointee.content else { return }
        for index in 0..<pointee.partCount {
            let part = pointee.parts[index]
            (pointee.octets + part.place).update(from: content + part.offset, count: part.count)
        }
    }

    /// Gives back everything, the hold on the file too.
    func free() {
        pointee.entry.release()
        pointee.octets.deallocate()
        pointee.parts.deallocate()
        pointee.boundary.deallocate()
        deallocate()
    }
}

extension OctetWriter {
    /// Text of our own.
    mutating func put(_ text: StaticString) { copy(text.utf8Start, text.utf8CodeUnitCount) }

    /// "bytes 0-99/1000".
    mutating func contentRange(_ range: Range<Int>, of size: Int) {
        put("bytes ")
        number(UInt64(range.lowerBound))
        put(0x2d)
        number(UInt64(range.upperBound - 1))
        put(0x2f)
        number(UInt64(size))
    }
}
