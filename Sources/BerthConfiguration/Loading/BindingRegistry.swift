/// Which prefixes are taken, and by whom: the conflict rules of HTTP.sys (http-sys §3).
///
/// Tiers never conflict with each other; inside one, a prefix belongs to one site. One port carries one scheme. Where a prefix,
/// or the nearest one above it in its tier, is reserved, only the sites that the reservation names may have it.
struct BindingRegistry {
    struct Owner {
        var site: String
        var binding: Binding
    }

    /// Why a binding cannot be had.
    struct Conflict {
        var kind: ConfigurationDiagnostic.Kind
        var binding: Binding
        var message: String
        var advice: String
    }

    private var prefixes: [String: Owner] = [:]
    private var schemes: [UInt16: Owner] = [:]
    /// The longest first.
    private let reservations: [Reservation]

    init(reservations: [Reservation] = []) {
        self.reservations = reservations.sorted { $0.binding.key.utf8.count > $1.binding.key.utf8.count }
    }

    /// What stands in the way of these bindings of a site; empty: nothing.
    func conflicts(of bindings: [Binding], site: String) -> [Conflict] {
        var conflicts: [Conflict] = []
        for binding in bindings {
            if let reservation = reservations.first(where: { binding.key.utf8.starts(with: $0.binding.key.utf8) }),
                !reservation.sites.contains(site)
            {
                let owners =
                    reservation.sites.isEmpty ? "no site" : reservation.sites.map(quoted).joined(separator: ", ")
                conflicts.append(
                    Conflict(
                        kind: .reserved, binding: binding,
                        message:
                            "\(quoted(binding.urlPrefix)) is reserved for \(owners) at \(reservation.binding.location)",
                        advice: "choose another host, port or path, or name \(quoted(site)) in that reservation"))
            } else if let owner = prefixes[binding.key] {
                conflicts.append(
                    Conflict(
                        kind: .bindingConflict, binding: binding,
                        message:
                            "\(quoted(binding.urlPrefix)) belongs to the site \(quoted(owner.site)), which claims it at \(owner.binding.location)",
                        advice: "give one of the two another host, port or path"))
            } else if let port = binding.port, let owner = schemes[port], owner.binding.scheme != binding.scheme {
                conflicts.append(
                    Conflict(
                        kind: .portConflict, binding: binding,
                        message:
                            "port \(port) carries \(owner.binding.scheme.rawValue) already, for the site \(quoted(owner.site)) at \(owner.binding.location)",
                        advice: "one port carries one scheme; choose another port"))
            }
        }
        return conflicts
    }

    /// Gives the bindings, which have no conflicts, to the site.
    mutating func register(_ bindings: [Binding], of site: String) {
        for binding in bindings {
            let owner = Owner(site: site, binding: binding)
            prefixes[binding.key] = owner
            if let port = binding.port, schemes[port] == nil { schemes[port] = owner }
        }
    }
}
