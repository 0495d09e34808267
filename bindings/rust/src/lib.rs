//! Coroutines on libcoro's event loop: functions with stacks of their own, which switch when they wait.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! fn main() -> Result<(), coro::Error> {
//!     unsafe { coro::enable() }; // see there
//!     let slow = coro::spawn(|| coro::sleep(Duration::from_millis(20)).map(|_| "slow"))?;
//!     let quick = coro::spawn(|| "quick")?;
//!     println!("{} and {}", quick.join()?, slow.join()??);
//!     Ok(())
//! }
//! ```
//!
//! Coroutines live on the thread that spawned them, and never leave it. So they may share what is not `Send` (an `Rc`, a
//! `Cell`, a `RefCell`), and need no locks between calls that wait. What Rust's rules mean with many stacks on a thread:
//!
//! - What a coroutine holds while it waits, it holds against the others: a guard of a `RefCell` makes their borrows panic, a
//!   guard of a `std::sync::Mutex` makes their `lock()` hang or panic, for it is the same thread that locks. Let go of them
//!   before a call that waits. Nothing is unsound in it.
//! - `thread_local!`s belong to the thread: its coroutines share them.
//! - A panic ends its coroutine, and whoever joins gets it. While one unwinds, nothing here waits (in a `drop`, that is): std
//!   counts the panics that are under way per thread, and [`std::thread::panicking`] would be true in all coroutines, and the
//!   locks that they let go of poisoned. The call fails with CORO_EYIELDFROMMAIN. With `panic = "abort"` a panic ends the
//!   process.
//! - A coroutine that is never resumed is never dropped, nor is what is on its stack, which stays where it is. The loop ends
//!   coroutines by asking them: [`Coroutine::shutdown`].
//! - Stacks have a guard, which ends the process with a report. The default of 256 KiB is enough for a panic with a backtrace.
//!
//! See [`enable`] for what is unsound.

#![deny(unsafe_op_in_unsafe_fn)]

mod channel;
mod coroutine;
mod error;
pub mod raw;
mod target;
mod timeout;
mod value;

pub use channel::{Channel, SendError};
pub use coroutine::{spawn, Builder, Coroutine, JoinHandle};
pub use error::Error;
pub use target::{register_struct, Invocation, Target, TargetHandle};
pub use timeout::{sleep, with_timeout, yield_now};
pub use value::Value;

use std::mem::size_of;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static ENABLED: AtomicBool = AtomicBool::new(false);

/// Allows coroutines to be spawned in this process: to be called once, by `main`.
///
/// # Safety
///
/// A call that waits is, for its caller's code, a call that runs any other code of the thread and then returns; safe Rust has
/// to cope with that. But others may return in another order than they were called in, and some code relies on it that they
/// do not. Who enables coroutines promises, for the whole program, that nothing waits, by libcoro,
///
/// - in the initialiser of a `thread_local!`: std lets the value that is made last replace the one before, to which a coroutine
///   may have a reference by then;
/// - in the destructor of what is in a `thread_local!`: a coroutine that goes on there may be inside [`LocalKey::with`][1] of
///   another one, which is gone;
/// - inside a scope that puts a pointer to its own stack frame into a thread-local, and takes back the one before at its end,
///   as those of the crate `scoped-tls`: out of order, the pointer to a frame that is gone comes back.
///
/// Whoever uses only std, and keeps waiting out of initialisers and destructors of those, has nothing to look for.
///
/// [1]: std::thread::LocalKey::with
pub unsafe fn enable() {
    ENABLED.store(true, Ordering::Relaxed);
}

pub(crate) fn require_enabled() -> Result<(), Error> {
    if ENABLED.load(Ordering::Relaxed) {
        return Ok(());
    }
    const EPERM: i32 = 1;
    Err(Error::new(-EPERM, "call coro::enable() first, and read what it says about safety"))
}

/// Whether to make a call that waits, or one in which others run.
pub(crate) fn may_suspend() -> Result<(), Error> {
    if !std::thread::panicking() {
        return Ok(());
    }
    let why = "a panic unwinds, which the other coroutines of the thread would take for theirs: don't wait in a drop() then";
    Err(Error::new(raw::CORO_EYIELDFROMMAIN, why))
}

pub(crate) fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(raw::CORO_FOREVER)
}

/// Runs this thread's loop until [`set_exit`], and returns the code that was given there.
pub fn event_loop() -> Result<i32, Error> {
    may_suspend()?;
    // SAFETY: nothing is passed.
    error::check(unsafe { raw::coro_event_loop() })
}

/// Runs this thread's loop until nothing is left that could run.
pub fn run_until_idle() -> Result<i32, Error> {
    may_suspend()?;
    let struct_size = size_of::<raw::coro_loop_options>();
    let options = raw::coro_loop_options { struct_size, poll_timeout: 0, flags: raw::CORO_LOOP_UNTIL_IDLE, reserved: 0 };
    // SAFETY: the options live as long as the call.
    error::check(unsafe { raw::coro_event_loop_with(&options) })
}

/// Makes this thread's loop end, and [`event_loop`] return `code`.
pub fn set_exit(code: u8) {
    // SAFETY: it takes any code.
    unsafe { raw::coro_set_exit(code.into()) }
}

/// The id of the coroutine that runs; None on a thread's own stack.
pub fn current() -> Option<i64> {
    // SAFETY: nothing is passed.
    Some(unsafe { raw::coro_current() }).filter(|id| *id != 0)
}
