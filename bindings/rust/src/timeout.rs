use crate::error::{check, check_id, Error};
use crate::{may_suspend, nanoseconds, raw};
use std::time::Duration;

/// Lets the other coroutines run meanwhile.
pub fn sleep(time: Duration) -> Result<(), Error> {
    may_suspend()?;
    // SAFETY: it takes any time.
    check(unsafe { raw::coro_sleep(nanoseconds(time)) }).map(|_| ())
}

/// Lets the other coroutines run that can, and goes on after them.
pub fn yield_now() -> Result<(), Error> {
    may_suspend()?;
    // SAFETY: nothing is passed.
    check(unsafe { raw::coro_yield() }).map(|_| ())
}

/// Runs `function`, here and now, and bounds the time in which it waits: when that is over, the call in which it waits, or
/// the next, fails with CORO_EINTERRUPTED, once, and this with an error that [`is_timeout`](Error::is_timeout), whatever
/// `function` makes of it. A function that is interrupted by the limit of another `with_timeout` around this one sees the
/// same, but here it is handed on: so everybody can tell their own limit from that of others.
pub fn with_timeout<T>(limit: Duration, function: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // SAFETY: it takes any time.
    let scope = Scope(check_id(unsafe { raw::coro_timeout_begin(nanoseconds(limit)) })?);
    let result = function();
    scope.end(result)
}

/// Also when a panic unwinds.
struct Scope(raw::coro_timeout_t);

impl Scope {
    fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        let code = result.as_ref().err().map_or(0, |error| error.code().into());
        // SAFETY: one of the caller's; that another end of it is an error is no harm.
        let ended = unsafe { raw::coro_timeout_end(self.0, code) };
        let made = if ended == code { result } else { Err(Error::last(ended as i32)) };
        std::mem::forget(self);
        made
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { raw::coro_timeout_end(self.0, 0) };
    }
}
