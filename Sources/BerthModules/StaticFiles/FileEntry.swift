internal import CBerthModule
internal import CBerthSystem

/// What tells one state of a file from another.
struct FileIdentity: Equatable {
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var size: UInt64 = 0
    var seconds: Int64 = 0
    var nanoseconds: UInt32 = 0

    init() {}

    init(_ status: cberth_file_status) {
        (device, inode, size) = (status.device, status.inode, status.size)
        (seconds, nanoseconds) = (status.modified_seconds, status.modified_nanoseconds)
    }
}

/// A file ready to be sent: its content or descriptor, and the head of the response, made once.
///
/// Plain memory. The cache holds it, and each request that sends it; it goes when nobody does. Loop thread only.
struct FileEntry {
    /// First in every state that a slot may point to.
    let kind: UInt32 = StaticFilesState.entry.rawValue
    /// Requests that send it now.
    var references = 0
    var isCached = false
    /// Asked for since the clock hand passed.
    var wasUsed = true
    /// When it was last compared with the disk, in monotonic nanoseconds.
    var validatedAt: UInt64
    /// When its open file was last compared with its head; for one in memory of no meaning.
    var intactAt: UInt64
    /// The cooked path, and its hash.
    let key: berth_octets
    let hash: UInt64
    /// Where it lies: a folder of the instance, and a path below that, ending in NUL.
    let folder: Int
    let diskPath: berth_octets
    /// Number of the default document; 0 also for a file asked for by its name.
    let documentIndex: Int
    let identity: FileIdentity
    /// It had been changed just before it was read, so that its date may stay though it changes again.
    let isRecent: Bool
    /// Small files: the content; others: -1 and a descriptor.
    let content: UnsafeMutablePointer<UInt8>?
    let fd: Int32
    let size: Int
    /// What its descriptor is counted in.
    let budget: Unmanaged<FileBudget>
    /// Last-Modified, seconds since 1970; never in the future.
    let modified: Int64
    /// `etag` and `lastModified` in one piece of memory.
    let texts: UnsafeMutablePointer<UInt8>
    let etag: berth_octets
    /// Content-Type, Accept-Ranges, then those of a 304 too: ETag, Last-Modified, Cache-Control.
    let fields: UnsafeMutablePointer<berth_response_field>
    let fieldCount: Int
    /// Of the 200.
    var head: berth_response_head
    /// Fields at the start that only a response with content has.
    static let contentFieldCount = 2

    /// Room of `texts`: two numbers in hexadecimal, quotes, a colon; a date.
    private static let etagMax = 40

    /// What a loader found, made an entry. Takes over content and descriptor.
    static func make(
        _ found: FoundFile, key: berth_octets, hash: UInt64, folder: Int, type: berth_octets,
        cacheControl: berth_octets,
        sendsETag: Bool, wallSeconds: Int64, now: UInt64
    ) -> UnsafeMutablePointer<FileEntry> {
        let texts = UnsafeMutablePointer<UInt8>.allocate(capacity: etagMax + HTTPDate.length)
        let etagCount = writeETag(found.identity, to: texts)
        let etag = berth_octets(UnsafePointer(texts), sendsETag ? etagCount : 0)
        let modified = min(found.identity.seconds, wallSeconds)
        HTTPDate.write(modified, to: texts + etagMax)

        let fields = UnsafeMutablePointer<berth_response_field>.allocate(capacity: 5)
        var count = 0
        func add(_ name: StaticString, _ value: berth_octets) {
            fields.advanced(by: count).initialize(to: berth_response_field(name: berth_octets(name), value: value))
            count += 1
        }
        add("Content-Type", type)
        add("Accept-Ranges", berth_octets("bytes"))
        if sendsETag { add("ETag", etag) }
        add("Last-Modified", berth_octets(UnsafePointer(texts + etagMax), HTTPDate.length))
        if cacheControl.count > 0 { add("Cache-Control", cacheControl) }

        let head = berth_response_head(
            size: UInt32(MemoryLayout<berth_response_head>.size), status: 200, substatus: 0,
            reason: berth_octets(nil, 0), fields: fields, field_count: UInt32(count),
            flags: UInt32(BERTH_RESPONSE_STABLE_CONTENT), content_length: Int64(found.size))
        let entry = UnsafeMutablePointer<FileEntry>.allocate(capacity: 1)
        entry.initialize(
            to: FileEntry(
                validatedAt: now, intactAt: now, key: key, hash: hash, folder: folder, diskPath: found.diskPath,
                documentIndex: found.documentIndex, identity: found.identity,
                isRecent: wallSeconds - found.identity.seconds < 2, content: found.content, fd: found.fd,
                size: found.size, budget: found.budget, modified: modified, texts: texts, etag: etag, fields: fields,
                fieldCount: count,
                head: head))
        return entry
    }

    /// `"<modification time in nanoseconds>:<size>"`, both hexadecimal: IIS's shape.
    private static func writeETag(_ identity: FileIdentity, to room: UnsafeMutablePointer<UInt8>) -> Int {
        var text = OctetWriter(end: room)
        text.put(0x22)
        hexadecimal(UInt64(bitPattern: identity.seconds) &* 1_000_000_000 &+ UInt64(identity.nanoseconds), &text)
        text.put(0x3a)
        hexadecimal(identity.size, &text)
        text.put(0x22)
        return text.end - room
    }

    private static func hexadecimal(_ value: UInt64, _ text: inout OctetWriter) {
        var shift = (63 - (value | 1).leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value &>> UInt64(shift)) & 15
            text.put(digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
    }
}

extension UnsafeMutablePointer<FileEntry> {
    /// One request less. Frees it when it was the last and the cache has let go.
    func release() {
        pointee.references -= 1
        freeIfUnused()
    }

    func freeIfUnused() {
        guard pointee.references == 0, !pointee.isCached else { return }
        if pointee.fd >= 0 {
            let system = cberth_system_linux()
            _ = system.pointee.close(system, pointee.fd)
            pointee.budget._withUnsafeGuaranteedRef { $0.giveOpenFileBack() }
        }
        pointee.content?.deallocate()
        pointee.key.deallocate()
        pointee.diskPath.deallocate()
        pointee.texts.deallocate()
        pointee.fields.deallocate()
        deallocate()
    }
}
