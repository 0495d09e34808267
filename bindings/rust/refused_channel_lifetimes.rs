//! Must not compile: a channel of texts that live for ever, to which one that doesn't is sent by way of a shorter lifetime.
use coro::Channel;

fn put<'a>(channel: &Channel<&'a str>, text: &'a str) {
    channel.try_send(text).unwrap();
}

fn main() {
    let channel: Channel<&'static str> = Channel::new(1).unwrap();
    {
        let local = String::from("gone soon");
        put(&channel, &local);
    }
    let dangling: &'static str = channel.receive().unwrap();
    println!("{}", dangling);
}
