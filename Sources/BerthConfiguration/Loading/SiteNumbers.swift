/// Gives every site its number: the one its file says, the one it had, or the smallest free one.
struct SiteNumbers {
    private var owners: [UInt32: Located<String>] = [:]
    private var next: UInt32 = 1

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
        while owners[next] != nil { next &+= 1 }
        owners[next] = Located(site, at: .none)
        return next
    }
}
