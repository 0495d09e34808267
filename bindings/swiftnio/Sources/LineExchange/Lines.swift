import NIOCore

/// Cuts what comes into lines, without their ends.
struct LineDecoder: NIOSingleStepByteToMessageDecoder {
    func decode(buffer: inout ByteBuffer) -> String? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = buffer.readString(length: end - buffer.readerIndex)
        buffer.moveReaderIndex(forwardBy: 1)
        return line
    }

    func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) -> String? { decode(buffer: &buffer) }
}

extension ByteBuffer {
    /// A line, with its end.
    init(line: String) {
        self.init(string: line + "\n")
    }
}
