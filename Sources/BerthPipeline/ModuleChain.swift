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
    /// Whether a module wants to see heads of responses before they are encoded.
    @inline(__always) var hasSendStage: Bool { endEnd != sendEnd }
    /// Whatever the handler stage keeps for this application.
    public let siteName: UnsafePointer<UInt8>
    public let siteNameLength: Int
    /// What is only asked for when requests are listed.
    private let description: Unmanaged<Description>

    /// Which stage each entry belongs to, and what the modules are called.
    private final class Description: Sendable {
        let stages: [PipelineStage]
        let moduleNames: [String]

        init(stages: [PipelineStage], moduleNames: [String]) {
            (self.stages, self.moduleNames) = (stages, moduleNames)
        }
    }

    /// The stage of an entry; nil: there is no such entry.
    func stage(of position: Int) -> PipelineStage? {
        let stages = description._withUnsafeGuaranteedRef { $0.stages }
        return stages.indices.contains(position) ? stages[position] : nil
    }

    /// What a module of the chain is called; nil: nobody said.
    func moduleName(_ number: UInt32) -> String? {
        let names = description._withUnsafeGuaranteedRef { $0.moduleNames }
        return Int(number) < names.count ? names[Int(number)] : nil
    }

    /// Builds a chain that lives until `destroy`.
    ///
    /// - Parameters:
    ///   - stages: entries by stage, in order.
    ///   - moduleNames: by the numbers of the modules.
    public static func make(
        _ stages: [PipelineStage: [ChainEntry]], siteName: String, moduleNames: [String] = []
    ) -> UnsafeMutablePointer<ModuleChain> {
        var all: [ChainEntry] = []
        var order: [PipelineStage] = []
        for stage in PipelineStage.deterministic {
            all += stages[stage] ?? []
            order += stages[stage]?.map { _ in stage } ?? []
        }
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
                siteNameLength: siteName.utf8.count,
                description: .passRetained(Description(stages: order, moduleNames: moduleNames))))
        return chain
    }

    public static func destroy(_ chain: UnsafeMutablePointer<ModuleChain>) {
        chain.pointee.entries.deallocate()
        chain.pointee.siteName.deallocate()
        chain.pointee.description.release()
        chain.deallocate()
    }
}
