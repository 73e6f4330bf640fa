import BerthHTTP
import BerthListener
import CBerthModule
import Testing

@testable import BerthPipeline

/// What lets the pipeline hand the listener's memory to modules without copying it.
@Suite("The layouts that both sides of the module ABI rely on")
struct ABILayoutTests {
    @Test("a field of the parser is a field of the ABI")
    func fields() {
        #expect(MemoryLayout<FieldSlice>.size == MemoryLayout<berth_field>.size)
        #expect(
            MemoryLayout<FieldSlice>.offset(of: \.nameOffset) == MemoryLayout<berth_field>.offset(of: \.name_offset))
        #expect(
            MemoryLayout<FieldSlice>.offset(of: \.valueOffset) == MemoryLayout<berth_field>.offset(of: \.value_offset))
        #expect(
            MemoryLayout<FieldSlice>.offset(of: \.nameLength) == MemoryLayout<berth_field>.offset(of: \.name_length))
        #expect(
            MemoryLayout<FieldSlice>.offset(of: \.valueLength) == MemoryLayout<berth_field>.offset(of: \.value_length))
        #expect(MemoryLayout<FieldSlice>.offset(of: \.id) == MemoryLayout<berth_field>.offset(of: \.id))
    }

    @Test("a run of octets and a response field are laid out alike on both sides")
    func runs() {
        #expect(MemoryLayout<OctetRun>.size == MemoryLayout<berth_octets>.size)
        #expect(MemoryLayout<OctetRun>.offset(of: \.count) == MemoryLayout<berth_octets>.offset(of: \.count))
        #expect(MemoryLayout<ResponseField>.size == MemoryLayout<berth_response_field>.size)
        #expect(
            MemoryLayout<ResponseField>.offset(of: \.value) == MemoryLayout<berth_response_field>.offset(of: \.value))
    }

    @Test("what modules see of a request comes first in the pipeline's context")
    func view() { #expect(MemoryLayout<RequestContext>.offset(of: \.view) == 0) }

    @Test("the numbers of fields in the C header are those of the parser")
    func fieldNumbers() {
        let pairs: [(UInt32, String)] = [
            (UInt32(BERTH_FIELD_HOST), "Host"), (UInt32(BERTH_FIELD_CONTENT_LENGTH), "Content-Length"),
            (UInt32(BERTH_FIELD_AUTHORIZATION), "Authorization"), (UInt32(BERTH_FIELD_USER_AGENT), "User-Agent"),
            (UInt32(BERTH_FIELD_COOKIE), "Cookie"), (UInt32(BERTH_FIELD_REFERER), "Referer"),
            (UInt32(BERTH_FIELD_X_FORWARDED_FOR), "X-Forwarded-For"), (UInt32(BERTH_FIELD_RANGE), "Range"),
            (UInt32(BERTH_FIELD_WARNING), "Warning"), (UInt32(BERTH_FIELD_TRACEPARENT), "traceparent"),
            (UInt32(BERTH_FIELD_MS_ASPNETCORE_TOKEN), "MS-ASPNETCORE-TOKEN"),
            (UInt32(BERTH_FIELD_MS_ASPNETCORE_OTHER), "MS-ASPNETCORE-ANYTHING"),
        ]
        for (number, name) in pairs {
            let octets = Array(name.utf8)
            let id = octets.withUnsafeBufferPointer { FieldID.of($0.baseAddress!, octets.count) }
            #expect(UInt32(id.rawValue) == number, "\(name)")
        }
    }

    @Test("the numbers of methods in the C header are those of the parser")
    func methodNumbers() {
        #expect(UInt32(BERTH_METHOD_GET) == UInt32(RequestMethod.get.rawValue))
        #expect(UInt32(BERTH_METHOD_PATCH) == UInt32(RequestMethod.patch.rawValue))
        #expect(UInt32(BERTH_METHOD_SEARCH) == UInt32(RequestMethod.search.rawValue))
    }

    @Test("stages have the numbers of the ABI")
    func stages() {
        #expect(PipelineStage.beginRequest.rawValue == Int(BERTH_STAGE_BEGIN))
        #expect(PipelineStage.executeRequestHandler.rawValue == Int(BERTH_STAGE_EXECUTE))
        #expect(PipelineStage.endRequest.rawValue == Int(BERTH_STAGE_END))
        #expect(PipelineStage.sendResponse.rawValue == Int(BERTH_STAGE_SEND_RESPONSE))
    }
}
