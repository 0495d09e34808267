import NIOCore
import NIOPosix

/// A client as SwiftNIO has them: what it does, it does on a thread of SwiftNIO, and what it returns are futures.
final class NIOLineClient: Sendable {
    private let channel: any Channel
    private let answers: NIOLoopBound<Answers>

    private init(_ channel: any Channel, _ answers: Answers) {
        self.channel = channel
        self.answers = NIOLoopBound(answers, eventLoop: channel.eventLoop)
    }

    static func connect(port: Int, on group: MultiThreadedEventLoopGroup) -> EventLoopFuture<NIOLineClient> {
        ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).flatMapThrowing { channel in
            let answers = Answers()
            try channel.pipeline.syncOperations.addHandlers([ByteToMessageHandler(LineDecoder()), answers])
            return NIOLineClient(channel, answers)
        }
    }

    /// The answer to a line.
    func ask(_ line: String) -> EventLoopFuture<String> {
        let promise = channel.eventLoop.makePromise(of: String.self)
        channel.eventLoop.execute { [channel, answers] in
            answers.value.expected.append(promise)
            channel.writeAndFlush(ByteBuffer(line: line), promise: nil)
        }
        return promise.futureResult
    }

    func close() -> EventLoopFuture<Void> { channel.close() }

    /// Hands on what comes: answers come in the order of the questions.
    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = String

        var expected = CircularBuffer<EventLoopPromise<String>>()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            expected.popFirst()?.succeed(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) {
            while let promise = expected.popFirst() { promise.fail(ChannelError.eof) }
        }
    }
}
