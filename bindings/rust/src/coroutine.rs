use crate::error::{c_text, check, check_id, fail, panic_message, text_by, Error, Payload};
use crate::{may_suspend, nanoseconds, raw};
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ops::Deref;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

/// A coroutine that somebody may join. One that is dropped is detached: it goes on, and nobody gets its result.
#[derive(Debug)]
pub struct Coroutine {
    pub(crate) id: i64,
    thread: PhantomData<*const ()>, // not Send
}

impl Coroutine {
    pub(crate) fn new(id: i64) -> Coroutine {
        Coroutine { id, thread: PhantomData }
    }

    /// A coroutine's number: 1, 2, 3, ...
    pub fn id(&self) -> i64 {
        self.id
    }

    pub fn name(&self) -> Result<String, Error> {
        // SAFETY: no more is written than is said.
        text_by(|buffer, size| unsafe { raw::coro_get_name(self.id, buffer, size) })
    }

    /// Whether it has been started and has not ended.
    pub fn is_alive(&self) -> bool {
        // SAFETY: any id may be passed.
        unsafe { raw::coro_is_alive(self.id) }
    }

    /// Tells it to end: the call in which it waits, or the next, fails, once, with an error that [`is_shutdown`][1]. One that
    /// has not run yet never does.
    ///
    /// [1]: Error::is_shutdown
    pub fn shutdown(&self) -> Result<(), Error> {
        // SAFETY: any id may be passed.
        check(unsafe { raw::coro_shutdown(self.id) }).map(|_| ())
    }

    /// Has the call in which it waits fail with CORO_EINTERRUPTED; one that could run is left alone, which is an error.
    pub fn interrupt(&self) -> Result<(), Error> {
        // SAFETY: any id may be passed.
        check(unsafe { raw::coro_interrupt(self.id, ptr::null_mut()) }).map(|_| ())
    }
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        // SAFETY: any id may be passed; that of one who was joined does nothing.
        unsafe { raw::coro_detach(self.id) };
    }
}

/// What became of a function: a place for it that the coroutine shares with who joins it.
type Slot<T> = Rc<Cell<Option<Result<T, Payload>>>>;

/// A coroutine that runs a closure, to be joined for what that returns.
pub struct JoinHandle<T> {
    coroutine: Coroutine,
    slot: Slot<T>,
}

impl<T> JoinHandle<T> {
    /// Waits for its end. Fails if the coroutine panicked ([`Error::into_panic`] has what with) or was shut down before it ran;
    /// and if the caller is interrupted: then the coroutine goes on, and may be joined again. The result is given once.
    pub fn join(&self) -> Result<T, Error> {
        self.join_within(raw::CORO_FOREVER)
    }

    /// [`join`](JoinHandle::join) with a limit, after which the error [`is_timeout`](Error::is_timeout); zero only looks.
    pub fn join_timeout(&self, limit: Duration) -> Result<T, Error> {
        self.join_within(nanoseconds(limit))
    }

    fn join_within(&self, ns: i64) -> Result<T, Error> {
        may_suspend()?;
        // SAFETY: any id may be passed, and the pointer that our coroutines return is not wanted.
        match check(unsafe { raw::coro_join(self.id, ptr::null_mut(), ns) }) {
            Ok(_) => match self.slot.take() {
                Some(Ok(result)) => Ok(result),
                _ => Err(Error::new(raw::CORO_EDEAD, "its result was taken already")),
            },
            // SAFETY: any id may be passed. While it is one, the error is about the caller, and not about the coroutine.
            Err(error) if unsafe { raw::coro_ident(self.id) } == self.id => Err(error),
            Err(error) => match self.slot.take() {
                Some(Err(payload)) => Err(error.with_panic(payload)),
                _ => Err(error),
            },
        }
    }
}

impl<T> Deref for JoinHandle<T> {
    type Target = Coroutine;

    fn deref(&self) -> &Coroutine {
        &self.coroutine
    }
}

/// How to spawn a coroutine: [`spawn`] with options.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    name: Option<String>,
    stack_size: usize,
}

impl Builder {
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Default: "coro <id>".
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// In bytes, the guard included; default: 256 KiB. Of memory it takes what is used.
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = bytes;
        self
    }

    pub fn spawn<F, T>(self, function: F) -> Result<JoinHandle<T>, Error>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        crate::require_enabled()?;
        let name = self.name.map(|name| c_text(&name));
        let options = raw::coro_options {
            struct_size: size_of::<raw::coro_options>(),
            name: name.as_ref().map_or(ptr::null(), |name| name.as_ptr()),
            stack_size: self.stack_size,
            flags: 0,
            reserved: 0,
            release: Some(release::<F, T>),
        };
        let slot: Slot<T> = Rc::default();
        let work = Box::into_raw(Box::new(Work { parts: Some((function, slot.clone())) }));
        // SAFETY: `run` and `release` take such a pointer; the options and the name are copied.
        match check_id(unsafe { raw::coro_spawn_with(Some(run::<F, T>), work.cast(), &options) }) {
            Ok(id) => Ok(JoinHandle { coroutine: Coroutine::new(id), slot }),
            Err(error) => {
                // SAFETY: nobody else has it: `release` is not called if spawning failed.
                drop(unsafe { Box::from_raw(work) });
                Err(error)
            }
        }
    }
}

/// Runs `function` in a coroutine of this thread, once the caller suspends. Fails without memory, and before
/// [`enable`](crate::enable).
pub fn spawn<F, T>(function: F) -> Result<JoinHandle<T>, Error>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    Builder::new().spawn(function)
}

/// A function that is to be run, and where its result goes. None while it runs.
struct Work<F, T> {
    parts: Option<(F, Slot<T>)>,
}

unsafe extern "C" fn run<F: FnOnce() -> T, T>(work: *mut c_void) -> *mut c_void {
    // SAFETY: that of spawn(), which lives until `release`, and is not looked at by anybody else before.
    let parts = unsafe { (*work.cast::<Work<F, T>>()).parts.take() };
    if let Some((function, slot)) = parts {
        let outcome = catch_unwind(AssertUnwindSafe(function));
        if let Err(payload) = &outcome {
            fail(raw::CORO_EFAILED, panic_message(payload));
        }
        contain(move || {
            slot.set(Some(outcome));
            drop(slot); // with the result, if nobody wants that: here, where it may suspend
        });
    }
    ptr::null_mut()
}

unsafe extern "C" fn release<F, T>(work: *mut c_void) {
    // SAFETY: that of spawn(); this is called once, as the last.
    contain(|| drop(unsafe { Box::from_raw(work.cast::<Work<F, T>>()) }));
}

/// A panic must not unwind into libcoro. Where there is nobody to hand it to, its hook has told of it.
pub(crate) fn contain(function: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(function)) {
        if let Err(endless) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(endless);
        }
    }
}
