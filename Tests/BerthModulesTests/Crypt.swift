import CCrypt

/// crypt(3), for making the password files of tests.
enum Crypt {
    static func hash(_ password: String, setting: String) -> String {
        guard let result = crypt(password, setting) else { return "" }
        return String(cString: result)
    }
}
