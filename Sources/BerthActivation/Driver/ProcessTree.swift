import CBerthSystem
import Glibc

/// Finds what belongs to a worker: its group, its descendants, and, by a variable of its environment, what has left both.
struct ProcessTree {
    /// Processes of the machine that are looked at.
    static let processesMax = 32_768
    /// A process that is starting others while it is killed needs another round.
    static let killRoundsMax = 4

    let system: UnsafePointer<cberth_system>

    /// Pids of the worker's processes that are alive, the one that was started included.
    func members(of record: WorkerRecord) -> [Int32] {
        var none = cberth_process()
        let count = Int(system.pointee.processes(system, &none, 0))
        guard count > 0 else { return [] }
        // Some may be born between the two calls.
        let processes = [cberth_process](unsafeUninitializedCapacity: min(count + 64, Self.processesMax)) {
            buffer, filled in
            guard let start = buffer.baseAddress else { return }
            filled = max(0, min(Int(system.pointee.processes(system, start, Int32(buffer.count))), buffer.count))
        }
        let parents = Dictionary(processes.map { ($0.pid, $0.parent) }) { first, _ in first }
        return processes.filter { process in
            if process.pid <= 1 { return false }
            if process.group == record.pid || process.session == record.pid { return true }
            if descends(process.pid, from: record.pid, parents) { return true }
            return system.pointee.has_environment(system, process.pid, record.markerEntry) == 1
        }.map(\.pid)
    }

    private func descends(_ pid: Int32, from ancestor: Int32, _ parents: [Int32: Int32]) -> Bool {
        var current = pid
        // Processes form no deeper chain than there are processes; a listing that changed under us might form a ring.
        for _ in 0..<parents.count {
            if current == ancestor { return true }
            guard let parent = parents[current], parent > 1 else { return false }
            current = parent
        }
        return false
    }

    /// SIGKILL to all of them.
    func kill(_ record: WorkerRecord) {
        for _ in 0..<Self.killRoundsMax {
            let found = members(of: record)
            if found.isEmpty { return }
            for pid in found {
                // By descriptor, so that no process that takes the number in the meantime is hit later.
                let fd = system.pointee.process_open(system, pid)
                guard fd >= 0 else { continue }
                _ = system.pointee.signal_process(system, fd, SIGKILL)  // ESRCH: it went by itself
                _ = system.pointee.close(system, fd)
            }
        }
    }
}
