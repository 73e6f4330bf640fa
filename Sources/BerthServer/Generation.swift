import BerthListener
import BerthPipeline

/// One configuration in force: everything that requests of this generation may still point to.
///
/// The control thread keeps it until every loop has let go of it. Control thread only.
final class Generation {
    let number: UInt64
    /// By loop; a loop owns its part while it has it.
    let parts: [LoopGeneration]
    /// Keeps handlers and modules alive as long as the chains that name them.
    let instances: [ModuleInstance]
    /// Loops that still hold their part.
    var holders: Int

    init(number: UInt64, parts: [LoopGeneration], instances: [ModuleInstance]) {
        self.number = number
        self.parts = parts
        self.instances = instances
        holders = parts.count
    }

    /// Whether a request still holds it. Only when no loop runs any more.
    var isPinned: Bool { parts.contains { $0.snapshot.pointee.pins > 0 } }

    deinit {
        for part in parts { part.destroy() }
    }
}

/// A generation as one loop has it. Made by the control thread, then the loop's until it says that it has let go.
final class LoopGeneration: @unchecked Sendable {
    let number: UInt64
    let snapshot: UnsafeMutablePointer<ListenerSnapshot>
    let chains: [UnsafeMutablePointer<ModuleChain>]
    let ticks: [ModuleTick]

    init(
        number: UInt64, snapshot: UnsafeMutablePointer<ListenerSnapshot>, chains: [UnsafeMutablePointer<ModuleChain>],
        ticks: [ModuleTick]
    ) {
        self.number = number
        self.snapshot = snapshot
        self.chains = chains
        self.ticks = ticks
    }

    fileprivate func destroy() {
        ListenerSnapshot.destroy(snapshot)
        for chain in chains { ModuleChain.destroy(chain) }
    }
}
