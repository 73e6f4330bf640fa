public import CBerthModule

/// One module at one stage: function, context, and where its events go.
public struct ChainEntry: BitwiseCopyable {
    var function: berth_stage_function
    var resumed:
        (@convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<berth_request>, UInt32, Int64) -> Int32)?
    var context: UnsafeMutableRawPointer?
    /// Which slot of the request is this module's.
    var module: UInt32

    /// - Parameter module: number of the module in its chain, below `ModuleChain.modulesMax`.
    public init(
        function: @escaping berth_stage_function,
        resumed: (
            @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<berth_request>, UInt32, Int64) -> Int32
        )?,
        context: UnsafeMutableRawPointer?, module: UInt32
    ) {
        (self.function, self.resumed, self.context, self.module) = (function, resumed, context, module)
    }
}

/// Which modules run for the requests of one prefix, and in what order: flat arrays, built per loop with the snapshot, never
/// changed. The last of the deterministic entries is the handler.
public struct ModuleChain {
    /// Modules of one chain. Ours: each costs a slot in every request.
    public static let modulesMax = 16

    let entries: UnsafeMutablePointer<ChainEntry>
    /// Entries of the deterministic stages.
    let mainCount: Int
    let logStart: Int
    let logEnd: Int
    let endEnd: Int
    let sendEnd: Int
    let readEnd: Int
    let moduleCount: Int
    /// Whatever the handler stage keeps for this application.
    public let siteName: UnsafePointer<UInt8>
    public let siteNameLength: Int

    /// Builds a chain that lives until `destroy`.
    ///
    /// - Parameter stages: entries by stage, in order.
    public static func make(_ stages: [PipelineStage: [ChainEntry]], siteName: String) -> UnsafeMutablePointer<
        ModuleChain
    > {
        var all: [ChainEntry] = []
        for stage in PipelineStage.deterministic { all += stages[stage] ?? [] }
        let mainCount = all.count
        all += stages[.logRequest] ?? []
        let logEnd = all.count
        all += stages[.endRequest] ?? []
        let endEnd = all.count
        all += stages[.sendResponse] ?? []
        let sendEnd = all.count
        all += stages[.readEntity] ?? []
        let moduleCount = Int(all.map(\.module).max() ?? 0) + 1
        precondition(moduleCount <= modulesMax, "the configuration limits the modules of a chain")
        let entries = UnsafeMutablePointer<ChainEntry>.allocate(capacity: max(all.count, 1))
        for (i, entry) in all.enumerated() { (entries + i).initialize(to: entry) }
        let name = UnsafeMutablePointer<UInt8>.allocate(capacity: max(siteName.utf8.count, 1))
        for (i, octet) in siteName.utf8.enumerated() { name[i] = octet }
        let chain = UnsafeMutablePointer<ModuleChain>.allocate(capacity: 1)
        chain.initialize(
            to: ModuleChain(
                entries: entries, mainCount: mainCount, logStart: mainCount, logEnd: logEnd, endEnd: endEnd,
                sendEnd: sendEnd,
                readEnd: all.count, moduleCount: moduleCount, siteName: UnsafePointer(name),
                siteNameLength: siteName.utf8.count))
        return chain
    }

    public static func destroy(_ chain: UnsafeMutablePointer<ModuleChain>) {
        chain.pointee.entries.deallocate()
        chain.pointee.siteName.deallocate()
        chain.deallocate()
    }
}
