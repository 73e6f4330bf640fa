/// Gives every site its number: the one its file says, the one it had, or the smallest that no site has or had.
///
/// The number of a site that is gone, or whose files have errors, is kept for it: its logs and what is remembered of it carry
/// that. Only a file that says the number takes it.
struct SiteNumbers {
    private var owners: [UInt32: Located<String>] = [:]
    private var next: UInt32 = 1
    /// By number: who had it before.
    private let former: [UInt32: String]

    /// - Parameter remembered: the numbers that sites had before, by name.
    init(remembered: [String: UInt32]) {
        former = Dictionary(
            remembered.map { ($0.value, $0.key) }, uniquingKeysWith: { first, second in min(first, second) })
    }

    /// Who had a number before; nil: nobody that is remembered.
    func formerOwner(of id: UInt32) -> String? { former[id] }

    /// Takes the number a file says. Answers who has it already, or nil.
    mutating func claim(_ id: Located<UInt32>, for site: String) -> Located<String>? {
        if let owner = owners[id.value] { return owner }
        owners[id.value] = Located(site, at: id.location)
        return nil
    }

    /// The number for a site whose file says none.
    mutating func number(for site: String, remembered: UInt32?) -> UInt32 {
        if let remembered, remembered > 0, owners[remembered] == nil {
            owners[remembered] = Located(site, at: .none)
            return remembered
        }
        while owners[next] != nil || former[next] != nil { next &+= 1 }
        owners[next] = Located(site, at: .none)
        return next
    }
}
