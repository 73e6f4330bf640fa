import Testing

@testable import BerthEventLoop

private struct Slot: SlabElement {
    var generation: UInt32 = 0
    var value: UInt64 = 0
}

/// Both behind references, because the macros of the tests take no mutating calls.
private final class Indices {
    private var indices: IndexAllocator

    init(_ capacity: Int) throws { indices = try #require(IndexAllocator(capacity: capacity)) }

    var count: Int { indices.count }
    var capacity: Int { indices.capacity }
    var highWater: Int { indices.highWater }
    func allocate() -> Int? { indices.allocate() }
    func free(_ index: Int) { indices.free(index) }
    func trim() -> Int { indices.trim() }
}

private final class Slots {
    private var slab: Slab<Slot>

    init(_ capacity: Int, extensionSize: Int = 0) throws {
        slab = try #require(Slab<Slot>(capacity: capacity, extensionSize: extensionSize))
    }

    var stride: Int { slab.stride }
    var highWater: Int { slab.highWater }
    func allocate() -> (index: UInt32, element: UnsafeMutablePointer<Slot>)? { slab.allocate() }
    func resolve(_ index: UInt32, _ generation: UInt32) -> UnsafeMutablePointer<Slot>? {
        slab.resolve(index, generation)
    }
    func free(_ index: UInt32) { slab.free(index) }
    func trim() { slab.trim() }
}

@Suite("Slabs and the allocator of their indices")
struct SlabTests {
    @Test("the lowest free index is handed out, whatever was freed in between")
    func lowestFirst() throws {
        let indices = try Indices(10_000)
        for expected in 0..<10_000 { #expect(indices.allocate() == expected) }
        #expect(indices.allocate() == nil, "capacity is exact")
        for index in [9_999, 64, 4_096, 63, 0] { indices.free(index) }
        for expected in [0, 63, 64, 4_096, 9_999] { #expect(indices.allocate() == expected) }
        #expect(indices.allocate() == nil)
        #expect(indices.count == 10_000)
    }

    @Test("the whole capacity of three levels can be used")
    func largest() throws {
        let indices = try Indices(IndexAllocator.capacityMax + 5)
        #expect(indices.capacity == IndexAllocator.capacityMax)
        for _ in 0..<IndexAllocator.capacityMax { _ = indices.allocate() }
        #expect(indices.allocate() == nil)
        indices.free(200_000)
        #expect(indices.allocate() == 200_000)
    }

    @Test(
        "whatever the order, the lowest free index is the next one, and none is handed out twice",
        arguments: [1, 63, 64, 65, 200, 4096, 4097])
    func anyOrder(capacity: Int) throws {
        let indices = try Indices(capacity)
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15 &+ UInt64(capacity)
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var free = Set(0..<capacity)
        var used: [Int] = []
        for round in 0..<6000 {
            // Filling and emptying by turns, so that both ends are reached.
            if used.isEmpty || random(10) < (round / 1000 % 2 == 0 ? 8 : 2) {
                let index = indices.allocate()
                #expect(index == free.min())
                guard let index else { continue }
                free.remove(index)
                used.append(index)
            } else {
                let index = used.remove(at: random(used.count))
                free.insert(index)
                indices.free(index)
            }
            if round % 97 == 0 {
                _ = indices.trim()
                #expect(indices.highWater == (used.max() ?? -1) + 1)
            }
            #expect(indices.count == used.count)
        }
    }

    @Test("trimming lowers the high-water mark to one above the highest index in use")
    func trims() throws {
        let indices = try Indices(1000)
        for _ in 0..<700 { _ = indices.allocate() }
        for index in 100..<700 { indices.free(index) }
        #expect(indices.trim() == 700)
        #expect(indices.highWater == 100)
        for index in 0..<100 { indices.free(index) }
        _ = indices.trim()
        #expect(indices.highWater == 0)
    }

    @Test("a name of a slot that was freed resolves to nothing, also when the slot is used again")
    func generations() throws {
        let slab = try Slots(16)
        let first = try #require(slab.allocate())
        let generation = first.element.pointee.generation
        #expect(slab.resolve(first.index, generation) == first.element)
        slab.free(first.index)
        #expect(slab.resolve(first.index, generation) == nil)
        let second = try #require(slab.allocate())
        #expect(second.index == first.index)
        #expect(slab.resolve(first.index, generation) == nil)
        #expect(slab.resolve(99, generation) == nil, "an index out of range is nobody's")
        #expect(slab.resolve(second.index, 0) == nil)
    }

    @Test("slots are aligned and far enough apart for their extensions")
    func extensions() throws {
        let slab = try Slots(4, extensionSize: 100)
        let a = try #require(slab.allocate())
        let b = try #require(slab.allocate())
        let distance = UnsafeRawPointer(b.element) - UnsafeRawPointer(a.element)
        #expect(distance == slab.stride)
        #expect(distance >= Slab<Slot>.extensionOffset + 100)
        #expect(Slab<Slot>.extensionOffset % 16 == 0 && slab.stride % 16 == 0)
    }

    @Test("memory behind the last used slot is zero again after trimming, so a stale name resolves to nothing")
    func pagesAreGivenBack() throws {
        let slab = try Slots(100_000)
        var names: [(UInt32, UInt32)] = []
        for _ in 0..<50_000 {
            let slot = try #require(slab.allocate())
            names.append((slot.index, slot.element.pointee.generation))
        }
        for (index, _) in names.dropFirst(10) { slab.free(index) }
        slab.trim()
        #expect(slab.highWater == 10)
        for (index, generation) in names.prefix(10) { #expect(slab.resolve(index, generation) != nil) }
        for (index, generation) in names.dropFirst(10) { #expect(slab.resolve(index, generation) == nil) }
    }
}
