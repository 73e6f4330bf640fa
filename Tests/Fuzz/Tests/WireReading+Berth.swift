import BerthHTTP

extension WireReading {
    /// Reads a connection's octets as Berth's listener does.
    init(berth octets: [UInt8]) {
        var rest = octets[...]
        while !rest.isEmpty {
            let input = Array(rest)
            let reading = RequestReading(input)
            switch reading.outcome {
            case .incomplete:
                // Empty lines between requests are part of none.
                if !input.allSatisfy({ $0 == 0x0d || $0 == 0x0a }) { ending = .more }
                return
            case .rejected(let reason):
                ending = .refused("\(reason)")
                return
            case .complete: break
            }
            let head = reading.head
            var message = WireMessage(
                method: ForwardingProperties.slice(input, head.methodOffset, UInt32(head.methodLength)),
                target: ForwardingProperties.slice(input, head.targetOffset, head.targetLength),
                minor: Int(head.versionMinor),
                fields: reading.fields.map { field in
                    WireMessage.Field(
                        name: ForwardingProperties.slice(input, field.nameOffset, UInt32(field.nameLength)),
                        value: ForwardingProperties.slice(input, field.valueOffset, UInt32(field.valueLength)))
                },
                content: [], isComplete: false, isPersistent: head.isPersistent, isUpgrade: head.wantsUpgrade)
            var used = 0
            switch MessageContent(of: head, input) {
            case .complete(let content, let length):
                message.content = content
                message.isComplete = true
                used = length
            case .incomplete(let content):
                message.content = content
                ending = .more
            case .malformed(let reason): ending = .refused("\(reason)")
            }
            messages.append(message)
            ends.append(octets.count - rest.count + Int(head.headLength) + used)
            if ending != .clean || !message.isPersistent { return }
            rest = rest.dropFirst(Int(head.headLength) + used)
        }
    }
}
