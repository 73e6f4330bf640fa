extension Optional {
    /// Puts the value in `place` where there is one.
    func assign(to place: inout Wrapped) {
        if let self { place = self }
    }

    func assign(to place: inout Wrapped?) {
        if let self { place = self }
    }
}
