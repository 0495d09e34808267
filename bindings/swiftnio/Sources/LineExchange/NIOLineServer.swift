import Coro
import CoroNIO
import NIOCore
import NIOPosix

/// A server as SwiftNIO has them, on SwiftNIO's threads; but its answers are worked out by coroutines.
enum NIOLineServer {
    static func start(
        on group: MultiThreadedEventLoopGroup, answersOn executor: LoopExecutor
    ) -> EventLoopFuture<any NIOCore.Channel> {
        ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(LineDecoder()), Answerer(executor: executor),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0)
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = String
        typealias OutboundOut = ByteBuffer

        private let executor: LoopExecutor

        init(executor: LoopExecutor) {
            self.executor = executor
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let (question, channel) = (unwrapInboundIn(data), context.channel)
            context.eventLoop
                .makeFutureWithCoroutine(on: executor, name: "answer") { try answer(to: question) }
                .flatMap { channel.writeAndFlush(ByteBuffer(line: $0)) }
                .whenFailure { _ in channel.close(promise: nil) }
        }
    }
}
