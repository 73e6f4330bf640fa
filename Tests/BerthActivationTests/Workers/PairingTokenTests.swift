import Testing

@testable import BerthActivation

@Suite("Pairing token")
struct PairingTokenTests {
    @Test("a token is a version 4 UUID in lower case")
    func form() {
        #expect(
            PairingToken(octets: [UInt8](repeating: 0xff, count: 16)).text == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(PairingToken(octets: Array(0..<16)).text == "00010203-0405-4607-8809-0a0b0c0d0e0f")
    }

    @Test("no two are alike")
    func different() throws {
        let tokens = try (0..<100).map { _ in try PairingToken.random() }
        #expect(Set(tokens).count == 100)
        #expect(tokens.allSatisfy { $0.text.utf8.count == 36 })
    }
}
